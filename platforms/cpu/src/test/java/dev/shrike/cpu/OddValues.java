package dev.shrike.cpu;

import java.util.List;
import java.util.Random;

/** Numbers at the edges of what programs expect, and near a number that was there. */
final class OddValues {
    private static final long[] INTEGERS = {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128,
            255,
            256, 257, 1000, 1025, 4096, 65535, 65536, 1 << 20, (1 << 20) + 1, 1 << 24, 1 << 29, 1 << 30,
            Integer.MAX_VALUE - 1, Integer.MAX_VALUE, 1L << 31, (1L << 32) - 1, 1L << 32, 1L << 33, 1L << 40, 1L << 48,
            1L << 61, 1L << 62, Long.MAX_VALUE - 1, Long.MAX_VALUE};
    private static final double[] REALS = {0, -0.0, 1, -1, 0.5, 2, 100, -128, 255, 1e9, Double.NaN,
            Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Float.MIN_VALUE, Float.MIN_NORMAL, 1e-38, 1e38,
            Float.MAX_VALUE, -Float.MAX_VALUE, 1e300, 1e-300, 1.0000001, 4294967296.0, 9.3e18};

    private OddValues() {}

    /** An integer for one that is now {@code old}. */
    static long integer(Random random, long old) {
        return switch (random.nextInt(9)) {
            case 0, 1 -> INTEGERS[random.nextInt(INTEGERS.length)];
            case 2 -> -INTEGERS[random.nextInt(INTEGERS.length)];
            case 3 -> old + 1;
            case 4 -> old - 1;
            case 5 -> 2 * old;
            case 6 -> -old;
            default -> random.nextInt(24) - 4;
        };
    }

    /** A real number for one that is now {@code old}. */
    static double real(Random random, double old) {
        return switch (random.nextInt(5)) {
            case 0 -> -old;
            case 1 -> old * 2;
            case 2 -> Float.intBitsToFloat(random.nextInt());
            default -> REALS[random.nextInt(REALS.length)];
        };
    }

    /** One of a list. */
    static <T> T of(List<T> values, Random random) {
        return values.get(random.nextInt(values.size()));
    }
}
