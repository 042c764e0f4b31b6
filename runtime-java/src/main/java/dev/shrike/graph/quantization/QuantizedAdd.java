package dev.shrike.graph.quantization;

import dev.shrike.graph.Quantization;

/**
 * The sum of two quantised values as codes: {@code clamp(rint((x * a + y * b) + c))}, every operation rounded to
 * float32. With {@code a = sx / so}, {@code b = sy / so} and {@code c = zo - (zx * sx + zy * sy) / so} that is the code
 * of the sum of the floats.
 *
 * @param a what one code of x weighs, in codes of the sum
 * @param b what one code of y weighs
 * @param c what the zero points add
 * @param low smallest code of the sum
 * @param high largest code of the sum
 */
public record QuantizedAdd(float a, float b, float c, int low, int high) {
    /** The sum of x and y as codes of {@code out}, a, b and c computed in double. */
    public static QuantizedAdd of(Quantization x, Quantization y, Quantization out) {
        QuantParams first = QuantParams.of(x);
        QuantParams second = QuantParams.of(y);
        QuantParams sum = QuantParams.of(out);
        double scale = sum.scale();
        double zeros = first.zero() * (double) first.scale() + second.zero() * (double) second.scale();
        return new QuantizedAdd((float) (first.scale() / scale), (float) (second.scale() / scale),
                (float) (sum.zero() - zeros / scale), sum.low(), sum.high());
    }

    /** The code of the sum. */
    public int code(int x, int y) {
        float left = x * a;
        float right = y * b;
        float both = left + right;
        return QuantParams.round(both + c, low, high);
    }
}
