package dev.shrike.app.outputs.mqtt;

import dev.shrike.app.outputs.CameraControl;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.stream.Stream;

/**
 * What others want of the cameras by MQTT. A payload is not trusted: only the words of the documentation, for cameras
 * that are there, do anything; the rest is counted.
 */
final class MqttCommands {
    private static final int MOST_WAITING = 64;
    private static final int LONGEST_WORD = 16;
    private static final long SNAPSHOT_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final int LARGEST_SNAPSHOT = 8 << 20;

    private record Command(String topic, byte[] payload) {}

    private final CameraControl control;
    private final BiConsumer<String, byte[]> snapshots;
    private final Runnable changed;
    private final Map<String, String> detectSet = new HashMap<>();
    private final Map<String, String> snapshotGet = new HashMap<>();
    private final Map<String, Long> lastSnapshot = new HashMap<>();
    private final ArrayBlockingQueue<Command> waiting = new ArrayBlockingQueue<>(MOST_WAITING);
    private final AtomicLong refused = new AtomicLong();
    private final Thread worker;

    /**
     * @param snapshots takes a camera and its JPEG
     * @param changed told after a command
     */
    MqttCommands(MqttTopics topics, CameraControl control, BiConsumer<String, byte[]> snapshots, Runnable changed) {
        this.control = control;
        this.snapshots = snapshots;
        this.changed = changed;
        for (String camera : control.cameras()) {
            detectSet.put(topics.detectSet(camera), camera);
            snapshotGet.put(topics.snapshotGet(camera), camera);
        }
        worker = Thread.ofVirtual().name("shrike mqtt commands").start(this::work);
    }

    List<String> subscriptions() {
        return Stream.concat(detectSet.keySet().stream(), snapshotGet.keySet().stream()).sorted().toList();
    }

    /** Takes a command; never waits. */
    void add(String topic, byte[] payload) {
        boolean known = detectSet.containsKey(topic) && payload.length <= LONGEST_WORD
                || snapshotGet.containsKey(topic);
        if (!known || !waiting.offer(new Command(topic, detectSet.containsKey(topic) ? payload : new byte[0]))) {
            refused.incrementAndGet();
        }
    }

    private void work() {
        try {
            while (true) {
                Command command = waiting.take();
                try {
                    obey(command);
                } catch (RuntimeException e) {
                    refused.incrementAndGet();
                }
                changed.run();
            }
        } catch (InterruptedException e) {
            // closed
        }
    }

    private void obey(Command command) {
        String camera = detectSet.get(command.topic());
        if (camera == null) {
            takeSnapshot(snapshotGet.get(command.topic()));
            return;
        }
        switch (new String(command.payload(), StandardCharsets.UTF_8).strip()) {
            case "ON", "on" -> control.detect(camera, true);
            case "OFF", "off" -> control.detect(camera, false);
            default -> refused.incrementAndGet();
        }
    }

    /** Once a second for each camera at most: drawing and encoding costs time that detection needs. */
    private void takeSnapshot(String camera) {
        long now = System.nanoTime();
        Long last = lastSnapshot.get(camera);
        if (last != null && now - last < SNAPSHOT_NANOS) {
            refused.incrementAndGet();
            return;
        }
        lastSnapshot.put(camera, now);
        control.snapshot(camera).filter(jpeg -> jpeg.length <= LARGEST_SNAPSHOT)
                .ifPresent(jpeg -> snapshots.accept(camera, jpeg));
    }

    long refused() {
        return refused.get();
    }

    void close() {
        worker.interrupt();
    }
}
