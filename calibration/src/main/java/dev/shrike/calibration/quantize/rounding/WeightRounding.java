package dev.shrike.calibration.quantize.rounding;

import dev.shrike.calibration.linear.RidgeRegression;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * Rounds the weights of a layer so that its result changes least: minimises {@code (w - s c) H (w - s c)^T} for every
 * row w over codes c and a scale s, H being the second moments of what the layer reads.
 *
 * <ol>
 * <li>Grids: each row takes one of the sets of codes and one of several scales. Those are followed up at which the
 * error would be least if each weight took the nearest code and the others made good what they can.
 * <li>Error-compensated rounding ({@link GptqRounding}), inputs in the order of falling energy, with all these
 * grids; with the best of them again, following several beginnings at a time.
 * <li>Coordinate descent and least-squares scales in turn ({@link CoordinateDescent}); the best row stays.
 * </ol>
 * None of these steps can make the objective larger than that of plain rounding at the best grid tried. They
 * hold for any set of codes: the objective is a parabola in each code, whose best value is the nearest to the vertex.
 */
public final class WeightRounding {
    /** Grids that are tried by more than the error of the nearest codes. */
    private static final int TRIED = 10;
    /** Grids of which the codes are refined. */
    private static final int REFINED = 3;
    /** Beginnings times weights a row, where there may be as many as that gives. */
    private static final int PATH_WORK = 8192;

    private final int size;
    private final int[] order;
    private final double[] hessian;
    private final GptqRounding compensation;
    private final CoordinateDescent descent;
    private final Steps steps;

    /**
     * What is done.
     *
     * @param compensate error compensation, or else rounding to nearest
     * @param descend coordinate descent
     * @param refits how often the scale is fitted and the descent repeated
     * @param scales how many scales of each set of codes are tried, from that of the largest weight down
     * @param leastPaths how many beginnings error compensation follows at least, of codes of fewer than 8 bits; more,
     *     up to {@code mostPaths}, in short rows
     * @param mostPaths 1 or more
     */
    public record Steps(
            boolean compensate, boolean descend, int refits, int scales, int leastPaths, int mostPaths) {
        /** All of it. */
        public static final Steps ALL = new Steps(true, true, 3, 20, 8, 64);
        /** Rounding to nearest with the scale of the largest weight. */
        public static final Steps NEAREST = new Steps(false, false, 0, 1);

        /** Compensation that follows one beginning. */
        public Steps(boolean compensate, boolean descend, int refits, int scales) {
            this(compensate, descend, refits, scales, 1, 1);
        }
    }

    /**
     * Codes of a layer.
     *
     * @param codes row by row, their zero points taken off
     * @param scales one a row
     * @param zeros what to add to the codes of each row, so that they are those that a file has
     */
    public record Rounded(byte[] codes, float[] scales, int[] zeros) {
        /** Codes whose zero points are 0. */
        public Rounded(byte[] codes, float[] scales) {
            this(codes, scales, new int[scales.length]);
        }

        /** The floats that they stand for. */
        public double[] floats() {
            double[] floats = new double[codes.length];
            int size = codes.length / Math.max(1, scales.length);
            for (int i = 0; i < floats.length; i++) {
                floats[i] = codes[i] * (double) scales[i / size];
            }
            return floats;
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
        this.order = ActOrder.of(hessian, size);
        this.hessian = ActOrder.sorted(hessian, order);
        this.compensation = steps.compensate()
                ? new GptqRounding(RidgeRegression.inverseFactor(this.hessian.clone(), size), size) : null;
        this.descent = new CoordinateDescent(this.hessian, size);
    }

    /** Weights rounded to nearest at the scale with the least squared error, where nothing is known of the input. */
    public static Rounded nearest(double[] weights, int rows, List<Codebook> sets) {
        return withoutMoments(weights.length / Math.max(1, rows)).round(weights, rows, sets);
    }

