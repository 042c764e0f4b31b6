package dev.shrike.app.bench.statistics;

import java.util.Arrays;

/** Quantiles of samples, by linear interpolation between order statistics (Hyndman and Fan 1996, type 7). */
public final class Quantiles {
    private Quantiles() {}

    /**
     * The value below which that share of the samples lies.
     *
     * @param samples at least one, in any order; not changed
     * @param share 0 to 1
     */
    public static double of(double[] samples, double share) {
        double[] sorted = samples.clone();
        Arrays.sort(sorted);
        return ofSorted(sorted, share);
    }

    /** The median. */
    public static double median(double[] samples) {
        return of(samples, 0.5);
    }

    static double ofSorted(double[] sorted, double share) {
        if (sorted.length == 0) {
            throw new IllegalArgumentException("no samples");
        }
        double at = share * (sorted.length - 1);
        int low = (int) at;
        int high = Math.min(low + 1, sorted.length - 1);
        return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
    }
}
