package dev.shrike.app.serve;

import dev.shrike.Detections;
import dev.shrike.Detector;
import dev.shrike.DeviceException;
import dev.shrike.Frame;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * One engine that several cameras take turns with, first come, first served: a camera with more frames a second gets no
 * more than its turn. It knows how long the running frame has been at it, and ends the service where going on makes no
 * sense: when the process has lost its GPU, or nothing but failures come.
 */
final class SharedDetector implements Detector {
    private final Detector detector;
    private final int mostFailures;
    private final Consumer<String> fatal;
    private final ReentrantLock turn = new ReentrantLock(true);
    private volatile long since;
    private int failures;

    /**
     * @param mostFailures detections that may fail one after another
     * @param fatal is told why the service has to end
     */
    SharedDetector(Detector detector, int mostFailures, Consumer<String> fatal) {
        this.detector = detector;
        this.mostFailures = mostFailures;
        this.fatal = fatal;
    }

    @Override
    public Detections detect(Frame frame) {
        turn.lock();
        try {
            since = System.nanoTime() | 1;
            Detections found = detector.detect(frame);
            failures = 0;
            return found;
        } catch (DeviceException e) {
            // A sticky CUDA error stays for the life of the process.
            failed(e, String.valueOf(e.getMessage()).contains("restart the process"));
            throw e;
        } catch (OutOfMemoryError | RuntimeException e) {
            failed(e, false);
            throw e;
        } finally {
            since = 0;
            turn.unlock();
        }
    }

    private void failed(Throwable e, boolean forGood) {
        failures++;
        if (forGood || failures >= mostFailures) {
            fatal.accept(forGood ? String.valueOf(e.getMessage())
                    : failures + " detections failed one after another, the last with: " + e.getMessage());
        }
    }

    /** Seconds that the running frame has taken so far; 0 if none runs. */
    long busySeconds(long now) {
        long began = since;
        return began == 0 ? 0 : Math.max(0, TimeUnit.NANOSECONDS.toSeconds(now - began));
    }

    @Override
    public List<String> labels() {
        return detector.labels();
    }

    @Override
    public String engine() {
        return detector.engine();
    }

    @Override
    public List<String> notes() {
        return detector.notes();
    }

    @Override
    public int inputWidth() {
        return detector.inputWidth();
    }

    @Override
    public int inputHeight() {
        return detector.inputHeight();
    }

    @Override
    public void close() {
        detector.close();
    }
}
