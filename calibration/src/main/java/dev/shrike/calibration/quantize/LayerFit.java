package dev.shrike.calibration.quantize;

import dev.shrike.calibration.linear.RidgeRegression;
import dev.shrike.calibration.quantize.rounding.Codebook;
import dev.shrike.calibration.quantize.rounding.EntropySteps;
import dev.shrike.calibration.quantize.rounding.KroneckerRounding;
import dev.shrike.calibration.quantize.rounding.WeightRounding;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** A layer fitted to pairs of what it reads and what it is to give, and its rounding under the moments of these. */
public final class LayerFit {
    private static final int ADJUSTMENTS = 4;
    /** Least bits by which codes become fewer where the step is twice as wide, as a negative number. */
    private static final double LEAST_SLOPE = -0.3;
    /** Bits by which the entropy may miss its goal. */
    private static final double TOLERANCE = 0.01;
    private static final double LEAST_IMPORTANCE = 0.02;

    /** One for all rows, or one for each. */
    private final List<RidgeRegression> parts;
    private final int size;
    private final int rows;
    private final double ridge;
    private final WeightRounding.Steps steps;
    private final KroneckerRounding coupling;
    private final double[] wanted;
    private final List<WeightRounding> roundings = new ArrayList<>();

    /**
     * @param parts moments of all rows, or of each of them
     * @param prior the given weights, {@code rows x size}
     * @param bits that the weights are to have on the average
     * @param coupling of the rows, or null if each row counts for itself
     */
    LayerFit(List<RidgeRegression> parts, double[] prior, PtqOptions effort, double bits, KroneckerRounding coupling) {
        this.coupling = coupling;
        this.parts = parts;
        this.size = parts.getFirst().size();
        this.rows = prior.length / size;
        this.ridge = effort.ridge(bits);
        this.steps = effort.steps();
        this.wanted = effort.fit() ? fitted(prior) : prior;
    }

    private double[] fitted(double[] prior) {
        if (parts.size() == 1) {
            return parts.getFirst().weights(ridge(parts.getFirst()), prior);
        }
        double[] weights = new double[prior.length];
        for (int row = 0; row < rows; row++) {
            double[] own = java.util.Arrays.copyOfRange(prior, row * size, (row + 1) * size);
            System.arraycopy(parts.get(row).weights(ridge(parts.get(row)), own), 0, weights, row * size, size);
        }
        return weights;
    }

    private double ridge(RidgeRegression fit) {
        return Math.max(1e-12, ridge * fit.meanVariance());
    }

    /** The weights before rounding. */
    double[] wanted() {
        return wanted;
    }

    WeightRounding.Rounded round(List<Codebook> sets) {
        return round(sets, null);
    }

    /**
     * Codes of 8 bits whose entropy is that.
     *
     * @param rate bits a code
     * @param importance what an error of each row counts; empty if all count alike
     */
    WeightRounding.Rounded round(double rate, double[] importance) {
        double[] relative = relativeSteps(importance, unitNoise(), size);
        EntropySteps scales = new EntropySteps(wanted, relative);
        double factor = scales.factor(rate);
        WeightRounding.Rounded best = null;
        double least = Double.POSITIVE_INFINITY;
        double slope = -1;
        double before = 0;
        double change = 0;
        // Error compensation spreads the codes; a step wider by 2^x takes x bits off each of them, fewer where there
        // are few.
        for (int i = 0; i < ADJUSTMENTS && least > TOLERANCE; i++) {
            WeightRounding.Rounded rounded = round(List.of(new Codebook.Uniform(8)), scales.at(factor));
            double excess = EntropySteps.entropy(rounded.codes()) - rate;
            if (Math.abs(excess) < least) {
                best = rounded;
                least = Math.abs(excess);
            }
            slope = change == 0 ? slope : Math.clamp((excess - before) / change, -1, LEAST_SLOPE);
            before = excess;
            change = -excess / slope;
            factor *= Math.pow(2, change);
        }
        return best;
    }

    /**
     * Steps of the rows of a layer, or of several layers, at which one more bit gains as much in each of them.
     *
     * @param importance what an error of each row counts; empty if all count alike
     * @param noise error of a row's result for an error of 1 in each of its weights
     */
    static double[] relativeSteps(double[] importance, double[] noise, int size) {
        double mean = java.util.Arrays.stream(importance).average().orElse(1);
        double[] steps = new double[noise.length];
        for (int row = 0; row < steps.length; row++) {
            // A channel without influence on the head on these images may have some on others.
            double own = importance.length == 0 ? 1 : Math.max(importance[row], LEAST_IMPORTANCE * mean);
            steps[row] = Math.sqrt(size / Math.max(own * noise[row], 1e-30));
        }
        return steps;
    }

    /** The squared error of each row's result for an error of variance 1 in each of its weights. */
    double[] unitNoise() {
        double[] noise = new double[rows];
        for (int row = 0; row < rows; row++) {
            noise[row] = parts.size() == 1 && row > 0 ? noise[0] : rounding(row).unitNoise();
        }
        return noise;
    }

    private WeightRounding rounding(int row) {
        if (roundings.isEmpty()) {
            parts.parallelStream().map(fit -> new WeightRounding(fit.damped(ridge(fit)), size, steps))
                    .forEachOrdered(roundings::add);
        }
        return roundings.get(parts.size() == 1 ? 0 : row);
    }

    private WeightRounding.Rounded round(List<Codebook> sets, float[] scales) {
        if (coupling != null) {
            return coupling.round(wanted, this::rounding, sets, scales);
        }
        // All of them, before rows ask for theirs at the same time.
        rounding(0);
        return WeightRounding.round(wanted, rows, size, this::rounding, sets, scales);
    }

    /** The best biases for these weights. */
    float[] offsets(double[] weights) {
        float[] offsets = new float[rows];
        if (parts.size() == 1) {
            double[] all = parts.getFirst().offsets(weights);
            for (int row = 0; row < rows; row++) {
                offsets[row] = (float) all[row];
            }
            return offsets;
        }
        for (int row = 0; row < rows; row++) {
            offsets[row] = (float) parts.get(row)
                    .offsets(java.util.Arrays.copyOfRange(weights, row * size, (row + 1) * size))[0];
        }
        return offsets;
    }

    /** The mean squared error of the result with the best biases, as a share of the spread of what is wanted. */
    double relativeError(double[] weights) {
        if (parts.size() == 1) {
            return parts.getFirst().relativeError(weights);
        }
        double error = 0;
        double spread = 0;
        for (int row = 0; row < rows; row++) {
            RidgeRegression fit = parts.get(row);
            error += fit.spread()
                    * fit.relativeError(java.util.Arrays.copyOfRange(weights, row * size, (row + 1) * size));
            spread += fit.spread();
        }
        return spread == 0 ? 0 : error / spread;
    }
}
