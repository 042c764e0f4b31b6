package dev.shrike.training.qat;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.util.Arrays;
import java.util.function.Function;

/**
 * A quantised convolution whose weights, steps and bias are learned.
 *
 * @param node name of its node
 * @param weights name of its weights: the codes of the quantised network, floats in its twin
 * @param how the codes that were given, with a scale for each output channel
 * @param normalized whether batch normalisation follows in the twin
 */
public record QuantizedLayer(String node, String weights, Quantization how, boolean normalized) {
    /** Name of the gammas. */
    public String gamma() {
        return node + ".norm.gamma";
    }

    /** Name of the betas, or of the bias where nothing is normalised. */
    public String beta() {
        return node + ".norm.beta";
    }

    /** Name of the running means. */
    public String mean() {
        return node + ".norm.mean";
    }

    /** Name of the running variances. */
    public String variance() {
        return node + ".norm.variance";
    }

    /** Name of what the convolution gives to its batch normalisation. */
    public String sums() {
        return node + ".sums";
    }

    /** Name of the logarithms of each step, as a factor of the given one. */
    public String step() {
        return node + ".step";
    }

    /** Number of output channels. */
    public int rows() {
        return (int) how.scale().elements();
    }

    /**
     * The same layer with codes of so many bits. The range stays that of the given codes but for the last step, so
     * steps double with each bit less; weights in units of the given steps are to be halved as often.
     */
    public QuantizedLayer withBits(int bits) {
        return bits == how.bits() ? this : new QuantizedLayer(node, weights, CodeWidth.of(how, bits), normalized);
    }

    /** What has become of each step, as a factor of the given one. */
    float[] factors(Function<String, float[]> learned) {
        float[] factors = learned.apply(step()).clone();
        for (int row = 0; row < factors.length; row++) {
            factors[row] = (float) Math.exp(factors[row]);
        }
        return factors;
    }

    /** The codes of what was learned: {@code clamp(rint(weight / factor) + zero)}, of one bit the sign. */
    Tensor codes(Function<String, float[]> learned, Tensor given) {
        float[] weights = learned.apply(weights());
        float[] factors = factors(learned);
        int depth = weights.length / factors.length;
        long[] codes = new long[weights.length];
        for (int i = 0; i < codes.length; i++) {
            int row = i / depth;
            if (how.bipolar()) {
                codes[i] = weights[i] >= 0 ? 1 : -1;
                continue;
            }
            double position = Math.rint(weights[i] / factors[row]) + how.zeroPoint().longAt(row);
            codes[i] = (long) Math.clamp(position, how.minCode(), how.maxCode());
        }
        return Tensor.of(given.type() == DataType.UINT8 ? DataType.UINT8 : DataType.INT8, given.shape(), codes);
    }

    /** What the codes stand for: batch normalisation goes into their scales. */
    Quantization quantization(Function<String, float[]> learned) {
        float[] scales = factors(learned);
        double[] gains = gains(learned);
        for (int row = 0; row < scales.length; row++) {
            scales[row] = (float) (scales[row] * how.scale().floatAt(row) * gains[row]);
        }
        return new Quantization(Tensor.ofFloats(how.scale().shape(), scales), how.zeroPoint(), how.bits(),
                how.signed(), how.narrow(), how.axis(), how.bipolar());
    }

    /** What batch normalisation multiplies each channel with. */
    private double[] gains(Function<String, float[]> learned) {
        double[] gains = new double[rows()];
        Arrays.fill(gains, 1);
        if (normalized) {
            float[] gamma = learned.apply(gamma());
            float[] variance = learned.apply(variance());
            for (int row = 0; row < gains.length; row++) {
                gains[row] = gamma[row] / Math.sqrt((double) variance[row] + QuantizedTwin.EPSILON);
            }
        }
        return gains;
    }

    /** The bias, with the shift of batch normalisation. */
    Tensor bias(Function<String, float[]> learned) {
        float[] bias = learned.apply(beta()).clone();
        if (normalized) {
            float[] mean = learned.apply(mean());
            double[] gains = gains(learned);
            for (int row = 0; row < bias.length; row++) {
                bias[row] = (float) (bias[row] - mean[row] * gains[row]);
            }
        }
        return Tensor.ofFloats(Shape.of(bias.length), bias);
    }
}
