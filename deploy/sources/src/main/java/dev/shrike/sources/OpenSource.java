package dev.shrike.sources;

import dev.shrike.Frame;
import dev.shrike.ShrikeException;
import dev.shrike.sources.SourceState.Phase;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * What all sources share: their state, and a close from any thread. Whatever the source holds is freed once and never
 * while {@link #grab} runs: a close meanwhile wakes it, and its thread frees.
 */
abstract class OpenSource implements FrameSource {
    private record Condition(Phase phase, String reason) {}

    private final String name;
    private final ReentrantLock use = new ReentrantLock();
    private final Object pauses = new Object();
    private volatile Condition condition = new Condition(Phase.CONNECTING, "");
    private volatile Consumer<SourceState> listener = state -> {};
    private volatile boolean closed;
    private volatile long frames;
    private volatile long reconnects;
    private boolean freed;

    OpenSource(String name) {
        this.name = name;
    }

    /** Waits for the next frame; nothing at the end or after a close. */
    abstract Optional<Frame> grab() throws InterruptedException;

    /** Frees all that the source holds but frames that are retained. Called once. */
    abstract void free();

    /** Lets a {@link #grab} that waits elsewhere than in {@link #pause} return soon. */
    void wake() {
        // Most wait in pause.
    }

    @Override
    public final Optional<Frame> next() throws InterruptedException {
        use.lock();
        try {
            if (closed || condition.phase == Phase.ENDED) {
                return Optional.empty();
            }
            Optional<Frame> next = grab();
            if (next.isEmpty()) {
                // A close is no end of the source's own.
                if (!closed) {
                    change(Phase.ENDED, "");
                }
            } else {
                frames++;
                if (condition.phase != Phase.RUNNING) {
                    reconnects += condition.phase == Phase.LOST ? 1 : 0;
                    change(Phase.RUNNING, "");
                }
            }
            return next;
        } catch (ShrikeException e) {
            change(Phase.ENDED, e.getMessage());
            throw e;
        } finally {
            use.unlock();
            freeOnceClosed();
        }
    }

    /** Sets phase and reason; tells the listener if that is news. */
    final void change(Phase phase, String reason) {
        Condition next = new Condition(phase, reason);
        if (!next.equals(condition)) {
            condition = next;
            if (!closed) {
                listener.accept(state());
            }
        }
    }

    /** The source gives no frames for now: lost if it did before. */
    final void lose(String reason) {
        change(frames > 0 ? Phase.LOST : Phase.CONNECTING, reason);
    }

    /** Waits so long, or until the source is closed. */
    final void pause(long nanos) throws InterruptedException {
        long end = System.nanoTime() + nanos;
        synchronized (pauses) {
            for (long left = nanos; left > 0 && !closed; left = end - System.nanoTime()) {
                pauses.wait(left / 1_000_000, (int) (left % 1_000_000));
            }
        }
    }

    final boolean isClosed() {
        return closed;
    }

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final SourceState state() {
        Condition now = condition;
        return closed
                ? new SourceState(Phase.ENDED, now.phase == Phase.ENDED ? now.reason : "closed", frames, reconnects)
                : new SourceState(now.phase, now.reason, frames, reconnects);
    }

    @Override
    public final void listen(Consumer<SourceState> told) {
        listener = Objects.requireNonNull(told, "listener");
    }

    @Override
    public final void close() {
        closed = true;
        synchronized (pauses) {
            pauses.notifyAll();
        }
        wake();
        freeOnceClosed();
    }

    private void freeOnceClosed() {
        if (closed && use.tryLock()) {
            try {
                if (!freed) {
                    freed = true;
                    free();
                }
            } finally {
                use.unlock();
            }
        }
    }
}
