package dev.shrike.graph.quantization;

import dev.shrike.graph.Activation;
import java.util.Objects;

/**
 * The way from the real result of a layer through its activation function, and the sum with a residual if there is one,
 * to codes: {@code clamp(rint((f(real) * multiplier + code of the residual * residual) + offset), low, high)} in
 * float32 with {@link FloatActivation}, rounded after every operation, never fused; without a residual its product and
 * addition are left out. Every engine must do precisely this.
 *
 * @param activation the function
 * @param multiplier codes a real 1
 * @param residual codes of the result that one code of the residual weighs; 0 if there is none
 * @param offset code of the real 0, less what the residual's zero point weighs
 * @param low smallest code
 * @param high largest code
 */
public record ActivationEpilogue(
        Activation activation, float multiplier, float residual, float offset, int low, int high) {
    public ActivationEpilogue {
        Objects.requireNonNull(activation, "activation");
        if (!(multiplier > 0) || multiplier == Float.POSITIVE_INFINITY) {
            throw new IllegalArgumentException("multiplier " + multiplier);
        }
        if (!(residual >= 0) || !Float.isFinite(residual) || !Float.isFinite(offset)) {
            throw new IllegalArgumentException("residual " + residual + " and offset " + offset);
        }
    }

    /** Whether codes of that scale can be had: its reciprocal is a float. */
    public static boolean canGive(QuantParams to) {
        return !to.bipolar() && Float.isFinite((float) (1.0 / to.scale()));
    }

    /** Whether codes can be had of the sum with a residual of such codes: one of them does not weigh beyond floats. */
    public static boolean canAdd(QuantParams residual, QuantParams to) {
        double weight = weight(residual, to);
        return canGive(to) && !residual.bipolar() && (float) weight > 0
                && Float.isFinite((float) (residual.zero() * weight));
    }

    /** To codes for which {@link #canGive}: {@code multiplier = (float) (1 / scale)}. */
    public static ActivationEpilogue of(Activation activation, QuantParams to) {
        return new ActivationEpilogue(activation, (float) (1.0 / to.scale()), 0, to.zero(), to.low(), to.high());
    }

    /** To codes of the sum with a residual, for which {@link #canAdd}. */
    public static ActivationEpilogue of(Activation activation, QuantParams residual, QuantParams to) {
        double weight = weight(residual, to);
        return new ActivationEpilogue(activation, (float) (1.0 / to.scale()), (float) weight,
                (float) (to.zero() - residual.zero() * weight), to.low(), to.high());
    }

    private static double weight(QuantParams residual, QuantParams to) {
        return residual.scale() / (double) to.scale();
    }

    /** The code of a real, where there is no residual. */
    public int code(float real) {
        float scaled = FloatActivation.apply(activation, real) * multiplier;
        return QuantParams.round(scaled + offset, low, high);
    }

    /** The code of a real and a code of the residual. */
    public int code(float real, int other) {
        float scaled = FloatActivation.apply(activation, real) * multiplier;
        float added = other * residual;
        float both = scaled + added;
        return QuantParams.round(both + offset, low, high);
    }
}
