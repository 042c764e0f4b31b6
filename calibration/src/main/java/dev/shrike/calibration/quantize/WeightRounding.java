package dev.shrike.calibration.quantize;

import dev.shrike.calibration.linear.Fit;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Rounds the weights of a layer so that its result changes least: minimises {@code (w - s q) H (w - s q)^T} for every
 * row w over codes q and a scale s, H being the second moments of what the layer reads.
 *
 * <ol>
 * <li>Error-compensated rounding (Frantar et al. 2022, GPTQ): inputs in the order of falling energy; what rounding one
 * weight spoils, the weights not yet rounded make good. Tried with several scales, of which the best stays.
 * <li>Coordinate descent: each code in turn takes its best value given all others, until nothing changes.
 * <li>The least-squares scale for the codes found, and descent again.
 * </ol>
 * None of these steps can make the objective larger than that of plain rounding at the best scale tried. They
 * hold for any set of codes: the objective is a parabola in each code, whose best value is the nearest to the vertex.
 */
public final class WeightRounding {
    private static final int MOST_SWEEPS = 30;

    private final int size;
    private final int[] order;
    private final double[] hessian;
    private final double[] factor;
    private final Steps steps;

    /**
     * What is done.
     *
     * @param compensate error compensation, or else rounding to nearest
     * @param descend coordinate descent
     * @param refits how often the scale is fitted and the descent repeated
     * @param scales how many scales are tried, from that of the largest weight down
     */
    public record Steps(boolean compensate, boolean descend, int refits, int scales) {
        /** All of it. */
        public static final Steps ALL = new Steps(true, true, 3, 10);
        /** Rounding to nearest with the scale of the largest weight. */
        public static final Steps NEAREST = new Steps(false, false, 0, 1);
    }

    /**
     * Codes of a layer.
     *
     * @param codes row by row
     * @param scales one a row
     * @param error sum of the objective over the rows
     */
    public record Rounded(byte[] codes, float[] scales, double error) {
        /** The reals that they stand for. */
        public double[] reals() {
            double[] reals = new double[codes.length];
            int size = codes.length / Math.max(1, scales.length);
            for (int i = 0; i < reals.length; i++) {
                reals[i] = codes[i] * (double) scales[i / size];
            }
            return reals;
        }
    }

