package dev.shrike.app.outputs.mqtt;

import dev.shrike.app.outputs.CameraControl;
import dev.shrike.app.outputs.Message;
import dev.shrike.app.outputs.MessageJson;
import dev.shrike.app.outputs.Outbox;
import dev.shrike.app.outputs.Output;
import dev.shrike.app.outputs.OutputStatus;
import dev.shrike.app.outputs.ServiceRun;
import dev.shrike.tracking.TrackEvent;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Tells an MQTT 5 broker: events in Frigate's shape, how many objects each camera sees, how cameras do. It takes
 * commands, and lets Home Assistant find everything by itself. Topics and contents are in {@code docs/outputs.md}.
 *
 * <ol>
 * <li>While the broker is away, events wait up to a bound in bytes; of the rest the newest value waits.
 * <li>With each connection all values are published again: the broker may have forgotten them.
 * <li>An event may arrive twice after a lost connection, with the same {@code event_id}.
 * </ol>
 */
public final class MqttOutput implements Output {
    /** Messages that are under way at once. */
    private static final int WINDOW = 64;
    private static final long RETRY_NANOS = TimeUnit.MILLISECONDS.toNanos(200);
    private static final long POLL_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long RESEND_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long FLUSH_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final long GOODBYE_MILLIS = 200;
    private static final byte[] ONLINE = "online".getBytes(StandardCharsets.UTF_8);
    private static final byte[] OFFLINE = "offline".getBytes(StandardCharsets.UTF_8);

    private final MqttSettings settings;
    private final MqttTopics topics;
    private final MessageJson json;
    private final FrigateEvents frigate;
    private final HomeAssistant homeAssistant;
    private final CameraControl control;
    private final ObjectCounts counts = new ObjectCounts();
    private final RetainedTopics retained = new RetainedTopics();
    private final Outbox outbox;
    private final Map<String, byte[]> frames = new LinkedHashMap<>();
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong dropped = new AtomicLong();
    private final AtomicInteger underWay = new AtomicInteger();
    private final AtomicInteger eventsUnderWay = new AtomicInteger();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final MqttCommands commands;
    private final MqttConnection connection;
    private final Thread worker;
    private volatile boolean connected;
    private volatile String reason = "connecting";
    /** Topic of the last message that the broker did not want. */
    private volatile String refusedTopic = "";
    private volatile boolean closed;
    private volatile long pausedUntil = System.nanoTime();
    private volatile long resendFrom = System.nanoTime();
    private volatile boolean resend;

    private MqttOutput(MqttSettings settings, ServiceRun run, String version, CameraControl control) {
        this.settings = settings;
        this.control = control;
        topics = new MqttTopics(settings.prefix());
        json = new MessageJson(run);
        frigate = new FrigateEvents(run);
        homeAssistant = settings.discovery().isEmpty() ? null
                : new HomeAssistant(settings.discovery(), topics, version);
        outbox = new Outbox(settings.outboxBytes());
        commands = new MqttCommands(topics, control, this::publishSnapshot, this::wake);
        retained.put(topics.available(), ONLINE);
        for (String camera : control.cameras()) {
            if (homeAssistant != null) {
                homeAssistant.announceCamera(camera, retained);
            }
        }
        putSwitches();
        List<String> subscriptions = new ArrayList<>(commands.subscriptions());
        if (homeAssistant != null) {
            subscriptions.add(homeAssistant.birthTopic());
        }
        String clientId = settings.clientId().isEmpty() ? "shrike-" + run.id() : settings.clientId();
        connection = new MqttConnection(settings, clientId, topics.available(), OFFLINE, subscriptions, listener());
        worker = Thread.ofVirtual().name("shrike mqtt output").start(this::work);
    }

    /**
     * Begins to connect to the broker, which need not be there yet.
     *
     * @param version of this program, for Home Assistant
     * @throws dev.shrike.ShrikeException if the certificates to trust cannot be read
     */
    public static MqttOutput open(MqttSettings settings, ServiceRun run, String version, CameraControl control) {
        return new MqttOutput(settings, run, version, control);
    }

    private MqttConnection.Listener listener() {
        return new MqttConnection.Listener() {
            @Override
            public void connected() {
                reason = "";
                retained.resend();
                connected = true;
                wake();
            }

            @Override
            public void disconnected(String why) {
                connected = false;
                reason = why;
            }

            @Override
            public void received(String topic, byte[] payload) {
                if (homeAssistant == null || !topic.equals(homeAssistant.birthTopic())) {
                    commands.add(topic, payload);
                } else if (new String(payload, StandardCharsets.UTF_8).equals("online")) {
                    resend = true;
                    wake();
                }
            }
        };
    }

    @Override
    public void send(Message message) {
        if (closed) {
            dropped.incrementAndGet();
            return;
        }
        switch (message) {
            case Message.FrameResult frame -> addFrame(frame);
            case Message.Tracked tracked -> add(tracked.event());
            case Message.SourceChanged source -> retained.put(topics.state(source.camera()), json.bytes(source));
        }
        wake();
    }

    private void addFrame(Message.FrameResult frame) {
        if (!settings.frames()) {
            return;
        }
        byte[] payload = json.bytes(frame);
        lock.lock();
        try {
            if (frames.put(topics.frame(frame.camera()), payload) != null) {
                dropped.incrementAndGet();
            }
        } finally {
            lock.unlock();
        }
    }

