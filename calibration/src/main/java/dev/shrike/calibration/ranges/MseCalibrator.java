package dev.shrike.calibration.ranges;

import java.util.function.DoubleUnaryOperator;

/**
 * Searches the codes with the least sum of {@code |f(x) - f(rounded x)|^power} over a histogram: first on a coarse grid
 * of lower and upper ends, then about the best of them on finer and finer ones. The whole range is among what is tried.
 */
final class MseCalibrator {
    private static final int POINTS = 1500;
    private static final int GRID = 12;
    /** Finer, since there is one end to search for. */
    private static final int SYMMETRIC_GRID = 48;
    private static final int REFINEMENTS = 4;

    private final Histogram.Points points;
    private final double[] wanted;
    private final Range whole;
    private final double power;
    private final DoubleUnaryOperator function;

    MseCalibrator(Histogram histogram, Range whole, double power, DoubleUnaryOperator function) {
        this.points = histogram.points(POINTS);
        this.whole = whole.withZero();
        this.power = power;
        this.function = function;
        this.wanted = new double[points.values().length];
        for (int i = 0; i < wanted.length; i++) {
            wanted[i] = function.applyAsDouble(points.values()[i]);
        }
    }

    UniformCodes codes(int bits) {
        UniformCodes best = UniformCodes.covering(whole, bits);
        double least = error(best);
        double bestLow = 1;
        double bestHigh = 1;
        double step = 1.0 / GRID;
        for (int round = 0; round < REFINEMENTS; round++) {
            double centreLow = bestLow;
            double centreHigh = bestHigh;
            int reach = round == 0 ? GRID : 3;
            for (int i = -reach; i <= (round == 0 ? 0 : reach); i++) {
                for (int j = -reach; j <= (round == 0 ? 0 : reach); j++) {
                    double low = centreLow + i * step;
                    double high = centreHigh + j * step;
                    // Some codes may lie beyond the range: the zero point is whole, so the ends are not free.
                    if (low < 0 || high < 0 || low > 1.1 || high > 1.1 || low + high == 0) {
                        continue;
                    }
                    UniformCodes codes =
                            UniformCodes.covering(new Range(low * whole.low(), high * whole.high()), bits);
                    double error = error(codes);
                    if (error < least) {
                        least = error;
                        best = codes;
                        bestLow = low;
                        bestHigh = high;
                    }
                }
            }
            step /= 3.5;
        }
        return best;
    }

    /** Of 8 bits with the zero point in their middle. */
    UniformCodes symmetricCodes() {
        UniformCodes widest = UniformCodes.symmetric(whole);
        UniformCodes best = widest;
        double least = error(widest);
        double centre = 1;
        double step = 1.0 / SYMMETRIC_GRID;
        for (int round = 0; round < REFINEMENTS; round++) {
            double from = round == 0 ? step : Math.max(step, centre - 3 * step);
            double to = round == 0 ? 1 : centre + 3 * step;
            for (double share = from; share <= to && share <= 1.1; share += step) {
                UniformCodes codes = new UniformCodes((float) (widest.scale() * share), widest.zero(), 8);
                double error = error(codes);
                if (error < least) {
                    least = error;
                    best = codes;
                    centre = share;
                }
            }
            step /= 3.5;
        }
        return best;
    }

    /** The sum of the errors. */
    double error(UniformCodes codes) {
        double sum = 0;
        double[] values = points.values();
        double[] weights = points.weights();
        int levels = 1 << codes.bits();
        double[] results = new double[levels];
        for (int code = 0; code < levels; code++) {
            results[code] = function.applyAsDouble((double) codes.scale() * (code - codes.zero()));
        }
        double inverse = 1.0 / codes.scale();
        for (int i = 0; i < values.length; i++) {
            int code = (int) Math.clamp(Math.rint(values[i] * inverse) + codes.zero(), 0, levels - 1);
            double error = Math.abs(wanted[i] - results[code]);
            sum += weights[i] * (power == 2 ? error * error : Math.pow(error, power));
        }
        return sum;
    }
}
