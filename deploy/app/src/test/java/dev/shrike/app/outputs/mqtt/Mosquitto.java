package dev.shrike.app.outputs.mqtt;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A real Mosquitto with a persistent store, and its client that hears everything. */
final class Mosquitto implements AutoCloseable {
    private final Path folder;
    private final int port;
    private final List<String> subscriberOptions;
    private Process broker;
    private Process subscriber;
    /** Topic, a blank and the payload of each message. */
    final List<String> heard = Collections.synchronizedList(new ArrayList<>());

    /** @param listener further lines of the listener's configuration */
    Mosquitto(Path folder, List<String> listener, List<String> subscriberOptions) throws Exception {
        this.folder = folder;
        this.subscriberOptions = subscriberOptions;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        List<String> lines = new ArrayList<>(List.of("user root", "persistence true",
                "persistence_location " + folder + "/", "max_queued_messages 0", "listener " + port + " 127.0.0.1"));
        lines.addAll(listener);
        Files.write(folder.resolve("mosquitto.conf"), lines);
        start();
        subscribe();
    }

    int port() {
        return port;
    }

    void start() throws Exception {
        broker = new ProcessBuilder("mosquitto", "-c", folder.resolve("mosquitto.conf").toString())
                .redirectErrorStream(true).redirectOutput(folder.resolve("broker.log").toFile()).start();
        for (int i = 0; i < 500; i++) {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
                return;
            } catch (IOException notYet) {
                Thread.sleep(20);
            }
        }
        throw new AssertionError(Files.readString(folder.resolve("broker.log")));
    }

    /** As a restart of the machine that it runs on: it has time to store what it has. */
    void stop() throws InterruptedException {
        broker.destroy();
        if (!broker.waitFor(20, TimeUnit.SECONDS)) {
            throw new AssertionError("mosquitto does not end");
        }
    }

    private void subscribe() throws Exception {
        List<String> command = new ArrayList<>(List.of("mosquitto_sub", "-h", "127.0.0.1", "-p", "" + port, "-V", "5",
                "-i", "listener", "-c", "-x", "3600", "-q", "1", "-t", "#", "-F", "%t %p"));
        command.addAll(subscriberOptions);
        subscriber = new ProcessBuilder(command).redirectError(folder.resolve("subscriber.log").toFile()).start();
        BufferedReader lines = subscriber.inputReader(StandardCharsets.UTF_8);
        Thread.ofPlatform().daemon().start(() -> {
            try {
                lines.lines().forEach(heard::add);
            } catch (UncheckedIOException ended) {
                // The client was ended.
            }
        });
        // It hears nothing of what is published before it has subscribed.
        for (int i = 0; i < 500 && heard.isEmpty(); i++) {
            publish("hello", "-m", "x");
            Thread.sleep(20);
        }
    }

    void publish(String topic, String... payload) throws Exception {
        List<String> command = new ArrayList<>(
                List.of("mosquitto_pub", "-h", "127.0.0.1", "-p", "" + port, "-V", "5", "-q", "1", "-t", topic));
        command.addAll(List.of(payload));
        command.addAll(subscriberOptions);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new AssertionError(said);
        }
    }

    @Override
    public void close() throws Exception {
        subscriber.destroy();
        broker.destroy();
        subscriber.waitFor();
        broker.waitFor();
    }
}