    private void add(TrackEvent event) {
        lock.lock();
        try {
            outbox.add(frigate.render(event));
            counts.take(event).forEach((label, count) -> {
                if (homeAssistant != null) {
                    homeAssistant.announceLabel(event.camera(), label, retained);
                }
                retained.put(topics.count(event.camera(), label),
                        Integer.toString(count).getBytes(StandardCharsets.US_ASCII));
            });
        } finally {
            lock.unlock();
        }
    }

    private void putSwitches() {
        for (String camera : control.cameras()) {
            retained.put(topics.detectState(camera),
                    (control.isDetecting(camera) ? "ON" : "OFF").getBytes(StandardCharsets.US_ASCII));
        }
    }

    private void wake() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void work() {
        try {
            while (!closed || hasWork()) {
                putSwitches();
                long now = System.nanoTime();
                if (resend && now - resendFrom >= 0) {
                    resend = false;
                    resendFrom = now + RESEND_NANOS;
                    retained.resend();
                }
                if (!publishNext()) {
                    await(POLL_NANOS);
                }
            }
        } catch (InterruptedException e) {
            // Closed, and the time for it is over.
        }
    }

    private void await(long nanos) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            if (!isReady() || !hasWork()) {
                long pause = pausedUntil - System.nanoTime();
                changed.awaitNanos(pause > 0 ? Math.min(pause, nanos) : nanos);
            }
        } finally {
            lock.unlock();
        }
    }

    private boolean isReady() {
        return connected && underWay.get() < WINDOW && System.nanoTime() - pausedUntil >= 0;
    }

    private boolean hasWork() {
        lock.lock();
        try {
            return retained.isPending() || outbox.waiting() > 0 || !frames.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /** Publishes one message, if there is one and it may be. */
    private boolean publishNext() throws InterruptedException {
        if (!isReady()) {
            return false;
        }
        RetainedTopics.Value value = retained.take();
        if (value != null) {
            publish(value.topic(), value.payload(), true, true, () -> retained.resend(value.topic()));
            return true;
        }
        byte[] event = outbox.take(0);
        if (event != null) {
            eventsUnderWay.incrementAndGet();
            publish(topics.events(), event, true, false, () -> outbox.putBack(event));
            return true;
        }
        Map.Entry<String, byte[]> frame = takeFrame();
        if (frame != null) {
            publish(frame.getKey(), frame.getValue(), false, false, dropped::incrementAndGet);
            return true;
        }
        return false;
    }

    private Map.Entry<String, byte[]> takeFrame() {
        lock.lock();
        try {
            return ((LinkedHashMap<String, byte[]>) frames).pollFirstEntry();
        } finally {
            lock.unlock();
        }
    }

    /** @param again what to do if it may not have arrived */
    private void publish(String topic, byte[] payload, boolean atLeastOnce, boolean retain, Runnable again) {
        underWay.incrementAndGet();
        connection.publish(topic, payload, atLeastOnce, retain, (outcome, why) -> {
            switch (outcome) {
                case SENT -> {
                    sent.incrementAndGet();
                    if (connected && topic.equals(refusedTopic)) {
                        refusedTopic = "";
                        reason = "";
                    }
                }
                case REFUSED -> {
                    dropped.incrementAndGet();
                    refusedTopic = topic;
                    reason = why;
                }
                case FAILED -> {
                    pausedUntil = System.nanoTime() + RETRY_NANOS;
                    again.run();
                }
            }
            if (topic.equals(topics.events())) {
                eventsUnderWay.decrementAndGet();
            }
            underWay.decrementAndGet();
            wake();
        });
    }

    private void publishSnapshot(String camera, byte[] jpeg) {
        if (connected && !closed && underWay.get() < WINDOW) {
            publish(topics.snapshot(camera), jpeg, false, false, dropped::incrementAndGet);
        } else {
            dropped.incrementAndGet();
        }
    }

    /** Commands that were none: unknown cameras, words or sizes, or too many at once. */
    public long refusedCommands() {
        return commands.refused();
    }

    @Override
    public OutputStatus status() {
        String why = closed ? "closed" : reason;
        return new OutputStatus(settings.name(), connected && why.isEmpty(), why, sent.get(),
                outbox.waiting() + eventsUnderWay.get(), outbox.dropped() + dropped.get());
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        commands.close();
        outbox.close();
        try {
            long end = System.nanoTime() + FLUSH_NANOS;
            while (connected && (hasWork() || underWay.get() > 0) && System.nanoTime() < end) {
                wake();
                TimeUnit.MILLISECONDS.sleep(5);
            }
            worker.interrupt();
            if (connected) {
                sayGoodbye();
            }
            connection.close().orTimeout(GOODBYE_MILLIS, TimeUnit.MILLISECONDS).exceptionally(gone -> null).join();
        } catch (InterruptedException e) {
            worker.interrupt();
            connection.close();
            Thread.currentThread().interrupt();
        }
        outbox.clear();
    }

    /** The broker publishes the will only where a connection was not ended properly. */
    private void sayGoodbye() throws InterruptedException {
        CountDownLatch said = new CountDownLatch(1);
        connection.publish(topics.available(), OFFLINE, true, true, (outcome, why) -> said.countDown());
        said.await(GOODBYE_MILLIS, TimeUnit.MILLISECONDS);
    }
}
