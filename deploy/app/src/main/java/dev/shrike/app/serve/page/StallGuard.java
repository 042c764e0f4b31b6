package dev.shrike.app.serve.page;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Cuts clients that neither take nor send anything. The server's reads and writes know no time, and closing an exchange
 * from outside waits for them; an interrupt of the virtual thread closes its connection instead.
 */
final class StallGuard implements AutoCloseable {
    private static final long SWEEP_MILLIS = 250;

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

    private static final class Wait {
        private final Thread thread;
        private final long since;
        private boolean over;

        Wait(Thread thread) {
            this.thread = thread;
            since = System.nanoTime();
        }

        synchronized void interrupt() {
            if (!over) {
                thread.interrupt();
            }
        }

        synchronized void end() {
            over = true;
        }
    }

    /** Something that may wait for a client. */
    @FunctionalInterface
    interface Transfer {
        void run() throws IOException;
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
    }
}
