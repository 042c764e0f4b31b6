package dev.shrike.jetson.execution;

import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * Two ways to the same end, each tried several times in turn. The quickest time of each counts: what is slower was
 * slowed by something else, or by code that was not compiled yet.
 *
 * @param first nanoseconds of the first way
 * @param second nanoseconds of the second way
 */
record AutoTuned(long first, long second) {
    /** Enough for the compiler of the JVM to have seen a loop over the boxes of a network often. */
    private static final int ROUNDS = 24;

    /** The ways measured on the clock, which gives nanoseconds. */
    static AutoTuned measure(LongSupplier clock, Runnable firstWay, Runnable secondWay) {
        long first = Long.MAX_VALUE;
        long second = Long.MAX_VALUE;
        for (int round = 0; round < ROUNDS; round++) {
            first = Math.min(first, time(clock, firstWay));
            second = Math.min(second, time(clock, secondWay));
        }
        return new AutoTuned(first, second);
    }

    private static long time(LongSupplier clock, Runnable way) {
        long start = clock.getAsLong();
        way.run();
        return clock.getAsLong() - start;
    }

    boolean secondWins() {
        return second < first;
    }

    /** Both times in milliseconds: {@code "1.40 ms and 0.12 ms"}. */
    String describe() {
        return String.format(Locale.ROOT, "%.2f ms and %.2f ms", first / 1e6, second / 1e6);
    }
}
