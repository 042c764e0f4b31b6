package dev.shrike.live;

import dev.shrike.Detections;
import dev.shrike.Detector;
import dev.shrike.Frame;
import dev.shrike.sources.FrameSource;
import dev.shrike.sources.SourceState;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;

/**
 * Runs a detector on the newest frame of a source. One thread captures and never waits for the detector, another
 * detects; between them is one slot, in which a newer frame replaces an older one. So a result is never older than one
 * detection, one frame and the time in the source, however slow the detector is.
 *
 * <ol>
 *   <li>{@link #start} it; results go to the listener.
 *   <li>{@link #close} it, from any thread but within the listener: both threads end and the source is closed. The
 *   detector stays open, it is the caller's.
 * </ol>
 */
public final class LiveDetector implements AutoCloseable {
    /** Which frames are run. */
    public enum Mode {
        /** The newest; those that came meanwhile are dropped and counted. */
        NEWEST,
        /** All of them, for files: capturing waits for the detector. */
        EVERY
    }

    private static final Duration LONGEST_CLOSE = Duration.ofSeconds(10);

    private final FrameSource source;
    private final Detector detector;
    private final LiveListener listener;
    private final Mode mode;
    private final FrameSlot slot = new FrameSlot();
    private final FrameLeases leases;
    private final Thread capture;
    private final Thread detection;
    private volatile boolean closed;
    private volatile long captured;
    private volatile long detected;
    private volatile long dropped;
    private volatile long failed;
    private volatile long ageNanos;

    private LiveDetector(FrameSource source, Detector detector, LiveListener listener, Mode mode) {
        this.source = Objects.requireNonNull(source, "source");
        this.detector = Objects.requireNonNull(detector, "detector");
        this.listener = Objects.requireNonNull(listener, "listener");
        this.mode = Objects.requireNonNull(mode, "mode");
        leases = new FrameLeases(source);
        capture = Thread.ofPlatform().name("shrike-capture " + source.name()).daemon().unstarted(this::capture);
        detection = Thread.ofPlatform().name("shrike-detect " + source.name()).daemon().unstarted(this::detect);
    }

    /**
     * Starts to run the newest frame of a source.
     *
     * @param source is closed with the live detector
     * @param detector is used by one thread of the live detector's own until that is closed; stays open
     */
    public static LiveDetector start(FrameSource source, Detector detector, LiveListener listener) {
        return start(source, detector, listener, Mode.NEWEST);
    }

    /** The same with the frames that are wanted. */
    public static LiveDetector start(FrameSource source, Detector detector, LiveListener listener, Mode mode) {
        LiveDetector live = new LiveDetector(source, detector, listener, mode);
        source.listen(live::tellState);
        live.detection.start();
        live.capture.start();
        return live;
    }

    private void tellState(SourceState state) {
        try {
            listener.onSourceChanged(state);
        } catch (RuntimeException | Error e) {
            tellError(e);
        }
    }

    private void capture() {
        try {
            while (!closed) {
                Optional<Frame> next = source.next();
                if (next.isEmpty()) {
                    return;
                }
                captured++;
                hand(leases.keep(next.get()));
            }
        } catch (InterruptedException e) {
            // close() interrupts; nobody else knows this thread.
        } catch (RuntimeException | Error e) {
            if (!closed) {
                tellError(e);
            }
        } finally {
            slot.end();
        }
    }

    private void hand(Frame kept) throws InterruptedException {
        Frame left = kept;
        try {
            left = mode == Mode.EVERY ? slot.putWhenEmpty(kept) : slot.put(kept);
        } finally {
            if (left != null) {
                dropped++;
                leases.release(left);
            }
        }
    }

    private void detect() {
        try {
            for (Frame frame = slot.take(); frame != null; frame = slot.take()) {
                detect(frame);
            }
        } catch (InterruptedException e) {
            return;
        } finally {
            Frame left = slot.abandon();
            if (left != null) {
                leases.release(left);
            }
        }
        if (!closed) {
            try {
                listener.onEnd();
            } catch (RuntimeException | Error e) {
                tellError(e);
            }
        }
    }

    private void detect(Frame frame) {
        try {
            if (closed) {
                return;
            }
            // Capture times of files are those of the video.
            long since = source.live() ? frame.capturedNanos() : System.nanoTime();
            Detections found = detector.detect(frame);
            long age = System.nanoTime() - since;
            ageNanos = age;
            detected++;
            listener.onResult(new LiveResult(frame, found, age, dropped));
        } catch (RuntimeException | Error e) {
            failed++;
            if (!closed) {
                tellError(e);
            }
        } finally {
            leases.release(frame);
        }
    }

    private void tellError(Throwable error) {
        try {
            listener.onError(error);
        } catch (RuntimeException | Error e) {
            Thread.UncaughtExceptionHandler handler = Thread.currentThread().getUncaughtExceptionHandler();
            handler.uncaughtException(Thread.currentThread(), e);
        }
    }

    /** What was done so far; from any thread. */
    public LiveStatus status() {
        return new LiveStatus(captured, detected, dropped, failed, ageNanos, detection.isAlive() || capture.isAlive());
    }

    /** How the source does; from any thread. */
    public SourceState sourceState() {
        return source.state();
    }

    /**
     * Waits until the source has ended and its last frame was run.
     *
     * @return whether that is so, rather than that the time is over
     */
    public boolean await(Duration longest) throws InterruptedException {
        long end = System.nanoTime() + longest.toNanos();
        return detection.join(longest) && capture.join(Duration.ofNanos(Math.max(0, end - System.nanoTime())));
    }

    /**
     * Ends both threads and closes the source. Waits for the frame that is being run, but no longer than 10 seconds: a
     * detector or listener that is stuck then keeps its thread and its frame. From the listener it returns at once, and
     * the threads end after it.
     */
    @Override
    public void close() {
        closed = true;
        source.close();
        capture.interrupt();
        slot.end();
        boolean interrupted = false;
        long end = System.nanoTime() + LONGEST_CLOSE.toNanos();
        for (Thread thread : new Thread[] {capture, detection}) {
            while (thread != Thread.currentThread() && thread.isAlive() && System.nanoTime() < end) {
                try {
                    boolean ignored = thread.join(Duration.ofNanos(Math.max(1, end - System.nanoTime())));
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