    /** Weights rounded to nearest with one step for all, so wide that the codes have that entropy. */
    public static Rounded nearest(double[] weights, int rows, double rate) {
        double[] relative = new double[rows];
        Arrays.fill(relative, 1);
        EntropySteps steps = new EntropySteps(weights, relative);
        return withoutMoments(weights.length / Math.max(1, rows)).round(weights, rows,
                List.of(new Codebook.Uniform(8)), steps.at(steps.factor(rate)));
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
     * @param sets sets of codes, of which each row takes one
     */
    public Rounded round(double[] weights, int rows, List<Codebook> sets) {
        return round(weights, rows, sets, null);
    }

    /** As the other method, with these scales, one a row, from which only their fit departs; null tries several. */
    public Rounded round(double[] weights, int rows, List<Codebook> sets, float[] given) {
        return round(weights, rows, size, _ -> this, sets, given);
    }

    /** As the other methods, each row by a rounding of its own. */
    public static Rounded round(double[] weights, int rows, int size, IntFunction<WeightRounding> roundings,
            List<Codebook> sets, float[] given) {
        RowCodes[] found = new RowCodes[rows];
        IntStream.range(0, rows).parallel().forEach(row -> found[row] = roundings.apply(row)
                .row(Arrays.copyOfRange(weights, row * size, (row + 1) * size), sets, given == null ? 0 : given[row]));
        return rounded(found, size, roundings);
    }

    /** The rows together. */
    public static Rounded rounded(RowCodes[] rows, int size, IntFunction<WeightRounding> roundings) {
        byte[] codes = new byte[rows.length * size];
        float[] scales = new float[rows.length];
        int[] zeros = new int[rows.length];
        for (int row = 0; row < rows.length; row++) {
            int[] own = roundings.apply(row).codes(rows[row]);
            for (int i = 0; i < size; i++) {
                codes[row * size + i] = (byte) own[i];
            }
            scales[row] = rows[row].scale();
            zeros[row] = rows[row].set().zero();
        }
        return new Rounded(codes, scales, zeros);
    }

    /**
     * Codes of one row, in an order of their own.
     *
     * @param scale from which only its fit departs; 0 tries several
     */
    public RowCodes row(double[] weights, List<Codebook> sets, float scale) {
        double[] wanted = ordered(weights);
        return round(wanted, scale == 0 ? ScaledCodebook.of(wanted, sets, steps.scales())
                : sets.stream().map(set -> new ScaledCodebook(set, scale)).toList());
    }

    /** Makes the codes of a row better for weights that have moved since. */
    void improve(double[] weights, RowCodes row) {
        if (steps.descend()) {
            descent.descend(ordered(weights), row, steps.refits());
        }
    }

    /** The codes of a row in the order of the weights. */
    public int[] codes(RowCodes row) {
        int[] codes = new int[size];
        for (int i = 0; i < size; i++) {
            codes[order[i]] = row.codes()[i];
        }
        return codes;
    }

    private double[] ordered(double[] weights) {
        double[] ordered = new double[size];
        for (int i = 0; i < size; i++) {
            ordered[i] = weights[order[i]];
        }
        return ordered;
    }

    /** The objective of a row whose every weight is off by a variance of 1 when it is rounded. */
    public double unitNoise() {
        return Arrays.stream(costs()).sum();
    }

    /** What a squared error of each weight costs, in the order of falling energy. */
    private double[] costs() {
        if (compensation != null) {
            return compensation.costs();
        }
        double[] costs = new double[size];
        for (int i = 0; i < size; i++) {
            costs[i] = hessian[i * size + i];
        }
        return costs;
    }

    private RowCodes round(double[] wanted, List<ScaledCodebook> grids) {
        List<ScaledCodebook> tried = ScaledCodebook.best(grids, wanted, costs(), TRIED);
        List<RowCodes> rows = new ArrayList<>();
        if (compensation != null) {
            List<RowCodes> compensated = Arrays.stream(compensation.nearest(wanted, tried))
                    .sorted(Comparator.comparingDouble(RowCodes::error)).limit(steps.descend() ? REFINED : 1).toList();
            compensated.parallelStream().map(row -> {
                int paths = paths(row.set());
                return paths == 1 ? row : compensation.best(wanted, new ScaledCodebook(row.set(), row.scale()), paths);
            }).forEachOrdered(rows::add);
        }
        if (compensation == null || steps.descend()) {
            tried.stream().map(grid -> descent.nearest(wanted, grid))
                    .min(Comparator.comparingDouble(RowCodes::error)).ifPresent(rows::add);
        }
        if (steps.descend()) {
            rows.parallelStream().forEach(row -> descent.descend(wanted, row, steps.refits()));
        }
        return rows.stream().min(Comparator.comparingDouble(RowCodes::error)).orElseThrow();
    }

    /** Rounding errors of 8 bits are too small to be worth more than one. */
    private int paths(Codebook set) {
        return set.storedBits() == 8 || size == 0 ? 1
                : Math.clamp(PATH_WORK / size, steps.leastPaths(), steps.mostPaths());
    }
}
