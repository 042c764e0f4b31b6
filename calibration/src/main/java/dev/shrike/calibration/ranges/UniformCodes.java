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

    /** The nearest real that has a code. */
    public double round(double real) {
        double code = Math.clamp(Math.rint(real / scale), -zero, (1 << bits) - 1 - zero);
        return code * scale;
    }

    /** The same as data of a graph. */
    public Quantization quantization() {
        return Quantization.perTensor(scale, zero, bits, false);
    }
}
