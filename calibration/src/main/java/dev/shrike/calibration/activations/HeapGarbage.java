package dev.shrike.calibration.activations;

/**
 * Keeps the heap near what lives in it. A collector of the JVM lets the heap grow to its limit, a quarter of the
 * machine, before it looks at large arrays, and a run that drops matrices of many megabytes then holds gigabytes of
 * them.
 */
public final class HeapGarbage {
    private static final long BYTES = 256L << 20;

    private long lived = used();

    /** Collects if the heap holds a good deal more than lived at the last collection. */
    public void check() {
        if (used() - lived > BYTES) {
            System.gc();
            lived = used();
        }
    }

    private static long used() {
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }
}
