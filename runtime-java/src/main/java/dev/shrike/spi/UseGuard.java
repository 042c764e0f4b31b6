package dev.shrike.spi;

import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The life of something that one thread uses at a time and that holds native memory: open, running, closed. Engines and
 * detectors keep one each, so that a wrong use ends in an exception and never in memory that was freed.
 *
 * <ol>
 *   <li>{@link #enter} begins a use and {@link #exit} ends it, in a {@code finally}; a second use beside it, by
 *   whatever thread, is refused.
 *   <li>{@link #close} refuses further uses, waits for the one that runs, and releases once. It may be called by any
 *   thread, by several at a time, and by the thread of the running use: then it returns at once, and the end of that
 *   use releases.
 * </ol>
 *
 * <p>For any thread. Entering and leaving makes no garbage.
 */
public final class UseGuard {
    private enum State {
        OPEN, RUNNING, CLOSED
    }

    private final String what;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private State state = State.OPEN;
    /** The thread of the running use, also while others wait to close. */
    private Thread user;
    private Thread releaser;
    private Runnable releaseAtExit;
    private boolean released;

    /** A guard of something that is open; messages call it {@code what}, such as {@code "detector"}. */
    public UseGuard(String what) {
        this.what = what;
    }

    /**
     * Begins a use.
     *
     * @throws IllegalStateException if it was closed, or another use is running; names its thread
     */
    public void enter() {
        lock.lock();
        try {
            switch (state) {
                case OPEN -> {
                    state = State.RUNNING;
                    user = Thread.currentThread();
                }
                case RUNNING -> throw new IllegalStateException("the " + what + " is in use by the thread '"
                        + user.getName() + "': one thread at a time may use it; open one for each thread, or let them"
                        + " take turns");
                case CLOSED -> throw new IllegalStateException("the " + what + " was closed");
            }
        } finally {
            lock.unlock();
        }
    }

    /** Ends the use that this thread began. */
    public void exit() {
        Runnable release;
        lock.lock();
        try {
            if (user != Thread.currentThread()) {
                throw new IllegalStateException("the " + what + " is not in use by this thread");
            }
            user = null;
            if (state == State.RUNNING) {
                state = State.OPEN;
            }
            release = releaseAtExit;
            releaseAtExit = null;
            releaser = release == null ? null : Thread.currentThread();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        if (release != null) {
            release(release);
        }
    }

    /** Whether it was closed, or is being closed. */
    public boolean isClosed() {
        lock.lock();
        try {
            return state == State.CLOSED;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Closes: whoever calls first releases, when no use is running any more. The others return when that is done. An
     * interrupt does not end the wait and is kept.
     */
    public void close(Runnable release) {
        lock.lock();
        try {
            Thread self = Thread.currentThread();
            if (state == State.CLOSED) {
                while (!released && user != self && releaser != self) {
                    changed.awaitUninterruptibly();
                }
                return;
            }
            state = State.CLOSED;
            if (user == self) {
                releaseAtExit = release;
                return;
            }
            while (user != null) {
                changed.awaitUninterruptibly();
            }
            releaser = self;
        } finally {
            lock.unlock();
        }
        release(release);
    }

    private void release(Runnable release) {
        try {
            release.run();
        } finally {
            lock.lock();
            try {
                released = true;
                releaser = null;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }
}
