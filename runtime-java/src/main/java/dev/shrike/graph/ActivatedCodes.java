package dev.shrike.graph;

import java.util.Objects;

/**
 * The way from the real result of a layer through its activation function to codes:
 * {@code clamp(rint(f(real) * multiplier + offset), low, high)} in float32 with {@link FloatActivation}, rounded after
 * the multiplication and after the addition, never fused. Every engine must do precisely this.
 *
 * @param activation the function
 * @param multiplier codes a real 1
 * @param offset code of the real 0
 * @param low smallest code
 * @param high largest code
 */
public record ActivatedCodes(Activation activation, float multiplier, float offset, int low, int high) {
    public ActivatedCodes {
        Objects.requireNonNull(activation, "activation");
        if (!(multiplier > 0) || multiplier == Float.POSITIVE_INFINITY) {
            throw new IllegalArgumentException("multiplier " + multiplier);
        }
    }

    /** Whether codes of that scale can be had: its reciprocal is a float. */
    public static boolean canGive(ActivationCodes to) {
        return !to.bipolar() && Float.isFinite((float) (1.0 / to.scale()));
    }

    /** To codes for which {@link #canGive}: {@code multiplier = (float) (1 / scale)}. */
    public static ActivatedCodes of(Activation activation, ActivationCodes to) {
        return new ActivatedCodes(activation, (float) (1.0 / to.scale()), to.zero(), to.low(), to.high());
    }

    /** The code of a real. */
    public int code(float real) {
        float scaled = FloatActivation.apply(activation, real) * multiplier;
        double code = Math.rint(scaled + offset);
        return code > low ? (int) Math.min(code, high) : low;
    }
}
