package dev.shrike.graph.quantization;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Quantization;

/**
 * How an engine stores the codes of an activation: in unsigned bytes, with one scale and zero point for all.
 * {@code real = scale * (code - zero)}. Signed codes are stored shifted by half their range: {@code code + 2^(bits-1)},
 * the zero point alike; so bipolar codes are stored as 0 and 2 about zero point 1.
 *
 * @param scale real distance of neighbouring codes
 * @param zero code of the real 0, within low to high
 * @param low smallest code, at least 0
 * @param high largest code, at most 255
 * @param bipolar whether {@code low} and {@code high} are the only codes
 */
public record QuantParams(float scale, int zero, int low, int high, boolean bipolar) {
    public QuantParams {
        if (!(scale > 0) || scale == Float.POSITIVE_INFINITY) {
            throw new IllegalArgumentException("scale " + scale);
        }
        if (low < 0 || high > 255 || zero < low || zero > high) {
            throw new IllegalArgumentException("zero point " + zero + " and codes " + low + " to " + high);
        }
    }

    /**
     * The stored form of these codes.
     *
     * @throws UnsupportedModelException if there are several scales or the zero point is no code
     */
    public static QuantParams of(Quantization quantization) {
        if (!quantization.isPerTensor()) {
            throw new UnsupportedModelException("an activation is quantised with a scale per index of axis "
                    + quantization.axis() + "; integer engines need one scale for the whole tensor");
        }
        int shift = quantization.signed() ? 1 << (quantization.bits() - 1) : 0;
        long zero = quantization.zeroPoint().longAt(0) + shift;
        int low = quantization.minCode() + shift;
        int high = quantization.maxCode() + shift;
        if (zero < low || zero > high) {
            throw new UnsupportedModelException("the zero point " + (zero - shift) + " of an activation is not within"
                    + " its codes " + quantization.minCode() + " to " + quantization.maxCode());
        }
        return new QuantParams(quantization.scale().floatAt(0), (int) zero, low, high, quantization.bipolar());
    }

    /** The code of a real: {@code clamp(rint(real / scale) + zero)}, division in float32; NaN gives the lowest. */
    public int quantize(float real) {
        if (bipolar) {
            return real >= 0 ? high : low;
        }
        double code = Math.rint(real / scale) + zero;
        return code > low ? (int) Math.min(code, high) : low;
    }

    /** {@code scale * (code - zero)} in float32. */
    public float dequantize(int code) {
        return scale * (code - zero);
    }

    /** Codes rounded from a float that already counts in codes, as every integer step does last. */
    int round(float position) {
        return round(position, low, high);
    }

    /** {@code clamp(rint(position), low, high)}; NaN gives the lowest. */
    static int round(float position, int low, int high) {
        double code = Math.rint(position);
        return code > low ? (int) Math.min(code, high) : low;
    }

    /** Bits that hold the largest code. */
    public int bits() {
        return Math.max(1, 32 - Integer.numberOfLeadingZeros(high));
    }
}
