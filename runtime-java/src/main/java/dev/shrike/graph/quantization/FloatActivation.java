package dev.shrike.graph.quantization;

import dev.shrike.graph.Activation;

/**
 * Activation functions behind the sums of codes, as a fixed sequence of float32 operations: what every engine must give
 * to the bit. {@code native/quantized/activation.h} is the same in C. SiLU, the sigmoid and tanh are within 3e-7 of
 * what they should be, relative to the larger of 1 and their result.
 */
public final class FloatActivation {
    /** Beyond it the sigmoid is 0 or 1 to float32; everything stays a normal number. */
    private static final float REACH = 86;
    private static final float LOG2_E = 0x1.715476p0f;
    /** 1.5 * 2^23: what is added to it is rounded to an integer, half to even, in the low bits. */
    private static final float ROUND = 12582912;
    /** The minimax polynomial of 2^r for |r| at most 1/2, from r^0 on; its relative error is 7.5e-8. */
    private static final float[] EXP2 = {
            0x1.000002p0f, 0x1.62e428p-1f, 0x1.ebf918p-3f, 0x1.c6b6e6p-5f, 0x1.3d0c52p-7f, 0x1.5c08dep-10f};
    /** Less the bits of a float, the bits of its reciprocal within 5.1 %. */
    private static final int RECIPROCAL = 0x7ef31000;

    private FloatActivation() {}

    /** The function of a float; NaN gives what NaN gives in the formulas of the kinds. */
    public static float apply(Activation activation, float x) {
        float alpha = activation.alpha();
        float beta = activation.beta();
        return switch (activation.kind()) {
            case NONE -> x;
            case SILU -> atLeast(x, -REACH) * sigmoid(x);
            case RELU -> atLeast(x, 0);
            case LEAKY_RELU -> x < 0 ? alpha * x : x;
            case SIGMOID -> sigmoid(x);
            case HARD_SIGMOID -> {
                float scaled = alpha * x;
                yield unit(scaled + beta);
            }
            case HARD_SWISH -> {
                float sixth = x * (1f / 6);
                yield x * unit(sixth + 0.5f);
            }
            case TANH -> Math.fma(2f, sigmoid(x + x), -1f);
            case CLIP -> x < alpha ? alpha : x > beta ? beta : x;
        };
    }

    /**
     * {@code 1 / (1 + e^-x)}: {@code e^-x = 2^n 2^r} with n in the exponent's bits and a polynomial of r, then the
     * reciprocal from its bits by one step of third and one of second order.
     */
    private static float sigmoid(float x) {
        float t = atLeast(x, -REACH);
        t = t < REACH ? t : REACH;
        float shifted = Math.fma(t, -LOG2_E, ROUND);
        float r = Math.fma(t, -LOG2_E, -(shifted - ROUND));
        float p = EXP2[5];
        for (int i = 4; i >= 0; i--) {
            p = Math.fma(p, r, EXP2[i]);
        }
        float exp = Float.intBitsToFloat(
                Float.floatToRawIntBits(p) + (Float.floatToRawIntBits(shifted) << 23));
        float d = 1 + exp;
        float y = Float.intBitsToFloat(RECIPROCAL - Float.floatToRawIntBits(d));
        float e = Math.fma(-d, y, 1f);
        y = Math.fma(y, Math.fma(e, e, e), y);
        return Math.fma(y, Math.fma(-d, y, 1f), y);
    }

    /** NaN gives the bound. */
    private static float atLeast(float x, float least) {
        return x > least ? x : least;
    }

    private static float unit(float x) {
        float y = atLeast(x, 0);
        return y < 1 ? y : 1;
    }
}
