package dev.shrike.graph.quantization;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Tensor;

/**
 * Codes of 8 bits over the range of a tensor that is at hand, as ONNX's DynamicQuantizeLinear has them. All in float32,
 * every operation rounded by itself:
 *
 * <pre>{@code
 * min, max = the least and the largest of 0 and all finite elements
 * scale = (max - min) / 255, or max / 255 - min / 255 where that is infinite; at least 2^-126; 1 if all are 0
 * zero  = clamp(rint(-min / scale), 0, 255)
 * code  = clamp(rint(x / scale) + zero, 0, 255)
 * }</pre>
 *
 * Infinities get the first or the last code and NaN the first one, as wherever floats become codes.
 */
public final class DynamicQuantParams {
    private static final int HIGH = 255;

    private DynamicQuantParams() {}

    /** The codes for a tensor of FLOAT32. */
    public static QuantParams of(Tensor x) {
        float min = 0;
        float max = 0;
        for (long i = 0; i < x.elements(); i++) {
            float value = x.floatAt(i);
            if (Float.isFinite(value)) {
                min = Math.min(min, value);
                max = Math.max(max, value);
            }
        }
        return of(min, max);
    }

    /** The codes for values from {@code min} to {@code max}, both finite, 0 among them. */
    public static QuantParams of(float min, float max) {
        float scale = (max - min) / HIGH;
        if (scale == Float.POSITIVE_INFINITY) {
            scale = max / HIGH - min / HIGH;
        }
        scale = max == min ? 1 : Math.max(scale, Float.MIN_NORMAL);
        int zero = (int) Math.rint(Math.min(-min / scale, HIGH));
        return new QuantParams(scale, zero, 0, HIGH, false);
    }

    /** The stored codes of a tensor. */
    public static Tensor codes(Tensor x, QuantParams how) {
        long[] codes = new long[Math.toIntExact(x.elements())];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = how.quantize(x.floatAt(i));
        }
        return Tensor.of(DataType.UINT8, x.shape(), codes);
    }

    /** The floats that codes stand for. */
    public static Tensor floats(Tensor codes, QuantParams how) {
        float[] floats = new float[Math.toIntExact(codes.elements())];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = how.dequantize((int) codes.longAt(i));
        }
        return Tensor.ofFloats(codes.shape(), floats);
    }
}
