package dev.shrike.app.outputs;

import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What waits to be sent, first in, first out, with a bound in bytes: where there is no room the oldest fall out and are
 * counted. Any thread may use it.
 */
public final class Outbox {
    /** What an entry costs besides its bytes. */
    public static final int OVERHEAD = 64;

    private final long bound;
    private final ArrayDeque<byte[]> entries = new ArrayDeque<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private long bytes;
    private long dropped;
    private boolean closed;

    /** @param bound in bytes, with {@value #OVERHEAD} for each entry besides its own */
    public Outbox(long bound) {
        if (bound < OVERHEAD) {
            throw new IllegalArgumentException("an outbox of " + bound + " bytes holds nothing");
        }
        this.bound = bound;
    }

    /** Adds an entry as the last; never waits but for another thread's few instructions. */
    public void add(byte[] entry) {
        lock.lock();
        try {
            if (closed || entry.length + (long) OVERHEAD > bound) {
                dropped++;
                return;
            }
            entries.addLast(entry);
            bytes += entry.length + (long) OVERHEAD;
            makeRoom();
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    /** Puts an entry back that could not be sent, as the first. */
    public void putBack(byte[] entry) {
        lock.lock();
        try {
            if (closed || bytes + entry.length + OVERHEAD > bound) {
                dropped++;
                return;
            }
            entries.addFirst(entry);
            bytes += entry.length + (long) OVERHEAD;
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    private void makeRoom() {
        while (bytes > bound) {
            bytes -= entries.removeFirst().length + (long) OVERHEAD;
            dropped++;
        }
    }

    /** Waits for the first entry and takes it; null if the time is over, or nothing waits and the outbox is closed. */
    public byte[] take(long nanos) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            long left = nanos;
            while (entries.isEmpty() && !closed && left > 0) {
                left = changed.awaitNanos(left);
            }
            byte[] entry = entries.pollFirst();
            if (entry != null) {
                bytes -= entry.length + (long) OVERHEAD;
            }
            return entry;
        } finally {
            lock.unlock();
        }
    }

    /** Takes no more; what waits can still be taken. */
    public void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Drops what waits, and counts it. */
    public void clear() {
        lock.lock();
        try {
            dropped += entries.size();
            entries.clear();
            bytes = 0;
        } finally {
            lock.unlock();
        }
    }

    /** Whether it takes no more. */
    public boolean isClosed() {
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    /** Entries that wait. */
    public long waiting() {
        lock.lock();
        try {
            return entries.size();
        } finally {
            lock.unlock();
        }
    }

    /** Entries that there was no room for. */
    public long dropped() {
        lock.lock();
        try {
            return dropped;
        } finally {
            lock.unlock();
        }
    }
}
