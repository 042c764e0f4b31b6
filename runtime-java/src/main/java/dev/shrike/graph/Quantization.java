package dev.shrike.graph;

import java.util.Objects;

/**
 * How a tensor is quantised: {@code real = scale * (code - zeroPoint)}, codes rounded half to even and clamped.
 *
 * <p>A bipolar tensor has one bit: its codes are -1 and +1, its zero point is 0, and a real becomes +1 if it is 0 or
 * more.
 *
 * @param scale positive scales: a scalar, or one per index of {@code axis}
 * @param zeroPoint zero points, of the same shape as the scale
 * @param bits width of a code, 1 to 8
 * @param signed whether codes are two's complement
 * @param narrow whether the lowest signed code is left out, so that codes are symmetric about 0
 * @param axis the dimension that has scales of its own, or -1 for one scale per tensor
 * @param bipolar whether the single bit stands for -1 and +1
 */
public record Quantization(
        Tensor scale, Tensor zeroPoint, int bits, boolean signed, boolean narrow, int axis, boolean bipolar) {
    public Quantization {
        Objects.requireNonNull(scale, "scale");
        Objects.requireNonNull(zeroPoint, "zeroPoint");
        if (bits < 1 || bits > 8) {
            throw new IllegalArgumentException("width " + bits + " is not within 1 to 8 bits");
        }
        if (axis < -1) {
            throw new IllegalArgumentException("axis " + axis);
        }
        if (scale.elements() != zeroPoint.elements() || (axis == -1 && scale.elements() != 1)) {
            throw new IllegalArgumentException(scale.elements() + " scales and " + zeroPoint.elements()
                    + " zero points" + (axis == -1 ? " for a whole tensor" : ""));
        }
        if (bipolar && (bits != 1 || !signed)) {
            throw new IllegalArgumentException("bipolar codes have one signed bit, not " + bits);
        }
    }

    /** Codes of which none is bipolar. */
    public Quantization(Tensor scale, Tensor zeroPoint, int bits, boolean signed, boolean narrow, int axis) {
        this(scale, zeroPoint, bits, signed, narrow, axis, false);
    }

    /** One scale and zero point for a whole tensor. */
    public static Quantization perTensor(float scale, int zeroPoint, int bits, boolean signed) {
        return new Quantization(Tensor.scalar(scale), Tensor.of(DataType.INT32, Shape.of(), zeroPoint), bits, signed,
                false, -1);
    }

    /** Codes -1 and +1; scales as in {@link #scale()}. */
    public static Quantization bipolar(Tensor scale, int axis) {
        Tensor zero = Tensor.of(DataType.INT32, scale.shape(), new long[Math.toIntExact(scale.elements())]);
        return new Quantization(scale, zero, 1, true, false, axis, true);
    }

    /** The smallest code. */
    public int minCode() {
        return signed ? -(1 << (bits - 1)) + (narrow ? 1 : 0) : 0;
    }

    /** The largest code. */
    public int maxCode() {
        if (bipolar) {
            return 1;
        }
        return signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1 - (narrow ? 1 : 0);
    }

    /** Whether the whole tensor has one scale. */
    public boolean isPerTensor() {
        return scale.elements() == 1;
    }

    /** Whether both have the same codes for the same floats: equal scales, zero points and codes. */
    public boolean isSameAs(Quantization other) {
        boolean same = bipolar == other.bipolar && minCode() == other.minCode() && maxCode() == other.maxCode()
                && scale.elements() == other.scale.elements() && (isPerTensor() || axis == other.axis);
        for (long i = 0; same && i < scale.elements(); i++) {
            same = scale.floatAt(i) == other.scale.floatAt(i) && zeroPoint.longAt(i) == other.zeroPoint.longAt(i);
        }
        return same;
    }
}
