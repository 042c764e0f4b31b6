package dev.shrike.app.detect;

import dev.shrike.Frame;
import dev.shrike.sources.FrameSource;
import dev.shrike.sources.SourceState;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Every so many frames of another source, the last of each group, as YOLOv5's {@code --vid-stride} has it. Knows when
 * the very first one was captured.
 */
final class StridedSource implements FrameSource {
    private final FrameSource source;
    private final int stride;
    private volatile long firstNanos;
    private boolean any;

    /**
     * @param source is closed with this
     * @param stride 1 for all
     */
    StridedSource(FrameSource source, int stride) {
        this.source = source;
        this.stride = stride;
    }

    @Override
    public Optional<Frame> next() throws InterruptedException {
        Optional<Frame> next = one();
        for (int i = 1; i < stride && next.isPresent(); i++) {
            next = one();
        }
        return next;
    }

    private Optional<Frame> one() throws InterruptedException {
        Optional<Frame> next = source.next();
        if (!any && next.isPresent()) {
            any = true;
            firstNanos = next.get().capturedNanos();
        }
        return next;
    }

    /** Capture time of the first frame, looked at or not; only after a {@link #next} that returned one. */
    long firstNanos() {
        return firstNanos;
    }

    @Override
    public long missing() {
        return source.missing();
    }

    @Override
    public long damaged() {
        return source.damaged();
    }

    @Override
    public boolean retain(Frame frame) {
        return source.retain(frame);
    }

    @Override
    public void release(Frame frame) {
        source.release(frame);
    }

    @Override
    public boolean live() {
        return source.live();
    }

    @Override
    public String name() {
        return source.name();
    }

    @Override
    public SourceState state() {
        return source.state();
    }

    @Override
    public void listen(Consumer<SourceState> listener) {
        source.listen(listener);
    }

    @Override
    public void close() {
        source.close();
    }
}
