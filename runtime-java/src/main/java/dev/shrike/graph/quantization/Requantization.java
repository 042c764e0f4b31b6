package dev.shrike.graph.quantization;

import dev.shrike.graph.Activation;
import java.util.Objects;

/**
 * The way from the exact int32 sum of a convolution or product to its result, per output channel:
 * {@code (float) sum * multiplier + offset} in float32, rounded after the multiplication and after the addition, never
 * fused. For codes the result is rounded half to even and clamped to {@code low} to {@code high}. Every engine must do
 * precisely this.
 *
 * @param multiplier one per output channel
 * @param offset one per output channel
 * @param low smallest code; unused for floats
 * @param high largest code; unused for floats
 */
public record Requantization(float[] multiplier, float[] offset, int low, int high) {
    /** Sums for which twice their distance from any of them is exact in float32. */
    public static final int LARGEST_SIGNED_SUM = (1 << 22) - 1;

    public Requantization {
        Objects.requireNonNull(multiplier, "multiplier");
        if (multiplier.length != offset.length) {
            throw new IllegalArgumentException(multiplier.length + " multipliers and " + offset.length + " offsets");
        }
        if (low > high) {
            throw new IllegalArgumentException("codes from " + low + " to " + high);
        }
    }

    /**
     * To the codes of {@code to}: {@code multiplier = (float) (sx * sw / sy)} and
     * {@code offset = (float) (bias / sy + zy)}, computed in double.
     *
     * @param from codes of the input
     * @param weights scales of the weights, one per output channel
     * @param bias real biases, one per output channel, or null
     * @param to codes of the result; not bipolar
     */
    public static Requantization toCodes(QuantParams from, double[] weights, double[] bias, QuantParams to) {
        float[] multiplier = new float[weights.length];
        float[] offset = new float[weights.length];
        for (int i = 0; i < weights.length; i++) {
            multiplier[i] = (float) (from.scale() * weights[i] / to.scale());
            offset[i] = (float) ((bias == null ? 0 : bias[i]) / to.scale() + to.zero());
        }
        return new Requantization(multiplier, offset, to.low(), to.high());
    }

    /** To floats: {@code multiplier = (float) (sx * sw)} and {@code offset = (float) bias}. */
    public static Requantization toReals(QuantParams from, double[] weights, double[] bias) {
        float[] multiplier = new float[weights.length];
        float[] offset = new float[weights.length];
        for (int i = 0; i < weights.length; i++) {
            multiplier[i] = (float) (from.scale() * weights[i]);
            offset[i] = (float) (bias == null ? 0 : bias[i]);
        }
        return new Requantization(multiplier, offset, 0, 255);
    }

    /**
     * To bipolar codes, 0 and 2: the sign of {@link #toReals}' result, exactly. That result grows or falls with the
     * sum, so there is a sum at which the sign changes; {@code multiplier} is 2 or -2 and {@code offset} puts code 2
     * there.
     *
     * @param largest no sum exceeds it by its absolute value; at most {@link #LARGEST_SIGNED_SUM}
     */
    public static Requantization toSigns(QuantParams from, double[] weights, double[] bias, int largest) {
        if (largest < 0 || largest > LARGEST_SIGNED_SUM) {
            throw new IllegalArgumentException("sums up to " + largest);
        }
        Requantization floats = toReals(from, weights, bias);
        float[] multiplier = new float[weights.length];
        float[] offset = new float[weights.length];
        for (int i = 0; i < weights.length; i++) {
            int sign = floats.multiplier[i] < 0 ? -1 : 1;
            // The smallest k with a result of 0 or more at the sum of k * sign; one beyond all sums if there is none.
            int low = -largest;
            int high = largest + 1;
            while (low < high) {
                int middle = Math.floorDiv(low + high, 2);
                if (floats.real(i, middle * sign) >= 0) {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            multiplier[i] = 2 * sign;
            offset[i] = 2 - 2 * low;
        }
        return new Requantization(multiplier, offset, 0, 2);
    }

    /** Whether the activation only narrows the codes of the result: none, ReLU or clipping. */
    public static boolean canClamp(Activation activation) {
        return switch (activation.kind()) {
            case NONE, RELU, CLIP -> true;
            case SILU, LEAKY_RELU, SIGMOID, HARD_SIGMOID, HARD_SWISH, TANH -> false;
        };
    }

    /** The same with the codes narrowed to what the activation leaves of them. */
    public Requantization clamped(Activation activation, QuantParams to) {
        return switch (activation.kind()) {
            case NONE -> this;
            case RELU -> new Requantization(multiplier, offset, Math.max(low, to.zero()), high);
            case CLIP -> {
                int least = to.quantize(activation.alpha());
                yield new Requantization(multiplier, offset, least, Math.max(least, to.quantize(activation.beta())));
            }
            case SILU, LEAKY_RELU, SIGMOID, HARD_SIGMOID, HARD_SWISH, TANH ->
                throw new IllegalArgumentException(activation.kind() + " is no clamping of codes");
        };
    }

    /** The real result of a sum. */
    public float real(int channel, int sum) {
        float product = sum * multiplier[channel];
        return product + offset[channel];
    }

    /** The code of a sum. */
    public int code(int channel, int sum) {
        return QuantParams.round(real(channel, sum), low, high);
    }
}
