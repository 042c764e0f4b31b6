package dev.shrike.app.outputs;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.StageTimes;
import dev.shrike.sources.SourceState;
import dev.shrike.tracking.Track;
import dev.shrike.tracking.TrackEvent;
import java.time.Instant;
import java.util.List;
import java.util.function.BooleanSupplier;

/** Messages for tests. */
public final class Samples {
    public static final ServiceRun RUN = new ServiceRun("0123abcd");
    private static final int PATIENCE_SECONDS = 30;

    private Samples() {}

    public static Detection person(float x) {
        return new Detection(0, "person", .9f, x, 100, x + 40, 200);
    }

    public static Track track(long id, Detection box, long hits, long nanos) {
        return new Track(id, box, nanos - 1_000_000_000, nanos, hits, 12.5f, -3);
    }

    /** A frame with a person that is tracked. */
    public static Message.FrameResult frame(String camera, long sequence) {
        return frame(camera, sequence, person(10));
    }

    public static Message.FrameResult frame(String camera, long sequence, Detection seen) {
        long nanos = System.nanoTime();
        Detections detections = new Detections(640, 480, Instant.now(), new StageTimes(1_000_000, 40_000_000, 500_000),
                List.of(seen));
        return new Message.FrameResult(camera, sequence, nanos, true, 50_000_000, 3, detections,
                List.of(track(7, seen, sequence + 1, nanos)));
    }

    public static Message.Tracked event(TrackEvent.Kind kind, String camera, long id, long hits) {
        return event(kind, camera, id, hits, person(10));
    }

    public static Message.Tracked event(TrackEvent.Kind kind, String camera, long id, long hits, Detection box) {
        long nanos = System.nanoTime();
        return new Message.Tracked(new TrackEvent(kind, camera, track(id, box, hits, nanos), nanos));
    }

    public static Message.SourceChanged source(String camera, SourceState.Phase phase, String reason) {
        return new Message.SourceChanged(camera, new SourceState(phase, reason, 100, 2));
    }

    /** Waits, for as long as it may take on a machine under load. */
    public static void await(String what, BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE_SECONDS * 1_000_000_000L;
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("waited in vain: " + what);
            }
            Thread.sleep(5);
        }
    }
}
