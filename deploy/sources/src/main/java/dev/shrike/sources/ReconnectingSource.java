package dev.shrike.sources;

import dev.shrike.Frame;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A camera or stream that comes back: it connects until it succeeds, waiting longer after each failure, and at once
 * when the other side was away and is there again. Only frames of the connection that stands are given.
 */
final class ReconnectingSource extends OpenSource {
    private static final long LOOK_NANOS = 500_000_000L;

    private final Link link;
    private final BackOff backOff;
    /** The standing one last; those before it have frames that are still retained. */
    private final List<Connection> connections = new ArrayList<>();
    private volatile Connection standing;
    private volatile long damaged;
    /** Of the connections before the standing one. */
    private long damagedBefore;

    ReconnectingSource(String name, Link link, BackOff backOff) {
        super(name);
        this.link = link;
        this.backOff = backOff;
    }

    @Override
    Optional<Frame> grab() throws InterruptedException {
        while (!isClosed()) {
            try {
                if (standing == null) {
                    connect();
                }
                Optional<Frame> frame = standing.read();
                damaged = damagedBefore + standing.damaged();
                if (frame.isPresent()) {
                    backOff.reset();
                    return frame;
                }
            } catch (LostException e) {
                disconnect();
                if (!isClosed()) {
                    lose(e.getMessage());
                    await(e.mayAnswer());
                }
            } catch (InterruptedException | RuntimeException | Error e) {
                // A read that was broken off leaves half a packet behind.
                disconnect();
                throw e;
            }
        }
        return Optional.empty();
    }

    private void connect() throws LostException, InterruptedException {
        Connection connection = link.connect();
        synchronized (connections) {
            connections.add(connection);
        }
        standing = connection;
        if (isClosed()) {
            connection.stop();
        }
    }

    private void disconnect() {
        Connection old = standing;
        standing = null;
        if (old != null) {
            damagedBefore += old.damaged();
            damaged = damagedBefore;
            old.close();
        }
        synchronized (connections) {
            // Frames of older ones have been released long since, or their reader is stuck.
            while (connections.size() > 4) {
                connections.removeFirst();
            }
        }
    }

    /** Waits for the next attempt; one that was away and is there again is not kept waiting. */
    private void await(boolean mayAnswer) throws InterruptedException {
        long end = System.nanoTime() + backOff.nextNanos();
        boolean away = false;
        while (!isClosed() && end - System.nanoTime() > 0) {
            pause(Math.min(LOOK_NANOS, end - System.nanoTime()));
            if (mayAnswer || isClosed() || end - System.nanoTime() <= 0) {
                continue;
            }
            Link.Presence presence = link.presence();
            if (away && presence == Link.Presence.THERE) {
                backOff.reset();
                return;
            }
            away |= presence == Link.Presence.AWAY;
        }
    }

    @Override
    public boolean retain(Frame frame) {
        Connection connection = standing;
        return connection != null && connection.retain(frame);
    }

    @Override
    public void release(Frame frame) {
        synchronized (connections) {
            for (Connection connection : connections) {
                if (connection.release(frame)) {
                    return;
                }
            }
        }
    }

    @Override
    public long damaged() {
        return damaged;
    }

    @Override
    void wake() {
        link.stop();
        Connection connection = standing;
        if (connection != null) {
            connection.stop();
        }
    }

    @Override
    void free() {
        disconnect();
        link.free();
    }
}
