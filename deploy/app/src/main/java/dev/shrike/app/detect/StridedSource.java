package dev.shrike.app.detect;

import dev.shrike.Frame;
import dev.shrike.sources.ForwardingSource;
import dev.shrike.sources.FrameSource;
import java.util.Optional;

/**
 * Every so many frames of another source, the last of each group, as YOLOv5's {@code --vid-stride} has it. Knows when
 * the very first one was captured.
 */
final class StridedSource extends ForwardingSource {
    private final int stride;
    private volatile long firstNanos;
    private boolean any;

    /**
     * @param source is closed with this
     * @param stride 1 for all
     */
    StridedSource(FrameSource source, int stride) {
        super(source);
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
        Optional<Frame> next = source().next();
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
}
