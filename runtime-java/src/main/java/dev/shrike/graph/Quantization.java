package dev.shrike.graph;

import java.util.Objects;

/**
 * How a tensor is quantised: {@code real = scale * (code - zeroPoint)}, codes rounded half to even and clamped.
 *
 * @param scale positive scales: a scalar, or one per index of {@code axis}
 * @param zeroPoint zero points, of the same shape as the scale
 * @param bits width of a code, 1 to 8
 * @param signed whether codes are two's complement
 * @param narrow whether the lowest signed code is left out, so that codes are symmetric about 0
 * @param axis the dimension that has scales of its own, or -1 for one scale per tensor
 */
public record Quantization(Tensor scale, Tensor zeroPoint, int bits, boolean signed, boolean narrow, int axis) {
    public Quantization {
        Objects.requireNonNull(scale, "scale");
        Objects.requireNonNull(zeroPoint, "zeroPoint");
        if (bits < 1 || bits > 8) {
            throw new IllegalArgumentException("width " + bits + " is not within 1 to 8 bits");
        }
        if (axis < -1) {
            throw new IllegalArgumentException("axis " + axis);
        }
    }

    /** The smallest code. */
    public int minCode() {
        return signed ? -(1 << (bits - 1)) + (narrow ? 1 : 0) : 0;
    }

    /** The largest code. */
    public int maxCode() {
        return signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1 - (narrow ? 1 : 0);
    }
}
