package dev.shrike.app.outputs.mqtt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.shrike.app.outputs.Samples;
import dev.shrike.tracking.TrackEvent;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The MQTT output against a real Mosquitto: {@code tools/mqtt-check.sh}. No part of the ordinary build. */
class MosquittoCheck {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int AWAY_SECONDS = Integer.getInteger("shrike.mqtt.away", 60);
    private static final int EVENTS = 10_000;
    private static final List<String> OPEN = List.of("allow_anonymous true");

    @TempDir
    Path folder;

    private final SwitchedCameras cameras = new SwitchedCameras("yard");

    private MqttOutput open(MqttSettings settings) {
        return MqttOutput.open(settings, Samples.RUN, "1.2.3", cameras);
    }

    private static MqttSettings settings(Mosquitto broker) {
        return MqttSettings.of(URI.create("mqtt://127.0.0.1:" + broker.port()));
    }

    private static void await(String what, BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(180);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < end, "waited in vain: " + what);
            Thread.sleep(50);
        }
    }

    private static Set<String> ids(Mosquitto broker) {
        Set<String> ids = new HashSet<>();
        for (String line : events(broker)) {
            try {
                ids.add(JSON.readTree(line.substring(line.indexOf(' '))).get("event_id").asText());
            } catch (IOException e) {
                throw new AssertionError(line, e);
            }
        }
        return ids;
    }

    private static List<String> events(Mosquitto broker) {
        synchronized (broker.heard) {
            return broker.heard.stream().filter(line -> line.startsWith("shrike/events ")).toList();
        }
    }

    private static String last(Mosquitto broker, String topic) {
        synchronized (broker.heard) {
            return broker.heard.stream().filter(line -> line.startsWith(topic + " ")).reduce((a, b) -> b).orElse("");
        }
    }

    private static void send(MqttOutput output, int from, int to) {
        for (int i = from; i < to; i++) {
            output.send(Samples.event(TrackEvent.Kind.NEW, "yard", i + 1, 3));
        }
    }

    @Test
    void losesNothingWhenTheBrokerIsRestartedUnderLoad() throws Exception {
        try (Mosquitto broker = new Mosquitto(folder, OPEN, List.of())) {
            MqttOutput output = open(settings(broker));
            await("connected", () -> output.status().working());
            int sent = 0;
            for (int restart = 0; restart < 3; restart++) {
                for (int i = 0; i < 500; i++) {
                    send(output, sent, sent + 2);
                    sent += 2;
                    Thread.sleep(1);
                    if (i == 250) {
                        broker.stop();
                    }
                }
                broker.start();
            }
            int all = sent;
            await("all events", () -> ids(broker).size() == all);
            System.out.printf("3 restarts under load: %d events sent, %d heard, %d of them twice, %d dropped%n", all,
                    events(broker).size(), events(broker).size() - all, output.status().dropped());
            assertEquals(0, output.status().dropped());
            await("the count", () -> last(broker, "shrike/yard/person").equals("shrike/yard/person " + all));
            output.close();
            await("the end", () -> last(broker, "shrike/available").equals("shrike/available offline"));
        }
    }

    @Test
    void losesNothingWhileTheBrokerIsAwayAndCountsWhatIsBeyondTheBound() throws Exception {
        try (Mosquitto broker = new Mosquitto(folder, OPEN, List.of());
                MqttOutput large = open(settings(broker))) {
            await("connected", () -> large.status().working());
            long begun = System.nanoTime();
            broker.stop();
            long longest = 0;
            for (int i = 0; i < EVENTS; i++) {
                long before = System.nanoTime();
                send(large, i, i + 1);
                longest = Math.max(longest, System.nanoTime() - before);
            }
            assertEquals(EVENTS, large.status().waiting());
            TimeUnit.NANOSECONDS.sleep(TimeUnit.SECONDS.toNanos(AWAY_SECONDS) - (System.nanoTime() - begun));
            assertFalse(large.status().working());
            System.out.println("the broker is away: " + large.status().reason());
            broker.start();
            await("all events", () -> ids(broker).size() == EVENTS);
            System.out.printf("away %d s: %d events sent, %d heard, %d dropped, longest send() %.2f ms%n", AWAY_SECONDS,
                    EVENTS, ids(broker).size(), large.status().dropped(), longest / 1e6);
            assertEquals(0, large.status().dropped());
        }
    }

    @Test
    void countsWhatIsBeyondTheBound() throws Exception {
        try (Mosquitto broker = new Mosquitto(folder, OPEN, List.of());
                MqttOutput output = open(settings(broker).withOutboxBytes(1 << 20))) {
            await("connected", () -> output.status().working());
            broker.stop();
            await("noticed", () -> !output.status().working());
            send(output, 0, EVENTS);
            long dropped = output.status().dropped();
            assertTrue(dropped > 0);
            broker.start();
            await("what is left", () -> ids(broker).size() == EVENTS - dropped);
            System.out.printf("an outbox of 1 MiB: %d events sent, %d heard, %d dropped%n", EVENTS, ids(broker).size(),
                    output.status().dropped());
            assertEquals(dropped, output.status().dropped());
        }
    }

    @Test
    void publishesOfflineWhenTheProcessDies() throws Exception {
        try (Mosquitto broker = new Mosquitto(folder, OPEN, List.of())) {
            Process process = new ProcessBuilder(ProcessHandle.current().info().command().orElseThrow(),
                    "--sun-misc-unsafe-memory-access=allow", "-cp", System.getProperty("java.class.path"),
                    MosquittoCheck.class.getName(), Integer.toString(broker.port())).inheritIO().start();
            await("online", () -> last(broker, "shrike/available").equals("shrike/available online"));
            process.destroyForcibly().waitFor();
            await("offline", () -> last(broker, "shrike/available").equals("shrike/available offline"));
        }
    }

    /** A service that is killed. */
    public static void main(String[] args) throws InterruptedException {
        MqttOutput.open(MqttSettings.of(URI.create("mqtt://127.0.0.1:" + args[0])), Samples.RUN, "1",
                new SwitchedCameras("yard"));
        Thread.sleep(TimeUnit.MINUTES.toMillis(5));
    }

    @Test
    void obeysCommandsAndRefusesHostileOnes() throws Exception {
        try (Mosquitto broker = new Mosquitto(folder, OPEN, List.of());
                MqttOutput output = open(settings(broker))) {
            await("online", () -> last(broker, "shrike/available").equals("shrike/available online"));
            broker.publish("shrike/yard/detect/set", "-r", "-m", "OFF");
            await("off", () -> last(broker, "shrike/yard/detect/state").equals("shrike/yard/detect/state OFF"));
            broker.publish("shrike/yard/detect/set", "-m", "ON");
            await("on", () -> last(broker, "shrike/yard/detect/state").equals("shrike/yard/detect/state ON"));
            Random random = new Random(9);
            for (int size : new int[] {0, 1, 17, 1000, 60_000, 70_000, 1_000_000}) {
                byte[] payload = new byte[size];
                random.nextBytes(payload);
                Path file = Files.write(folder.resolve("payload"), payload);
                for (String topic : List.of("yard/detect/set", "yard/snapshot/get", "none/detect/set", "yard/x/set")) {
                    broker.publish("shrike/" + topic, "-f", file.toString());
                }
                broker.publish("homeassistant/status", "-f", file.toString());
            }
            // The retained command of old is no command of now.
            int switched = cameras.switched.get();
            broker.stop();
            broker.start();
            await("connected", () -> output.status().working());
            broker.publish("shrike/yard/detect/set", "-m", "OFF");
            await("off", () -> !cameras.isDetecting("yard"));
            assertEquals(switched + 1, cameras.switched.get());
            assertTrue(output.refusedCommands() > 0);
        }
    }

    @Test
    void speaksTlsAndKeepsThePasswordToItself() throws Exception {
        String secret = "pass-w0rd-of-the-robot";
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem");
        run("mosquitto_passwd", "-b", "-c", "passwords", "robot", secret);
        List<String> listener = List.of("allow_anonymous false", "password_file " + folder.resolve("passwords"),
                "certfile " + folder.resolve("cert.pem"), "keyfile " + folder.resolve("key.pem"));
        try (Mosquitto broker = new Mosquitto(folder, listener,
                List.of("--cafile", folder.resolve("cert.pem").toString(), "-u", "robot", "-P", secret))) {
            MqttSettings plain = MqttSettings.of(URI.create("mqtts://127.0.0.1:" + broker.port()));
            MqttSettings sound = plain.withAuthorities(folder.resolve("cert.pem")).withUser("robot", secret);
            try (MqttOutput output = open(sound)) {
                send(output, 0, 10);
                await("ten events", () -> ids(broker).size() == 10);
                assertFalse((output.status() + " " + sound).contains(secret));
            }
            try (MqttOutput untrusting = open(plain.withUser("robot", secret))) {
                await("a reason", () -> untrusting.status().reason().contains("certification path"));
                assertFalse(untrusting.status().toString().contains(secret));
            }
            try (MqttOutput wrong = open(sound.withUser("robot", secret + "!"))) {
                await("a reason", () -> wrong.status().reason().contains("refuses the connection"));
                assertFalse(wrong.status().toString().contains(secret));
            }
        }
    }

    private void run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), said);
    }
}
