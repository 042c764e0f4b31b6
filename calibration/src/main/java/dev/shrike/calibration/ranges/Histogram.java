package dev.shrike.calibration.ranges;

import java.util.Arrays;
import java.util.Objects;

/**
 * A histogram of a stream of floats that knows no range beforehand. All bins have one width, a power of two, and bin i
 * counts the values from {@code i * width} up to, not including, {@code (i + 1) * width}. When a value lies beyond the
 * bins, the width doubles and neighbours are merged, which loses nothing: the result is that of counting with the final
 * width from the start, whatever the order of the values.
 */
public final class Histogram {
    /** Number of bins, half of them for negative values. */
    public static final int BINS = 1 << 14;

    private static final int HALF = BINS / 2;
    private static final int SMALLEST_EXPONENT = -100;

    private final long[] counts;
    private int exponent;
    private long total;

    /** An empty histogram. */
    public Histogram() {
        this(SMALLEST_EXPONENT, new long[BINS]);
    }

    /**
     * A histogram that was recorded before.
     *
     * @param exponent the width of a bin is {@code 2^exponent}
     * @param counts one for every bin; copied
     */
    public Histogram(int exponent, long[] counts) {
        Objects.requireNonNull(counts, "counts");
        if (counts.length != BINS || exponent < SMALLEST_EXPONENT || exponent > Float.MAX_EXPONENT) {
            throw new IllegalArgumentException(counts.length + " bins of width 2^" + exponent);
        }
        this.exponent = exponent;
        this.counts = counts.clone();
        this.total = Arrays.stream(counts).sum();
    }

    /**
     * Counts values.
     *
     * @throws IllegalArgumentException if one of them is no finite number
     */
    public void add(float[] values, int from, int count) {
        add(values, from, count, null);
    }

    /**
     * Counts values, each as often as its weight says.
     *
     * @param weights of all values, not negative; null counts each once
     * @throws IllegalArgumentException if a value is no finite number
     */
    public void add(float[] values, int from, int count, long[] weights) {
        float largest = 0;
        boolean finite = true;
        for (int i = from; i < from + count; i++) {
            largest = Math.max(largest, Math.abs(values[i]));
            finite &= Float.isFinite(values[i]);
        }
        if (!finite) {
            throw new IllegalArgumentException("a value is no finite number");
        }
        // -HALF * width itself still has a bin, but +HALF * width does not.
        if (total == 0 && largest > 0) {
            exponent = Math.max(SMALLEST_EXPONENT, Math.getExponent(largest) + 2 - Integer.numberOfTrailingZeros(BINS));
        }
        while (largest >= HALF * width()) {
            widen();
        }
        double inverse = Math.scalb(1.0, -exponent);
        for (int i = from; i < from + count; i++) {
            // Exact in double but for values far below a bin's width; cutting is rounding down, the sum being positive.
            long times = weights == null ? 1 : weights[i];
            counts[(int) (values[i] * inverse + HALF)] += times;
            total += times;
        }
    }

    /** Adds what the other one counted. */
    public void add(Histogram other) {
        Histogram own = new Histogram(other.exponent, other.counts);
        while (own.exponent < exponent) {
            own.widen();
        }
        while (exponent < own.exponent) {
            widen();
        }
        for (int i = 0; i < BINS; i++) {
            counts[i] += own.counts[i];
        }
        total += own.total;
    }

    private void widen() {
        long[] merged = new long[BINS];
        for (int i = 0; i < BINS; i++) {
            merged[Math.floorDiv(i - HALF, 2) + HALF] += counts[i];
        }
        System.arraycopy(merged, 0, counts, 0, BINS);
        exponent++;
    }

    /** Number of values counted. */
    public long total() {
        return total;
    }

    /** Logarithm to the base 2 of the width of a bin. */
    public int exponent() {
        return exponent;
    }

    /** Width of a bin. */
    public double width() {
        return Math.scalb(1.0, exponent);
    }

    /** The count of each bin, a copy; bin {@code BINS / 2} begins at 0. */
    public long[] counts() {
        return counts.clone();
    }

    /** The lower edge of a bin. */
    public double edge(int bin) {
        return (bin - HALF) * width();
    }

    /** The bins that are not empty, as values and how often they came; bins are merged until there are few enough. */
    public Points points(int most) {
        Histogram merged = new Histogram(exponent, counts);
        while (merged.occupied() > most) {
            merged.widen();
        }
        int size = merged.occupied();
        double[] values = new double[size];
        double[] weights = new double[size];
        int at = 0;
        for (int i = 0; i < BINS; i++) {
            if (merged.counts[i] > 0) {
                values[at] = merged.edge(i) + merged.width() / 2;
                weights[at++] = merged.counts[i];
            }
        }
        return new Points(values, weights);
    }

    private int occupied() {
        int occupied = 0;
        for (long count : counts) {
            occupied += count > 0 ? 1 : 0;
        }
        return occupied;
    }

    /**
     * The value below which this share of all values lies, to half a bin.
     *
     * @param share 0 to 1
     */
    public double quantile(double share) {
        double wanted = share * total;
        double seen = 0;
        for (int i = 0; i < BINS; i++) {
            if (counts[i] > 0 && seen + counts[i] >= wanted) {
                return edge(i) + width() * Math.clamp((wanted - seen) / counts[i], 0, 1);
            }
            seen += counts[i];
        }
        return 0;
    }

    /**
     * Values with weights.
     *
     * @param values middles of bins, ascending
     * @param weights how many values lie in each
     */
    public record Points(double[] values, double[] weights) {
        public Points {
            if (values.length != weights.length) {
                throw new IllegalArgumentException(values.length + " values and " + weights.length + " weights");
            }
        }
    }
}
