package dev.shrike.live;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.Detector;
import dev.shrike.Frame;
import dev.shrike.StageTimes;
import java.util.List;
import java.util.function.Consumer;

/** A detector that sees nothing and takes its time for it. */
final class SlowDetector implements Detector {
    private final Consumer<Frame> work;
    private final List<Detection> seen;
    private volatile boolean closed;

    SlowDetector(Consumer<Frame> work) {
        this.work = work;
        seen = List.of();
    }

    static SlowDetector of(long millis) {
        return new SlowDetector(frame -> {
            long end = System.nanoTime() + millis * 1_000_000;
            while (System.nanoTime() < end) {
                java.util.concurrent.locks.LockSupport.parkNanos(end - System.nanoTime());
            }
        });
    }

    @Override
    public Detections detect(Frame frame) {
        if (closed) {
            throw new IllegalStateException("closed");
        }
        work.accept(frame);
        return new Detections(frame.width(), frame.height(), frame.captured(), new StageTimes(0, 0, 0), seen);
    }

    @Override
    public List<String> labels() {
        return List.of("thing");
    }

    @Override
    public String engine() {
        return "slow";
    }

    @Override
    public int inputWidth() {
        return 64;
    }

    @Override
    public int inputHeight() {
        return 64;
    }

    @Override
    public void close() {
        closed = true;
    }
}
