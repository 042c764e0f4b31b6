package dev.shrike.oracle;

import dev.shrike.graph.Op;

/** A function of one variable with the bound of its slope. */
record OracleFunction(Formulas formulas, Op.Unary.Kind kind, double alpha, double beta) {
    IntervalTensor apply(IntervalTensor x) {
        IntervalTensor y = IntervalTensor.empty(x.dims());
        double slope = slope();
        for (int i = 0; i < x.size(); i++) {
            double centre = (x.low()[i] + x.high()[i]) / 2;
            double radius = (x.high()[i] - x.low()[i]) / 2;
            double found = of(centre);
            double error = kind == Op.Unary.Kind.RELU ? 0
                    : formulas.error(Math.max(1, Math.abs(found))) + slope * formulas.error(x.magnitude(i));
            y.set(i, of(x.value()[i]), found - slope * radius - error, found + slope * radius + error);
        }
        return y;
    }

    private double of(double x) {
        return switch (kind) {
            case SIGMOID -> 1 / (1 + Math.exp(-x));
            case SILU -> x / (1 + Math.exp(-x));
            case RELU -> Math.max(0, x);
            case LEAKY_RELU -> x < 0 ? alpha * x : x;
            case HARD_SIGMOID -> Math.max(0, Math.min(1, alpha * x + beta));
            case HARD_SWISH -> x * Math.max(0, Math.min(1, x / 6 + 0.5));
            case TANH -> Math.tanh(x);
            default -> throw new IllegalArgumentException("the oracle does not know " + kind);
        };
    }

    /** The largest absolute value of the derivative. */
    private double slope() {
        return switch (kind) {
            case SIGMOID -> 0.25;
            case SILU -> 1.1;
            case RELU, TANH -> 1;
            case LEAKY_RELU -> Math.max(1, Math.abs(alpha));
            case HARD_SIGMOID -> Math.abs(alpha);
            case HARD_SWISH -> 1.5;
            default -> throw new IllegalArgumentException("the oracle does not know " + kind);
        };
    }
}
