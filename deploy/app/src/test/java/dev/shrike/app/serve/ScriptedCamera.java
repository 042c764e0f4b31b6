package dev.shrike.app.serve;

import dev.shrike.Frame;
import dev.shrike.sources.FrameSource;
import dev.shrike.sources.SourceState;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Consumer;

/** A camera with a frame every few milliseconds that is lost, comes back and ends as it is told. */
final class ScriptedCamera implements FrameSource {
    private static final long INTERVAL_MILLIS = 10;

    private final Frame frame = Frame.allocate(64, 48);
    private Consumer<SourceState> listener = _ -> {};
    private SourceState state = new SourceState(SourceState.Phase.CONNECTING, "", 0, 0);
    private volatile SourceState.Phase wanted = SourceState.Phase.RUNNING;
    private volatile boolean silent;
    private volatile boolean closed;
    private long frames;
    private volatile String endReason = "";

    void become(SourceState.Phase phase) {
        wanted = phase;
    }

    /** From here on no frame comes, and nothing says so. */
    void fallSilent() {
        silent = true;
    }

    boolean closed() {
        return closed;
    }

    @Override
    public Optional<Frame> next() throws InterruptedException {
        while (!closed) {
            Thread.sleep(INTERVAL_MILLIS);
            change();
            if (wanted == SourceState.Phase.ENDED) {
                return Optional.empty();
            }
            if (wanted == SourceState.Phase.RUNNING && !silent) {
                frame.stamp(System.nanoTime(), Instant.now(), true, ++frames);
                return Optional.of(frame);
            }
        }
        return Optional.empty();
    }

    /** Ends for good, for this reason. */
    void fail(String why) {
        endReason = why;
        wanted = SourceState.Phase.ENDED;
    }

    private void change() {
        if (state.phase() != wanted) {
            String reason = wanted == SourceState.Phase.LOST ? "the cable is gone"
                    : wanted == SourceState.Phase.ENDED ? endReason : "";
            state = new SourceState(wanted, reason, frames, 0);
            listener.accept(state);
        }
    }

    @Override
    public void listen(Consumer<SourceState> changes) {
        listener = changes;
    }

    @Override
    public String name() {
        return "scripted camera";
    }

    @Override
    public synchronized SourceState state() {
        return state;
    }

    @Override
    public void close() {
        closed = true;
    }
}
