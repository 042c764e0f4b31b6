package dev.shrike.graph.quantization;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Indices;
import dev.shrike.graph.Numbers;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.util.function.ToIntFunction;

/** Weights rounded to the nearest codes, symmetric about 0, with one scale per output channel. */
public final class WeightRounding {
    private WeightRounding() {}

    /** Codes and what they mean. */
    public record Rounded(Tensor codes, Quantization how) {}

    /**
     * The weights in {@code bits} bits. From three bits on the largest weight of a channel decides its scale
     * (min-max). Two bits give -1, 0, 1 or, where the squared error is smaller, -2 to 1. One bit gives -1 and +1 with
     * the mean of the absolute weights as scale, which has the least squared error (Rastegari et al. 2016, XNOR-Net,
     * equation 6).
     *
     * @param axis the dimension of the output channels
     */
    public static Rounded round(Tensor weights, int axis, int bits) {
        Shape shape = weights.shape();
        int channels = Math.toIntExact(shape.dim(axis));
        int inner = Indices.product(shape, axis + 1, shape.rank());
        double[] values = Numbers.floats(weights);
        ToIntFunction<Integer> channelOf = i -> i / inner % channels;
        double[] low = new double[channels];
        double[] high = new double[channels];
        double[] sum = new double[channels];
        for (int i = 0; i < values.length; i++) {
            int c = channelOf.applyAsInt(i);
            low[c] = Math.min(low[c], values[i]);
            high[c] = Math.max(high[c], values[i]);
            sum[c] += Math.abs(values[i]);
        }
        float[] scale = new float[channels];
        for (int c = 0; c < channels; c++) {
            double largest = Math.max(-low[c], high[c]);
            scale[c] = positive(switch (bits) {
                case 1 -> sum[c] * channels / Math.max(1, values.length);
                default -> largest / ((1 << (bits - 1)) - 1);
            });
        }
        if (bits == 2) {
            chooseLowest(values, channelOf, low, high, scale);
        }
        Tensor scales = Tensor.ofFloats(Shape.of(channels), scale);
        Quantization how = bits == 1 ? Quantization.bipolar(scales, axis)
                : new Quantization(scales, Tensor.of(DataType.INT32, scales.shape(), new long[channels]), bits, true,
                        bits > 2, axis);
        return new Rounded(QuantizationMath.codes(weights, how), how);
    }

    /** Replaces the scale of each channel by one for codes from -2 to 1 where that has the smaller error. */
    private static void chooseLowest(double[] values, ToIntFunction<Integer> channelOf, double[] low, double[] high,
            float[] scale) {
        float[] other = new float[scale.length];
        for (int c = 0; c < other.length; c++) {
            other[c] = positive(Math.max(-low[c] / 2, high[c]));
        }
        double[] errors = new double[scale.length];
        for (int i = 0; i < values.length; i++) {
            int c = channelOf.applyAsInt(i);
            errors[c] += squaredError(values[i], other[c]) - squaredError(values[i], scale[c]);
        }
        for (int c = 0; c < scale.length; c++) {
            scale[c] = errors[c] < 0 ? other[c] : scale[c];
        }
    }

    private static double squaredError(double value, float scale) {
        double error = value - scale * Math.clamp(Math.rint(value / scale), -2, 1);
        return error * error;
    }

    /** The scale as a positive float; a channel of zeros may have any. */
    private static float positive(double scale) {
        return Math.max((float) scale, 1e-30f);
    }
}