    /**
     * A rounding under these moments.
     *
     * @param hessian positive definite, {@code size x size}
     */
    public WeightRounding(double[] hessian, int size, Steps steps) {
        this.size = size;
        this.steps = steps;
        this.order = IntStream.range(0, size).boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -hessian[i * size + i]))
                .mapToInt(Integer::intValue).toArray();
        this.hessian = new double[hessian.length];
        for (int i = 0; i < size; i++) {
            for (int j = 0; j < size; j++) {
                this.hessian[i * size + j] = hessian[order[i] * size + order[j]];
            }
        }
        this.factor = steps.compensate() ? Fit.inverseFactor(this.hessian.clone(), size) : null;
    }

    /** Weights rounded to nearest at the scale with the least squared error, where nothing is known of the input. */
    static Rounded nearest(double[] weights, int rows, CodeSet set) {
        return withoutMoments(weights.length / Math.max(1, rows)).round(weights, rows, set);
    }

    /** Weights rounded to nearest with one step for all, so wide that the codes have that entropy. */
    static Rounded nearest(double[] weights, int rows, double rate) {
        double[] relative = new double[rows];
        Arrays.fill(relative, 1);
        EntropySteps steps = new EntropySteps(weights, relative);
        return withoutMoments(weights.length / Math.max(1, rows)).round(weights, rows, new CodeSet.Uniform(8),
                steps.at(steps.factor(rate)));
    }

    private static WeightRounding withoutMoments(int size) {
        double[] identity = new double[size * size];
        for (int i = 0; i < size; i++) {
            identity[i * size + i] = 1;
        }
        return new WeightRounding(identity, size, new Steps(false, false, 0, 16));
    }

    /**
     * The rounded weights.
     *
     * @param weights {@code rows x size}
     * @param set the codes to choose from
     */
    public Rounded round(double[] weights, int rows, CodeSet set) {
        return round(weights, rows, set, null);
    }

    /** As the other method, with these scales, one a row, from which only their fit departs; null tries several. */
    Rounded round(double[] weights, int rows, CodeSet set, float[] given) {
        byte[] codes = new byte[rows * size];
        float[] scales = new float[rows];
        double[] errors = new double[rows];
        IntStream.range(0, rows).parallel().forEach(row -> {
            double[] wanted = new double[size];
            for (int i = 0; i < size; i++) {
                wanted[i] = weights[row * size + order[i]];
            }
            Row result = round(wanted, set, given == null ? candidates(wanted, set) : new float[] {given[row]});
            for (int i = 0; i < size; i++) {
                codes[row * size + order[i]] = (byte) result.codes[i];
            }
            scales[row] = result.scale;
            errors[row] = result.error;
        });
        return new Rounded(codes, scales, Arrays.stream(errors).sum());
    }

    /** The objective of a row whose every weight is off by a variance of 1 when it is rounded. */
    double unitNoise() {
        double sum = 0;
        for (int i = 0; i < size; i++) {
            double own = factor == null ? 0 : factor[i * size + i];
            sum += factor == null ? hessian[i * size + i] : 1 / (own * own);
        }
        return sum;
    }

    /** A row under way; in the order of falling energy. */
    private static final class Row {
        private final int[] codes;
        private float scale;
        private double error;

        Row(int[] codes, float scale, double error) {
            this.codes = codes;
            this.scale = scale;
            this.error = error;
        }
    }

    private Row round(double[] wanted, CodeSet set, float[] scales) {
        Row best = null;
        if (steps.compensate()) {
            best = compensated(wanted, scales, set);
        }
        if (best == null || steps.descend()) {
            for (float scale : scales) {
                Row nearest = nearest(wanted, scale, set);
                best = best == null || nearest.error < best.error ? nearest : best;
            }
        }
        if (steps.descend()) {
            descend(wanted, best, set);
        }
        return best;
    }

    private float[] candidates(double[] wanted, CodeSet set) {
        double scale = 0;
        for (double weight : wanted) {
            scale = Math.max(scale, weight > 0 ? weight / set.highest() : weight / set.lowest());
        }
        float[] scales = new float[steps.scales()];
        for (int i = 0; i < scales.length; i++) {
            double share = scales.length == 1 ? 1 : set.scale(i, scales.length - 1);
            scales[i] = (float) Math.max(scale * share, 1e-30);
        }
        return scales;
    }

    private Row nearest(double[] wanted, float scale, CodeSet set) {
        int[] codes = new int[size];
        double[] rest = new double[size];
        for (int i = 0; i < size; i++) {
            codes[i] = set.nearest(wanted[i] / scale);
            rest[i] = wanted[i] - codes[i] * (double) scale;
        }
        return new Row(codes, scale, dot(rest, product(rest)));
    }

    /** All scales at once, so that the factor is read once. */
    private Row compensated(double[] wanted, float[] scales, CodeSet set) {
        double[][] left = new double[scales.length][];
        int[][] codes = new int[scales.length][size];
        double[] errors = new double[scales.length];
        Arrays.setAll(left, _ -> wanted.clone());
        for (int i = 0; i < size; i++) {
            int row = i * size;
            for (int s = 0; s < scales.length; s++) {
                double[] weights = left[s];
                int code = set.nearest(weights[i] / scales[s]);
                double error = (weights[i] - code * (double) scales[s]) / factor[row + i];
                codes[s][i] = code;
                errors[s] += error * error;
                for (int j = i + 1; j < size; j++) {
                    weights[j] -= error * factor[row + j];
                }
            }
        }
        int best = 0;
        for (int s = 1; s < scales.length; s++) {
            best = errors[s] < errors[best] ? s : best;
        }
        return new Row(codes[best], scales[best], errors[best]);
    }

    private void descend(double[] wanted, Row row, CodeSet set) {
        double[] wantedProduct = product(wanted);
        double[] codeProduct = product(Arrays.stream(row.codes).asDoubleStream().toArray());
        sweep(row, wantedProduct, codeProduct, set);
        double energy = dot(wanted, wantedProduct);
        row.error = error(row, energy, wantedProduct, codeProduct);
        for (int i = 0; i < steps.refits(); i++) {
            double own = 0;
            double shared = 0;
            for (int j = 0; j < size; j++) {
                own += row.codes[j] * codeProduct[j];
                shared += row.codes[j] * wantedProduct[j];
            }
            float scale = (float) (shared / own);
            if (!(own > 0) || !(scale > 1e-30f)) {
                return;
            }
            Row next = new Row(row.codes.clone(), scale, 0);
            double[] nextProduct = codeProduct.clone();
            sweep(next, wantedProduct, nextProduct, set);
            next.error = error(next, energy, wantedProduct, nextProduct);
            if (!(next.error < row.error)) {
                return;
            }
            System.arraycopy(next.codes, 0, row.codes, 0, size);
            row.scale = scale;
            row.error = next.error;
            codeProduct = nextProduct;
        }
    }

    private double error(Row row, double energy, double[] wantedProduct, double[] codeProduct) {
        double sum = energy;
        double scale = row.scale;
        for (int i = 0; i < size; i++) {
            sum += scale * row.codes[i] * (scale * codeProduct[i] - 2 * wantedProduct[i]);
        }
        return sum;
    }

    private void sweep(Row row, double[] wantedProduct, double[] codeProduct, CodeSet set) {
        double scale = row.scale;
        boolean changed = true;
        for (int sweep = 0; changed && sweep < MOST_SWEEPS; sweep++) {
            changed = false;
            for (int i = 0; i < size; i++) {
                double slope = wantedProduct[i] / scale - codeProduct[i];
                double wish = slope / hessian[i * size + i];
                int code = set.nearest(row.codes[i] + wish);
                int step = code - row.codes[i];
                // Half a step gains nothing, and could go back and forth for ever.
                if (step == 0 || Math.abs(wish) < 0.5 * Math.abs(step) + 1e-9) {
                    continue;
                }
                row.codes[i] = code;
                changed = true;
                int at = i * size;
                for (int j = 0; j < size; j++) {
                    codeProduct[j] += step * hessian[at + j];
                }
            }
        }
    }

    private double[] product(double[] row) {
        double[] result = new double[size];
        for (int i = 0; i < size; i++) {
            double factorOf = row[i];
            if (factorOf == 0) {
                continue;
            }
            int at = i * size;
            for (int j = 0; j < size; j++) {
                result[j] += factorOf * hessian[at + j];
            }
        }
        return result;
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
