package dev.shrike.app.serve;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.Detector;
import dev.shrike.Frame;
import dev.shrike.StageTimes;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** A detector that always sees one person, until it is told to fail or to hang. */
final class ScriptedDetector implements Detector {
    private final CountDownLatch released = new CountDownLatch(1);
    private volatile RuntimeException failure;
    private volatile boolean hanging;
    private volatile boolean closed;

    void fail(RuntimeException with) {
        failure = with;
    }

    /** The next frame takes until {@link #release}. */
    void hang() {
        hanging = true;
    }

    void release() {
        hanging = false;
        released.countDown();
    }

    boolean closed() {
        return closed;
    }

    @Override
    public Detections detect(Frame frame) {
        if (hanging) {
            try {
                released.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        if (failure != null) {
            throw failure;
        }
        return new Detections(frame.width(), frame.height(), frame.captured(), new StageTimes(1000, 2000, 500),
                List.of(new Detection(0, "person", 0.9f, 10, 10, 30, 40)));
    }

    @Override
    public List<String> labels() {
        return List.of("person", "dog");
    }

    @Override
    public String engine() {
        return "scripted";
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
