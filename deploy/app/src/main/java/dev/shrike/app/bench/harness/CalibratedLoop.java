package dev.shrike.app.bench.harness;

/**
 * A loop whose number of cycles is known, which tells how quick the core really is: what the kernel says of the clock
 * can
 * be wrong. Each of its steps waits for the one before, so it takes the same cycles on every core that runs simple
 * instructions in one: six a step, on a Cortex-A72 three of two.
 */
public final class CalibratedLoop {
    private static final int STEPS = 40_000;
    private static final int CYCLES = 6;
    private static final int WARM_UP = 300;

    private long state = 88172645463325252L;

    /** A loop that is compiled already. */
    public CalibratedLoop() {
        for (int i = 0; i < WARM_UP; i++) {
            nanos();
        }
    }

    /** Time of the loop now, in nanoseconds. */
    public long nanos() {
        long start = System.nanoTime();
        state = steps(state);
        return System.nanoTime() - start;
    }

    /** The clock that the time of a loop stands for, in gigahertz. */
    public static double gigahertz(double nanos) {
        return (double) STEPS * CYCLES / nanos;
    }

    /** Marsaglia's xorshift; it never becomes 0, so nothing of it can be left out. */
    private static long steps(long seed) {
        long x = seed;
        for (int i = 0; i < STEPS; i++) {
            x ^= x << 13;
            x ^= x >>> 7;
            x ^= x << 17;
        }
        return x;
    }
}
