package dev.shrike.calibration.quantize;

import dev.shrike.calibration.linear.Fit;
import java.util.List;
import java.util.stream.IntStream;

/** A layer fitted to pairs of what it reads and what it is to give, and its rounding under the moments of these. */
final class LayerFit {
    /** One for all rows, or one for each. */
    private final List<Fit> parts;
    private final int size;
    private final int rows;
    private final double ridge;
    private final WeightRounding.Steps steps;
    private final double[] wanted;
    private WeightRounding shared;

    /**
     * @param parts moments of all rows, or of each of them
     * @param prior the given weights, {@code rows x size}
     * @param bits width that the weights are to have
     */
    LayerFit(List<Fit> parts, double[] prior, Effort effort, int bits) {
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

    private double ridge(Fit fit) {
        return Math.max(1e-12, ridge * fit.meanVariance());
    }

    /** The weights before rounding. */
    double[] wanted() {
        return wanted;
    }

    WeightRounding.Rounded round(CodeSet set) {
        if (parts.size() == 1) {
            if (shared == null) {
                shared = new WeightRounding(parts.getFirst().damped(ridge(parts.getFirst())), size, steps);
            }
            return shared.round(wanted, rows, set);
        }
        byte[] codes = new byte[wanted.length];
        float[] scales = new float[rows];
        double error = IntStream.range(0, rows).parallel().mapToDouble(row -> {
            Fit fit = parts.get(row);
            double[] own = java.util.Arrays.copyOfRange(wanted, row * size, (row + 1) * size);
            WeightRounding.Rounded rounded =
                    new WeightRounding(fit.damped(ridge(fit)), size, steps).round(own, 1, set);
            System.arraycopy(rounded.codes(), 0, codes, row * size, size);
            scales[row] = rounded.scales()[0];
            return rounded.error();
        }).sum();
        return new WeightRounding.Rounded(codes, scales, error);
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
            Fit fit = parts.get(row);
            error += fit.spread()
                    * fit.relativeError(java.util.Arrays.copyOfRange(weights, row * size, (row + 1) * size));
            spread += fit.spread();
        }
        return spread == 0 ? 0 : error / spread;
    }
}
