package dev.shrike.oracle;

import java.util.function.DoubleUnaryOperator;

/**
 * What the operator texts leave to one formula each, so that a test can show that a wrong one is found.
 *
 * @param round to the nearest integer
 * @param zeroPointShift what is wrongly added to every zero point of an activation
 * @param biasFactor what every bias is wrongly multiplied by
 * @param paddingInCodes whether convolutions pad with code 0 in place of the real 0, which is the zero point
 * @param slack how many float32 roundings of its largest term an implementation may spend on a result; 0 for none
 */
public record Formulas(
        DoubleUnaryOperator round, int zeroPointShift, double biasFactor, boolean paddingInCodes, double slack) {
    /** Relative error of one rounding to float32. */
    static final double ROUNDING = 0x1p-24;

    /**
     * As the texts say: half to even. Eight roundings: an integer sum, its multiplier, their product, an offset and
     * their sum take five, an activation function within 3e-7 takes another five of its own.
     */
    public static final Formulas ONNX = new Formulas(Math::rint, 0, 1, false, 8);

    /** The same where float32 represents every term: the one right code. */
    public Formulas exact() {
        return new Formulas(round, zeroPointShift, biasFactor, paddingInCodes, 0);
    }

    /** With another rounding. */
    public Formulas withRound(DoubleUnaryOperator other) {
        return new Formulas(other, zeroPointShift, biasFactor, paddingInCodes, slack);
    }

    /** With zero points that are wrong by that much. */
    public Formulas withZeroPointShift(int shift) {
        return new Formulas(round, shift, biasFactor, paddingInCodes, slack);
    }

    /** With biases that are wrong by that factor. */
    public Formulas withBiasFactor(double factor) {
        return new Formulas(round, zeroPointShift, factor, paddingInCodes, slack);
    }

    /** With code 0 as padding. */
    public Formulas withPaddingInCodes() {
        return new Formulas(round, zeroPointShift, biasFactor, true, slack);
    }

    /** The error that float32 may make in a result whose terms have this sum of absolute values. */
    double error(double magnitude) {
        return slack * ROUNDING * magnitude;
    }
}
