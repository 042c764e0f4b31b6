package dev.shrike.app.outputs.mqtt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.shrike.Detection;
import dev.shrike.ShrikeException;
import dev.shrike.app.outputs.CameraControl;
import dev.shrike.app.outputs.Samples;
import dev.shrike.sources.SourceState;
import dev.shrike.tracking.TrackEvent;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-processor")
class MqttOutputTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    private FakeBroker broker;
    private final SwitchedCameras cameras = new SwitchedCameras("yard", "gate");

    @BeforeEach
    void startBroker() throws IOException {
        broker = new FakeBroker();
    }

    @AfterEach
    void stopBroker() throws IOException {
        broker.close();
    }

    private MqttSettings settings() {
        return MqttSettings.of(URI.create("mqtt://127.0.0.1:" + broker.port()));
    }

    private MqttOutput open(MqttSettings settings) {
        return MqttOutput.open(settings, Samples.RUN, "1.2.3", cameras);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private void awaitRetained(String topic, String value) throws InterruptedException {
        Samples.await(topic + " " + value, () -> value.equals(broker.retained().get(topic)));
    }

    @Test
    void tellsThatItIsThereAndWhenItIsNot() throws Exception {
        MqttOutput output = open(settings());
        awaitRetained("shrike/available", "online");
        FakeBroker.Connect connect = broker.connects.getFirst();
        assertEquals("shrike/available", connect.willTopic());
        assertEquals("offline", connect.will());
        assertTrue(connect.willRetain());
        Samples.await("status", () -> output.status().working());
        assertEquals("mqtt mqtt://127.0.0.1:" + broker.port(), output.status().name());
        output.close();
        assertEquals("offline", broker.retained().get("shrike/available"));
        output.send(Samples.event(TrackEvent.Kind.NEW, "yard", 1, 3));
        assertEquals(1, output.status().dropped());
        assertFalse(output.status().working());
    }

    @Test
    void publishesEventsInFrigatesShapeAndCounts() throws Exception {
        try (MqttOutput output = open(settings())) {
            output.send(Samples.event(TrackEvent.Kind.NEW, "yard", 1, 3));
            output.send(Samples.event(TrackEvent.Kind.NEW, "yard", 2, 3,
                    new Detection(9, "traffic light", .5f, 1.6f, 2, 30, 40)));
            output.send(Samples.event(TrackEvent.Kind.UPDATE, "yard", 1, 9,
                    new Detection(0, "person", .7f, 30, 100, 70, 200)));
            output.send(Samples.event(TrackEvent.Kind.END, "yard", 1, 11,
                    new Detection(0, "person", .3f, 30, 100, 70, 200)));
            Samples.await("four events", () -> broker.texts("shrike/events").size() == 4);
            awaitRetained("shrike/yard/person", "0");
            awaitRetained("shrike/yard/traffic_light", "1");
            awaitRetained("shrike/yard/all", "1");
        }
        List<String> events = broker.texts("shrike/events");
        JsonNode update = JSON.readTree(events.get(2));
        assertEquals("update", update.get("type").asText());
        assertEquals("0123abcd-yard-1-update-9", update.get("event_id").asText());
        assertEquals("[10,100,50,200]", update.at("/before/box").toString());
        assertEquals("[30,100,70,200]", update.at("/after/box").toString());
        assertEquals("0123abcd-yard-1", update.at("/after/id").asText());
        assertEquals("person", update.at("/after/label").asText());
        assertTrue(update.at("/after/end_time").isNull());
        assertEquals(4000, update.at("/after/area").asInt());
        JsonNode end = JSON.readTree(events.get(3));
        assertEquals("end", end.get("type").asText());
        assertEquals(.9, end.at("/after/top_score").asDouble());
        assertEquals(.3, end.at("/after/score").asDouble());
        double now = System.currentTimeMillis() / 1000.0;
        assertEquals(now, end.at("/after/end_time").asDouble(), 60);
        assertEquals(1, end.at("/after/end_time").asDouble() - end.at("/after/start_time").asDouble(), 1e-3);
        JsonNode first = JSON.readTree(events.get(0));
        assertEquals(first.get("before"), first.get("after"));
        assertTrue(broker.published.stream().filter(one -> one.topic().equals("shrike/events"))
                .allMatch(one -> one.qos() == 1 && !one.retain()));
    }

    @Test
    void letsHomeAssistantFindAll() throws Exception {
        try (MqttOutput output = open(settings())) {
            output.send(Samples.event(TrackEvent.Kind.NEW, "yard", 1, 3));
            output.send(Samples.source("yard", SourceState.Phase.RUNNING, ""));
            awaitRetained("shrike/yard/person", "1");
            Samples.await("state", () -> broker.retained().containsKey("shrike/yard/state"));
        }
        Map<String, String> retained = broker.retained();
        Set<String> ids = new HashSet<>();
        for (String topic : List.of("homeassistant/switch/shrike/yard_detect/config",
                "homeassistant/switch/shrike/gate_detect/config",
                "homeassistant/binary_sensor/shrike/yard_running/config",
                "homeassistant/binary_sensor/shrike/yard_person_occupancy/config",
                "homeassistant/sensor/shrike/yard_person_count/config",
                "homeassistant/sensor/shrike/yard_all_count/config")) {
            assertNotNull(retained.get(topic), topic + " in " + retained.keySet());
            JsonNode config = JSON.readTree(retained.get(topic));
            assertTrue(ids.add(config.get("unique_id").asText()));
            assertEquals("shrike/available", config.get("availability_topic").asText());
            assertTrue(retained.containsKey(config.get("state_topic").asText()) || topic.contains("gate_running"),
                    config.toString());
            assertEquals("1.2.3", config.at("/device/sw_version").asText());
        }
        assertEquals("running", JSON.readTree(retained.get("shrike/yard/state")).get("phase").asText());
        assertEquals("ON", retained.get("shrike/gate/detect/state"));
    }

    @Test
    void publishesAllAgainWithEachConnectionAndWhenHomeAssistantStarts() throws Exception {
        try (MqttOutput output = open(settings())) {
            output.send(Samples.event(TrackEvent.Kind.NEW, "yard", 1, 3));
            awaitRetained("shrike/yard/person", "1");
            Samples.await("all is out", () -> broker.retained().size() == 13);
            Set<String> topics = broker.retained().keySet();
            broker.dropConnections();
            broker.published.clear();
            Samples.await("all again", () -> broker.retained().keySet().equals(topics));
            assertEquals(2, broker.connects.size());
            assertEquals("online", broker.retained().get("shrike/available"));
            Samples.await("subscribed", () -> broker.subscriptions.contains("homeassistant/status"));

            broker.published.clear();
            broker.send("homeassistant/status", bytes("online"), false);
            Samples.await("all again", () -> broker.retained().keySet().equals(topics));
            assertTrue(output.status().working());
        }
    }

    @Test
    void doesNothingForAFloodOfBirths() throws Exception {
        try (MqttOutput output = open(settings())) {
            Samples.await("all is out", () -> broker.retained().size() >= 7);
            broker.published.clear();
            for (int i = 0; i < 1000; i++) {
                broker.send("homeassistant/status", bytes(i % 2 == 0 ? "online" : "\0\u00ff"), false);
            }
            awaitRetained("shrike/available", "online");
            cameras.detect("gate", false);
            awaitRetained("shrike/gate/detect/state", "OFF");
            assertTrue(broker.published.size() < 50, broker.published.size() + " messages");
        }
    }

    @Test
    void obeysCommandsAndGivesSnapshots() throws Exception {
        try (MqttOutput output = open(settings())) {
            Samples.await("subscribed", () -> broker.subscriptions.contains("shrike/yard/detect/set"));
            broker.send("shrike/yard/detect/set", bytes("OFF"), false);
            awaitRetained("shrike/yard/detect/state", "OFF");
            assertFalse(cameras.isDetecting("yard"));
            assertTrue(cameras.isDetecting("gate"));
            broker.send("shrike/yard/detect/set", bytes(" on\n"), false);
            awaitRetained("shrike/yard/detect/state", "ON");
            broker.send("shrike/yard/snapshot/get", new byte[0], false);
            Samples.await("a snapshot",
                    () -> broker.published.stream().anyMatch(one -> one.topic().equals("shrike/yard/snapshot")));
            FakeBroker.Published snapshot = broker.published.stream()
                    .filter(one -> one.topic().equals("shrike/yard/snapshot")).findFirst().orElseThrow();
            assertArrayEquals(SwitchedCameras.JPEG, snapshot.payload());
            assertFalse(snapshot.retain());
            assertEquals(0, output.refusedCommands());
        }
    }

    @Test
    void refusesHostileCommands() throws Exception {
        try (MqttOutput output = open(settings())) {
            Samples.await("subscribed", () -> broker.subscriptions.contains("shrike/yard/detect/set"));
            broker.send("shrike/yard/detect/set", bytes("OFF"), true);
            byte[] large = new byte[60_000];
            new Random(1).nextBytes(large);
            int sent = 0;
            for (byte[] payload : List.of(large, new byte[0], bytes("OFF;reboot"), new byte[] {-1, -2, 0},
                    bytes("\0OFF"),
                    bytes("ＯＦＦ"), bytes("{\"state\":\"OFF\"}"))) {
                for (String topic : List.of("shrike/yard/detect/set", "shrike/none/detect/set", "shrike/../detect/set",
                        "a", "shrike/yard/detect/set/x")) {
                    broker.send(topic, payload, false);
                    sent++;
                }
            }
            long expected = sent;
            Samples.await("all are refused", () -> output.refusedCommands() == expected);
            assertEquals(0, cameras.switched.get());
            for (int i = 0; i < 500; i++) {
                broker.send("shrike/yard/snapshot/get", large, false);
            }
            Samples.await("all but a few are refused", () -> output.refusedCommands() >= expected + 490);
            assertTrue(cameras.snapshots.get() < 10, cameras.snapshots.get() + " snapshots");
            broker.send("shrike/yard/detect/set", bytes("OFF"), false);
            Samples.await("still obeys", () -> !cameras.isDetecting("yard"));
        }
    }

    @Test
    void comesBackAfterPacketsThatAreNone() throws Exception {
        Random random = new Random(3);
        try (MqttOutput output = open(settings())) {
            for (int i = 0; i < 20; i++) {
                int connections = i;
                Samples.await("connection " + i,
                        () -> broker.connects.size() > connections && output.status().working());
                byte[] octets = new byte[1 + random.nextInt(200)];
                random.nextBytes(octets);
                octets[0] = (byte) 0xf1;
                broker.sendRaw(octets);
                broker.dropConnections();
            }
            output.send(Samples.event(TrackEvent.Kind.NEW, "yard", 1, 3));
            Samples.await("an event", () -> !broker.texts("shrike/events").isEmpty());
        }
    }

    @Test
    void losesNothingWhileTheBrokerIsAway() throws Exception {
        int count = 2000;
        try (MqttOutput output = open(settings())) {
            Samples.await("connected", () -> output.status().working());
            broker.close();
            Samples.await("noticed", () -> !output.status().working());
            for (int i = 0; i < count; i++) {
                output.send(Samples.event(TrackEvent.Kind.NEW, "yard", i + 1, 3));
            }
            assertEquals(count, output.status().waiting());
            assertFalse(output.status().reason().isEmpty());
            broker.restart();
            Samples.await("all events", () -> ids().size() == count);
            assertEquals(0, output.status().dropped());
            awaitRetained("shrike/yard/person", Integer.toString(count));
        }
    }

    private Set<String> ids() {
        Set<String> ids = new HashSet<>();
        for (String event : broker.texts("shrike/events")) {
            try {
                ids.add(JSON.readTree(event).get("event_id").asText());
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }
        return ids;
    }

    @Test
    void losesNothingWhenConnectionsBreakInTheMiddle() throws Exception {
        int count = 3000;
        try (MqttOutput output = open(settings())) {
            for (int i = 0; i < count; i++) {
                output.send(Samples.event(TrackEvent.Kind.NEW, "yard", i + 1, 3));
                if (i % 500 == 250) {
                    int seen = broker.published.size();
                    Samples.await("some are out", () -> broker.published.size() > seen);
                    broker.dropConnections();
                }
            }
            Samples.await("all events", () -> ids().size() == count);
            assertEquals(0, output.status().dropped());
        }
    }

    @Test
    void countsWhatFallsOut() throws Exception {
        broker.close();
        try (MqttOutput output = open(settings().withOutboxBytes(100_000))) {
            for (int i = 0; i < 1000; i++) {
                output.send(Samples.event(TrackEvent.Kind.NEW, "yard", i + 1, 3));
            }
            assertEquals(1000, output.status().waiting() + output.status().dropped());
            long waiting = output.status().waiting();
            assertTrue(waiting > 50 && waiting < 250, waiting + " wait");
            broker.restart();
            Samples.await("what was left", () -> ids().size() == waiting);
            assertTrue(ids().contains("0123abcd-yard-1000-new-3"));
            assertEquals(1000 - waiting, output.status().dropped());
        }
    }

    @Test
    void aSilentBrokerHoldsNothingUp() throws Exception {
        try (MqttOutput output = open(settings().withFrames(true).withOutboxBytes(50_000))) {
            Samples.await("connected", () -> output.status().working());
            broker.silent = true;
            for (int i = 0; i < 5000; i++) {
                output.send(Samples.event(TrackEvent.Kind.NEW, "yard", i + 1, 3));
                output.send(Samples.frame("yard", i));
            }
            assertTrue(output.status().waiting() < 300, output.status().toString());
            assertTrue(output.status().dropped() > 4500, output.status().toString());
        }
    }

    private static List<String> clientThreads() {
        return Thread.getAllStackTraces().keySet().stream().map(Thread::getName)
                .filter(name -> name.equals("shrike mqtt") || name.startsWith("RxComputation")).toList();
    }

    @Test
    void leavesNoThreadBehind() throws Exception {
        Samples.await("none of earlier tests", () -> clientThreads().isEmpty());
        for (int i = 0; i < 3; i++) {
            MqttOutput output = open(settings());
            Samples.await("connected", () -> output.status().working());
            output.send(Samples.event(TrackEvent.Kind.NEW, "yard", i + 1, 3));
            Samples.await("all is out", () -> output.status().waiting() == 0);
            assertEquals(List.of("shrike mqtt"), clientThreads());
            output.close();
        }
        Samples.await("no thread after connections", () -> clientThreads().isEmpty());
        MqttOutput lost = open(settings());
        Samples.await("connected", () -> lost.status().working());
        broker.silent = true;
        lost.send(Samples.event(TrackEvent.Kind.NEW, "yard", 9, 3));
        Samples.await("it is under way", () -> lost.status().waiting() == 1);
        broker.close();
        Samples.await("lost", () -> !lost.status().working());
        lost.close();
        Samples.await("no thread after a connection that was lost", () -> clientThreads().isEmpty());
        assertEquals(0, lost.status().waiting());
        assertEquals(1, lost.status().dropped());
        for (int i = 0; i < 5; i++) {
            MqttOutput output = open(settings());
            Samples.await("a reason", () -> !output.status().reason().equals("connecting"));
            output.close();
        }
        Samples.await("no thread after a broker that never was", () -> clientThreads().isEmpty());
        int connects = broker.connects.size();
        broker.restart();
        try (MqttOutput other = open(settings())) {
            Samples.await("connected", () -> other.status().working());
            assertEquals(connects + 1, broker.connects.size(), "a closed output connects");
        }
    }

    @Test
    void subscribesOnceHoweverOftenABrokerForgets() throws Exception {
        try (MqttOutput output = open(settings())) {
            for (int connection = 1; connection <= 5; connection++) {
                int number = connection;
                output.send(Samples.event(TrackEvent.Kind.NEW, "yard", number, 3));
                // Subscriptions come before what is published later on the same connection.
                Samples.await("event " + number, () -> ids().size() == number && output.status().waiting() == 0);
                assertEquals(number, broker.connects.size());
                assertEquals(5 * number, broker.subscriptions.size(), "topics asked for in all");
                broker.dropConnections();
                Samples.await("back", () -> broker.connects.size() > number && output.status().working());
            }
        }
    }

    @Test
    void asksAgainForWhatABrokerRefused() throws Exception {
        broker.refusesSubscriptions = true;
        try (MqttOutput output = open(settings())) {
            Samples.await("asked", () -> broker.subscriptions.size() == 5);
            output.send(Samples.event(TrackEvent.Kind.NEW, "yard", 1, 3));
            Samples.await("an event",
                    () -> !broker.texts("shrike/events").isEmpty() && output.status().waiting() == 0);
            broker.refusesSubscriptions = false;
            broker.dropConnections();
            Samples.await("asked again", () -> broker.subscriptions.size() == 10);
            Samples.await("back", () -> output.status().working());
            broker.send("shrike/yard/detect/set", bytes("OFF"), false);
            Samples.await("obeys", () -> !cameras.isDetecting("yard"));
        }
    }

    @Test
    void publishesFramesIfAsked() throws Exception {
        try (MqttOutput output = open(settings().withFrames(true))) {
            Samples.await("connected", () -> output.status().working());
            output.send(Samples.frame("yard", 5));
            Samples.await("a frame", () -> !broker.texts("shrike/yard/frame").isEmpty());
            assertEquals(5, JSON.readTree(broker.texts("shrike/yard/frame").getFirst()).get("sequence").asInt());
        }
        broker.published.clear();
        try (MqttOutput output = open(settings())) {
            output.send(Samples.frame("yard", 5));
            output.send(Samples.event(TrackEvent.Kind.NEW, "yard", 1, 3));
            Samples.await("an event", () -> !broker.texts("shrike/events").isEmpty());
            assertEquals(List.of(), broker.texts("shrike/yard/frame"));
        }
    }

    @Test
    void tellsWhyItIsNotLetInWithoutThePassword() throws Exception {
        broker.refusal = 0x86;
        MqttSettings settings = settings().withUser("robot", "s3cret-word");
        try (MqttOutput output = open(settings)) {
            Samples.await("a reason", () -> output.status().reason().contains("BAD_USER_NAME_OR_PASSWORD"));
            assertEquals("robot", broker.connects.getFirst().user());
            assertEquals("s3cret-word", broker.connects.getFirst().password());
            assertFalse((output.status() + "" + settings).contains("s3cret"));
            broker.refusal = 0;
            Samples.await("let in", () -> output.status().working());
        }
    }

    @Test
    void tellsWhatTheBrokerRefuses() throws Exception {
        broker.refusedTopic = "shrike/events";
        try (MqttOutput output = open(settings())) {
            output.send(Samples.event(TrackEvent.Kind.NEW, "yard", 1, 3));
            Samples.await("dropped", () -> output.status().dropped() == 1);
            assertTrue(output.status().reason().contains("shrike/events"), output.status().reason());
            assertTrue(output.status().reason().contains("NOT_AUTHORIZED"), output.status().reason());
            broker.refusedTopic = "\0";
            output.send(Samples.event(TrackEvent.Kind.NEW, "yard", 2, 3));
            Samples.await("works again", () -> output.status().working());
        }
    }

    @Test
    void worksWithoutCamerasAndHomeAssistant() throws Exception {
        MqttSettings settings = settings().withTopics("fleet/box 7", "");
        try (MqttOutput output = MqttOutput.open(settings, Samples.RUN, "1", CameraControl.none())) {
            output.send(Samples.event(TrackEvent.Kind.NEW, "a/b+#", 1, 3, new Detection(0, "/+#", 1, 0, 0, 9, 9)));
            awaitRetained("fleet/box 7/a_b__/___", "1");
            awaitRetained("fleet/box 7/a_b__/all", "1");
        }
        assertTrue(broker.retained().keySet().stream().allMatch(topic -> topic.startsWith("fleet/")));
    }

    @Test
    void refusesSettingsThatMakeNoSense() throws IOException {
        for (String address : List.of("http://host", "mqtt:host", "host:1883", "mqtt://", "mqtt://user:s3cret@host",
                "mqtt://user:s3@cret@host", "mqtts:///x")) {
            IllegalArgumentException refused =
                    assertThrows(IllegalArgumentException.class, () -> MqttSettings.of(URI.create(address)), address);
            assertFalse(refused.getMessage().contains("s3cret"), refused.getMessage());
        }
        MqttSettings sound = MqttSettings.of(URI.create("mqtts://host"));
        assertEquals("mqtt mqtts://host:8883", sound.name());
        for (String prefix : List.of("", "a/+", "#", "$SYS", "/a", "a/", "a\0b", "x".repeat(300))) {
            assertThrows(IllegalArgumentException.class, () -> sound.withTopics(prefix, ""), prefix);
        }
        assertThrows(IllegalArgumentException.class, () -> sound.withUser("", "secret"));
        assertThrows(IllegalArgumentException.class, () -> sound.withOutboxBytes(100));
        Path empty = Files.writeString(folder.resolve("ca.pem"), "no certificate");
        for (Path file : List.of(empty, folder.resolve("none.pem"))) {
            ShrikeException refused = assertThrows(ShrikeException.class, () -> open(sound.withAuthorities(file)));
            assertTrue(refused.getMessage().contains(file.toString()), refused.getMessage());
        }
    }
}
