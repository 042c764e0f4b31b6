package dev.shrike.app.outputs.mavlink;

import dev.shrike.BackendUnavailableException;
import dev.shrike.DeviceException;
import dev.shrike.app.outputs.Message;
import dev.shrike.app.outputs.Output;
import dev.shrike.app.outputs.OutputStatus;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Tells an autopilot by MAVLink 2 over UDP where its landing target is: LANDING_TARGET for each frame with one, and
 * HEARTBEAT once a second. A target that waits is replaced by a newer one.
 */
public final class MavlinkOutput implements Output {
    private static final long HEARTBEAT_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long CLOSE_MILLIS = 500;

    private final MavlinkSettings settings;
    private final MavlinkMessages messages;
    private final LandingTargetFinder finder;
    private final DatagramChannel channel;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong dropped = new AtomicLong();
    private final Thread worker;
    private LandingTargetFinder.Target waiting;
    private volatile String reason = "";
    private volatile boolean closed;

    private MavlinkOutput(MavlinkSettings settings, MavlinkMessages messages, DatagramChannel channel) {
        this.settings = settings;
        this.messages = messages;
        this.channel = channel;
        finder = new LandingTargetFinder(settings);
        worker = Thread.ofVirtual().name("shrike mavlink").start(this::work);
    }

    /**
     * Begins to send.
     *
     * @throws BackendUnavailableException if the MAVLink library is not there, which is not shipped
     * @throws DeviceException if the host is not known
     */
    public static MavlinkOutput open(MavlinkSettings settings) {
        MavlinkMessages messages;
        try {
            messages = new MavlinkMessages(settings.systemId(), settings.componentId());
        } catch (LinkageError e) {
            throw new BackendUnavailableException("the MAVLink output needs mavlink-1.1.11.jar and"
                    + " mavlink-protocol-1.1.11.jar of io.dronefleet.mavlink (Maven Central), which are not shipped:"
                    + " put both into the folder lib of Shrike, beside its other jars", e);
        }
        InetSocketAddress address = new InetSocketAddress(settings.host(), settings.port());
        if (address.isUnresolved()) {
            throw new DeviceException("there is no host " + settings.host() + " to send MAVLink to");
        }
        try {
            DatagramChannel channel = DatagramChannel.open();
            channel.connect(address);
            return new MavlinkOutput(settings, messages, channel);
        } catch (IOException e) {
            throw new DeviceException("cannot send MAVLink to " + address + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void send(Message message) {
        if (!(message instanceof Message.FrameResult frame)) {
            return;
        }
        lock.lock();
        try {
            Optional<LandingTargetFinder.Target> target = finder.find(frame);
            if (target.isPresent()) {
                if (waiting != null || closed) {
                    dropped.incrementAndGet();
                }
                waiting = closed ? null : target.get();
                changed.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    private void work() {
        long nextHeartbeat = System.nanoTime();
        try {
            while (!closed) {
                LandingTargetFinder.Target target = await(nextHeartbeat);
                try {
                    if (target != null) {
                        channel.write(ByteBuffer.wrap(messages.landingTarget(target)));
                        sent.incrementAndGet();
                    }
                    if (System.nanoTime() - nextHeartbeat >= 0) {
                        nextHeartbeat = System.nanoTime() + HEARTBEAT_NANOS;
                        channel.write(ByteBuffer.wrap(messages.heartbeat()));
                    }
                    reason = "";
                } catch (IOException e) {
                    reason = e.getMessage() == null ? "nobody listens there" : e.getMessage();
                    dropped.addAndGet(target == null ? 0 : 1);
                }
            }
        } catch (InterruptedException e) {
            // closed
        }
    }

    private LandingTargetFinder.Target await(long until) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            long left = until - System.nanoTime();
            while (waiting == null && !closed && left > 0) {
                left = changed.awaitNanos(left);
            }
            LandingTargetFinder.Target target = waiting;
            waiting = null;
            return target;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public OutputStatus status() {
        lock.lock();
        try {
            String why = closed ? "closed" : reason;
            return new OutputStatus("mavlink udp://" + settings.host() + ":" + settings.port(), why.isEmpty(), why,
                    sent.get(), waiting == null ? 0 : 1, dropped.get());
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        closed = true;
        worker.interrupt();
        try {
            worker.join(CLOSE_MILLIS);
            channel.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            reason = String.valueOf(e.getMessage());
        }
    }
}
