package dev.shrike.calibration.quantize.rounding;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The floats that the weights of a row may be: codes times a scale.
 *
 * @param set the codes
 * @param scale positive
 */
record ScaledCodebook(Codebook set, float scale) {
    private static final double LEAST = 1e-30;

    /**
     * Grids worth trying for a row.
     *
     * @param sets the sets of codes of which the row takes one
     * @param scales how many scales of each set, from that of the largest weight down
     */
    static List<ScaledCodebook> of(double[] row, List<Codebook> sets, int scales) {
        double highest = 0;
        double lowest = 0;
        for (double weight : row) {
            highest = Math.max(highest, weight);
            lowest = Math.min(lowest, weight);
        }
        List<ScaledCodebook> grids = new ArrayList<>();
        for (Codebook set : sets) {
            double widest = widest(set, lowest, highest);
            for (int i = 0; i < scales; i++) {
                double share = scales == 1 ? 1 : set.scale(i, scales - 1);
                grids.add(new ScaledCodebook(set, (float) Math.max(widest * share, LEAST)));
            }
        }
        return grids;
    }

    /** The scale at which no weight is clipped, or at which a quarter of the codes would reach the largest one. */
    private static double widest(Codebook set, double lowest, double highest) {
        double most = Math.max(highest, -lowest);
        double scale = 0;
        if (highest > 0) {
            scale = set.highest() > 0 ? highest / set.highest() : most;
        }
        if (lowest < 0) {
            scale = Math.max(scale, set.lowest() < 0 ? lowest / set.lowest() : most);
        }
        return Math.min(scale, 4 * most / (set.highest() - set.lowest() + 1));
    }

    /**
     * The grids of least error if every weight takes the nearest code.
     *
     * @param costs what a squared error of each weight costs
     * @param most how many grids
     */
    static List<ScaledCodebook> best(List<ScaledCodebook> grids, double[] row, double[] costs, int most) {
        if (grids.size() <= most) {
            return grids;
        }
        double[] errors = grids.stream().mapToDouble(grid -> grid.error(row, costs)).toArray();
        return IntStream.range(0, errors.length).boxed().sorted(Comparator.comparingDouble(i -> errors[i])).limit(most)
                .map(grids::get).toList();
    }

    private double error(double[] row, double[] costs) {
        double sum = 0;
        double step = scale;
        for (int i = 0; i < row.length; i++) {
            double rest = row[i] - set.nearest(row[i] / step) * step;
            sum += costs[i] * rest * rest;
        }
        return sum;
    }
}
