package dev.shrike.calibration.quantize.rounding;

import java.util.List;

/**
 * Error-compensated rounding (Frantar et al. 2022, GPTQ): inputs in a given order; the error of one rounded weight is
 * compensated by the weights not yet rounded. The objective is a sum of squares, one for each weight, that depends on
 * this and the earlier codes alone, so codes are the branches of a tree.
 */
final class GptqRounding {
    private final int size;
    /** Upper factor of the inverse of the second moments. */
    private final double[] factor;

    GptqRounding(double[] factor, int size) {
        this.factor = factor;
        this.size = size;
    }

    /** What an error of a weight costs when the weights behind it compensate what they can. */
    double[] costs() {
        double[] costs = new double[size];
        for (int i = 0; i < size; i++) {
            double own = factor[i * size + i];
            costs[i] = 1 / (own * own);
        }
        return costs;
    }

    /**
     * Rounds a row with several grids, each weight to the nearest code; all at once, so that the factor is read once.
     *
     * @param wanted the row
     */
    RowCodes[] nearest(double[] wanted, List<ScaledCodebook> grids) {
        int count = grids.size();
        double[][] left = new double[count][];
        RowCodes[] rows = new RowCodes[count];
        for (int g = 0; g < count; g++) {
            left[g] = wanted.clone();
            rows[g] = new RowCodes(new int[size], grids.get(g).set(), grids.get(g).scale(), 0);
        }
        for (int i = 0; i < size; i++) {
            int row = i * size;
            for (int g = 0; g < count; g++) {
                double[] weights = left[g];
                double scale = rows[g].scale();
                int code = rows[g].set().nearest(weights[i] / scale);
                double error = (weights[i] - code * scale) / factor[row + i];
                rows[g].codes()[i] = code;
                rows[g].setError(rows[g].error() + error * error);
                for (int j = i + 1; j < size; j++) {
                    weights[j] -= error * factor[row + j];
                }
            }
        }
        return rows;
    }

    /**
     * Rounds a row with one grid of consecutive codes, keeping the best so many beginnings (the M algorithm; Anderson
     * and Mohan 1984), each of which goes on with the two nearest codes. With one it is {@link #nearest}.
     */
    RowCodes best(double[] wanted, ScaledCodebook grid, int paths) {
        double scale = grid.scale();
        Codebook set = grid.set();
        double[][] left = new double[paths][size];
        double[][] next = new double[paths][size];
        double[] errors = new double[paths];
        int[][] codes = new int[size][paths];
        int[][] parents = new int[size][paths];
        Branches branches = new Branches(paths);
        left[0] = wanted.clone();
        int alive = 1;
        for (int i = 0; i < size; i++) {
            int row = i * size;
            double diagonal = factor[row + i];
            branches.clear();
            for (int p = 0; p < alive; p++) {
                double position = left[p][i] / scale;
                int code = set.nearest(position);
                int other = code + (position > code ? 1 : -1);
                branches.add(p, code, (left[p][i] - code * scale) / diagonal, errors[p]);
                if (other >= set.lowest() && other <= set.highest()) {
                    branches.add(p, other, (left[p][i] - other * scale) / diagonal, errors[p]);
                }
            }
            alive = branches.count;
            for (int b = 0; b < alive; b++) {
                double[] from = left[branches.parents[b]];
                double[] to = next[b];
                double error = branches.errors[b];
                for (int j = i + 1; j < size; j++) {
                    to[j] = from[j] - error * factor[row + j];
                }
                codes[i][b] = branches.codes[b];
                parents[i][b] = branches.parents[b];
                errors[b] = branches.totals[b];
            }
            double[][] swap = left;
            left = next;
            next = swap;
        }
        int[] found = new int[size];
        for (int i = size - 1, at = 0; i >= 0; i--) {
            found[i] = codes[i][at];
            at = parents[i][at];
        }
        return new RowCodes(found, set, grid.scale(), size == 0 ? 0 : errors[0]);
    }

    /** The branches of least error so far, in rising order. */
    private static final class Branches {
        private final int[] parents;
        private final int[] codes;
        private final double[] errors;
        private final double[] totals;
        private int count;

        Branches(int most) {
            parents = new int[most];
            codes = new int[most];
            errors = new double[most];
            totals = new double[most];
        }

        void clear() {
            count = 0;
        }

        void add(int parent, int code, double error, double before) {
            double total = before + error * error;
            if (count == totals.length) {
                if (total >= totals[count - 1]) {
                    return;
                }
                count--;
            }
            int at = count++;
            while (at > 0 && totals[at - 1] > total) {
                parents[at] = parents[at - 1];
                codes[at] = codes[at - 1];
                errors[at] = errors[at - 1];
                totals[at] = totals[at - 1];
                at--;
            }
            parents[at] = parent;
            codes[at] = code;
            errors[at] = error;
            totals[at] = total;
        }
    }
}
