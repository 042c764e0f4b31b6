package dev.shrike.calibration.quantize.rounding;

import dev.shrike.calibration.linear.RidgeRegression;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * How errors of the output channels of a layer act together on what the head of the network gives: errors e of the
 * channels at a position cost {@code e^T S e}. Errors that cancel further on cost nothing, though each alone would.
 *
 * <p>With the second moments H of the input, errors E of the weights cost {@code tr(S E H E^T)}: the curvature of the
 * loss as a Kronecker product (Martens and Grosse 2015, K-FAC). That can be minimised row by row as the error of a row
 * is weight by weight (Tseng et al. 2025, YAQA): the error of one rounded row is compensated by the rows not yet
 * rounded.
 */
public final class KroneckerRounding {
    /**
     * What an error of a channel counts by itself, as a share of the mean: a channel without influence
     * on the head on these images may have some on others.
     */
    private static final double FLOOR = 0.2;
    /** How often each row is led to where it is best, given all others. */
    private static final int SWEEPS = 2;

    private final int rows;
    private final double[] curvature;
    private final int[] order;
    /** Upper factor U of the inverse, {@code S^-1 = U^T U}, rows and columns in the order of falling curvature. */
    private final double[] factor;

    /**
     * @param moments sums of the products of the gradients of the channels, {@code rows x rows}, symmetric
     */
    public KroneckerRounding(double[] moments, int rows) {
        this.rows = rows;
        double trace = 0;
        for (int i = 0; i < rows; i++) {
            trace += moments[i * rows + i];
        }
        double share = (1 - FLOOR) * rows / trace;
        boolean sensitive = trace > 0 && Double.isFinite(trace) && Double.isFinite(share);
        curvature = Arrays.stream(moments).map(moment -> sensitive ? share * moment : 0).toArray();
        for (int i = 0; i < rows; i++) {
            curvature[i * rows + i] += FLOOR;
        }
        order = ActOrder.of(curvature, rows);
        factor = RidgeRegression.inverseFactor(ActOrder.sorted(curvature, order), rows);
    }

    /**
     * The weights of a layer, rounded.
     *
     * @param wanted {@code rows x size}
     * @param roundings how each row is rounded, by its number
     * @param sets sets of codes, of which each row takes one
     * @param scales one a row, from which only their fit departs; null tries several
     */
    public WeightRounding.Rounded round(double[] wanted, IntFunction<WeightRounding> roundings, List<Codebook> sets,
            float[] scales) {
        int size = wanted.length / rows;
        RowCodes[] found = new RowCodes[rows];
        double[] targets = wanted.clone();
        double[] errors = new double[wanted.length];
        for (int k = 0; k < rows; k++) {
            int row = order[k];
            found[row] = roundings.apply(row).row(row(targets, row, size), sets, scales == null ? 0 : scales[row]);
            setErrors(errors, wanted, row, size, roundings.apply(row).codes(found[row]), found[row].scale());
            compensate(k, targets, wanted, errors, size);
        }
        for (int sweep = 0; sweep < SWEEPS; sweep++) {
            for (int row : order) {
                roundings.apply(row).improve(target(row, size, wanted, errors), found[row]);
                setErrors(errors, wanted, row, size, roundings.apply(row).codes(found[row]), found[row].scale());
            }
        }
        return WeightRounding.rounded(found, size, roundings);
    }

    private static double[] row(double[] matrix, int row, int size) {
        return Arrays.copyOfRange(matrix, row * size, (row + 1) * size);
    }

    private static void setErrors(double[] errors, double[] wanted, int row, int size, int[] codes, double scale) {
        for (int i = 0; i < size; i++) {
            errors[row * size + i] = wanted[row * size + i] - codes[i] * scale;
        }
    }

    /** Moves the rows behind the k-th, which is rounded by now, so that they make good what they can. */
    private void compensate(int k, double[] targets, double[] wanted, double[] errors, int size) {
        int from = order[k] * size;
        double own = factor[k * rows + k];
        double[] missed = new double[size];
        for (int i = 0; i < size; i++) {
            missed[i] = (targets[from + i] - wanted[from + i] + errors[from + i]) / own;
        }
        IntStream.range(k + 1, rows).parallel().forEach(later -> {
            double share = factor[k * rows + later];
            int to = order[later] * size;
            for (int i = 0; i < size; i++) {
                targets[to + i] -= share * missed[i];
            }
        });
    }

    /** Where a row is best, given the errors of all others. */
    private double[] target(int row, int size, double[] wanted, double[] errors) {
        double[] target = row(wanted, row, size);
        for (int other = 0; other < rows; other++) {
            double share = other == row ? 0 : curvature[row * rows + other] / curvature[row * rows + row];
            int at = other * size;
            for (int i = 0; share != 0 && i < size; i++) {
                target[i] += share * errors[at + i];
            }
        }
        return target;
    }
}
