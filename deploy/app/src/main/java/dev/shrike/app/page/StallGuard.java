package dev.shrike.app.page;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Cuts clients that neither take nor send anything. The server's reads and writes know no time, and closing an exchange
 * from outside waits for them; an interrupt of the virtual thread closes its connection instead.
 */
final class StallGuard implements AutoCloseable {
    private static final long SWEEP_MILLIS = 250;

    private final SendQueues queues = new SendQueues(Path.of("/"));
    private final Set<Following> streams = ConcurrentHashMap.newKeySet();
    private final Set<Wait> waits = ConcurrentHashMap.newKeySet();
    private final Thread sweeper;
    private volatile long limitNanos;

    StallGuard(int seconds) {
        limit(seconds);
        sweeper = Thread.ofVirtual().name("shrike-page-sweeper").start(this::sweep);
    }

    /** Changes the time that one write or read may take. */
    void limit(int seconds) {
        limitNanos = TimeUnit.SECONDS.toNanos(seconds);
    }

    /** A stream, and since when nothing of it was taken although something waits. */
    private static final class Following {
        private final Wait wait;
        private final int localPort;
        private final int remotePort;
        private long waiting;
        private long since = System.nanoTime();

        Following(int localPort, int remotePort) {
            wait = new Wait(Thread.currentThread());
            this.localPort = localPort;
            this.remotePort = remotePort;
        }

        void look(Map<Integer, Long> queues, long now, long limit) {
            long bytes = queues.getOrDefault(remotePort, 0L);
            if (bytes == 0 || bytes < waiting) {
                since = now;
            } else if (now - since > limit) {
                wait.interrupt();
            }
            waiting = bytes;
        }
    }

    private static final class Wait {
        private final Thread thread;
        private final long since;
        private boolean over;
        private boolean cut;

        Wait(Thread thread) {
            this.thread = thread;
            since = System.nanoTime();
        }

        synchronized void interrupt() {
            if (!over) {
                cut = true;
                thread.interrupt();
            }
        }

        /** Ends the watch, and tells whether the client was cut. */
        synchronized boolean end() {
            over = true;
            return cut;
        }
    }

    /** Something that may wait for a client. */
    @FunctionalInterface
    interface Transfer {
        void run() throws IOException;
    }

    /** Something that tells a client more and more. */
    @FunctionalInterface
    interface Stream {
        void run() throws IOException, InterruptedException;
    }

    /** Writes and flushes. */
    void write(OutputStream out, byte[] bytes) throws IOException {
        guard(() -> {
            out.write(bytes);
            out.flush();
        });
    }

    /** Reads at most so many bytes. */
    byte[] read(InputStream in, int most) throws IOException {
        byte[][] read = new byte[1][];
        guard(() -> read[0] = in.readNBytes(most));
        return read[0];
    }

    /** Runs what may wait for a client, and cuts it off when its time is over. */
    void guard(Transfer transfer) throws IOException {
        Wait wait = new Wait(Thread.currentThread());
        waits.add(wait);
        try {
            transfer.run();
        } finally {
            wait.end();
            waits.remove(wait);
        }
    }

    /** Runs a stream of this thread, which is cut once its client took nothing for the time that a write may take. */
    void follow(HttpExchange exchange, Stream stream) throws IOException, InterruptedException {
        Following following = new Following(exchange.getLocalAddress().getPort(),
                exchange.getRemoteAddress().getPort());
        streams.add(following);
        try {
            stream.run();
        } finally {
            streams.remove(following);
            if (following.wait.end()) {
                // Who waited for the next image and not for the client has lost the interrupt. What closing an exchange
                // still writes must meet it, or waits for ever for a client that takes nothing.
                Thread.currentThread().interrupt();
            }
        }
    }

    private void sweepStreams(long now) {
        Map<Integer, Map<Integer, Long>> byPort = new HashMap<>();
        for (Following stream : streams) {
            stream.look(byPort.computeIfAbsent(stream.localPort, queues::waiting), now, limitNanos);
        }
    }

    private void sweep() {
        try {
            while (true) {
                Thread.sleep(SWEEP_MILLIS);
                long now = System.nanoTime();
                for (Wait wait : waits) {
                    if (now - wait.since > limitNanos) {
                        wait.interrupt();
                    }
                }
                sweepStreams(now);
            }
        } catch (InterruptedException e) {
            // close() ends it.
        }
    }

    /** Cuts all that waits and ends. */
    @Override
    public void close() {
        sweeper.interrupt();
        waits.forEach(Wait::interrupt);
        streams.forEach(stream -> stream.wait.interrupt());
    }
}
