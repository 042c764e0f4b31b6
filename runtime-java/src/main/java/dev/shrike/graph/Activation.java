package dev.shrike.graph;

/**
 * A function applied to each output of a convolution.
 *
 * @param kind which function
 * @param alpha first parameter: slope of {@code LEAKY_RELU} and {@code HARD_SIGMOID}, lower bound of {@code CLIP}
 * @param beta second parameter: offset of {@code HARD_SIGMOID}, upper bound of {@code CLIP}
 */
public record Activation(Kind kind, float alpha, float beta) {
    /** The functions. */
    public enum Kind {
        NONE,
        /** {@code x * sigmoid(x)}, also called swish. */
        SILU,
        RELU,
        LEAKY_RELU,
        SIGMOID,
        /** {@code max(0, min(1, alpha * x + beta))}. */
        HARD_SIGMOID,
        /** {@code x * max(0, min(1, x / 6 + 1 / 2))}. */
        HARD_SWISH,
        TANH,
        CLIP
    }

    /** The identity. */
    public static final Activation NONE = new Activation(Kind.NONE, 0, 0);

    /** {@code x * sigmoid(x)}. */
    public static final Activation SILU = new Activation(Kind.SILU, 0, 0);

    /** An activation without parameters. */
    public static Activation of(Kind kind) {
        return new Activation(kind, 0, 0);
    }
}
