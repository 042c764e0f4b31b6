package dev.shrike.sources;

import java.lang.foreign.MemorySegment;
import java.time.Clock;
import java.time.Instant;

/**
 * The wall clock by the monotonic one, without an object a frame. The two are compared every second, since a wall clock
 * may be set.
 */
final class WallClock {
    private static final long STALE = 1_000_000_000L;

    private final Clock clock;
    private final MemorySegment state = CLibrary.clockState();
    private long comparedNanos;
    private long comparedMicros;
    private boolean compared;
    private boolean synchronizedNow;

    WallClock(Clock clock) {
        this.clock = clock;
    }

    /** Microseconds since 1970 at a time of {@link System#nanoTime}, which is about now. */
    long microsAt(long nanos) {
        long now = System.nanoTime();
        if (!compared || now - comparedNanos > STALE) {
            Instant wall = clock.instant();
            comparedMicros = wall.getEpochSecond() * 1_000_000 + wall.getNano() / 1_000;
            comparedNanos = now;
            compared = true;
            synchronizedNow = CLibrary.clockSynchronized(state);
        }
        return comparedMicros + Math.floorDiv(nanos - comparedNanos, 1_000);
    }

    /** Whether the kernel's clock was synchronised when {@link #microsAt} last compared. */
    boolean isSynchronized() {
        return synchronizedNow;
    }
}
