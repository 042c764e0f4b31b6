package dev.shrike.calibration.activations;

/**
 * Keeps the heap near what lives in it, where the program lets it. A collector of the JVM lets the heap grow to its
 * limit, a quarter of the machine, before it looks at large arrays, and a run that drops matrices of many megabytes
 * then holds gigabytes of them.
 *
 * <p>In a library nobody collects: the heap belongs to others too. A program whose only work this is, as the command,
 * says how with {@link #collectBy}.
 */
public final class HeapGarbage {
    private static final long BYTES = 256L << 20;
    private static final Runnable NOT_AT_ALL = () -> {};

    private static volatile Runnable collector = NOT_AT_ALL;

    private long lived = used();

    /** Has garbage of this process collected so, {@code System::gc} for instance; null: not at all, as at first. */
    public static void collectBy(Runnable way) {
        collector = way == null ? NOT_AT_ALL : way;
    }

    /** Collects if the heap holds a good deal more than lived at the last collection. */
    public void check() {
        if (used() - lived > BYTES) {
            collector.run();
            lived = used();
        }
    }

    private static long used() {
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }
}
