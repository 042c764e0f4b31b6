package dev.shrike.sources;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * How long to wait before each further attempt: twice as long each time up to 10 seconds, less up to a quarter at
 * random, so that cameras that were lost together do not come back together. Never the last.
 */
final class BackOff {
    private static final double JITTER = 0.25;

    private final long first;
    private final long longest;
    private final RandomGenerator random;
    private long next;

    BackOff(RandomGenerator random) {
        this(Duration.ofMillis(500), Duration.ofSeconds(10), random);
    }

    BackOff(Duration first, Duration longest, RandomGenerator random) {
        this.first = first.toNanos();
        this.longest = longest.toNanos();
        this.random = random;
        reset();
    }

    /** Nanoseconds to wait before the next attempt. */
    long nextNanos() {
        long wait = next - (long) (next * JITTER * random.nextDouble());
        next = Math.min(longest, 2 * next);
        return wait;
    }

    /** An attempt has succeeded. */
    void reset() {
        next = Math.min(first, longest);
    }
}
