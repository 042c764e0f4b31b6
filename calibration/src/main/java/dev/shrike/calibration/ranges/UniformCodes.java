package dev.shrike.calibration.ranges;

import dev.shrike.graph.Quantization;

/**
 * Evenly spaced unsigned codes with a zero point among them: {@code real = scale * (code - zero)}.
 *
 * @param scale positive distance of neighbours
 * @param zero code of the real 0, 0 to {@code 2^bits - 1}
 * @param bits width of a code, 1 to 8
 */
public record UniformCodes(float scale, int zero, int bits) {
    private static final float SMALLEST = 1e-30f;
    private static final int MIDDLE = 128;

    public UniformCodes {
        if (!(scale > 0) || scale == Float.POSITIVE_INFINITY || bits < 1 || bits > 8 || zero < 0
                || zero >= 1 << bits) {
            throw new IllegalArgumentException("scale " + scale + ", zero point " + zero + ", " + bits + " bits");
        }
    }

    /** Codes that just cover the range and 0, up to the rounding of the zero point. */
    public static UniformCodes covering(Range range, int bits) {
        Range whole = range.withZero();
        int steps = (1 << bits) - 1;
        float scale = (float) Math.max((whole.high() - whole.low()) / steps, SMALLEST);
        int zero = (int) Math.clamp(Math.rint(-whole.low() / scale), 0, steps);
        return new UniformCodes(scale, zero, bits);
    }

    /** Those of 8 bits with the zero point in their middle, 128, that just cover the range. */
    public static UniformCodes symmetric(Range range) {
        double scale = Math.max(-range.low() / MIDDLE, range.high() / (MIDDLE - 1));
        return new UniformCodes((float) Math.max(scale, SMALLEST), MIDDLE, 8);
    }

    /** The nearest real that has a code. */
    public double round(double real) {
        double code = Math.clamp(Math.rint(real / scale), -zero, (1 << bits) - 1 - zero);
        return code * scale;
    }

    /**
     * The same as data of a graph, with signed codes and zero point 0.
     *
     * @throws IllegalStateException if the zero point is not in the middle of 8 bits
     */
    public Quantization symmetricQuantization() {
        if (bits != 8 || zero != MIDDLE) {
            throw new IllegalStateException("zero point " + zero + " of " + bits + " bits is not in their middle");
        }
        return Quantization.perTensor(scale, 0, bits, true);
    }

    /** The same as data of a graph. */
    public Quantization quantization() {
        return Quantization.perTensor(scale, zero, bits, false);
    }
}
