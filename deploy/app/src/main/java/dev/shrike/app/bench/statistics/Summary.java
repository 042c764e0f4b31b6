package dev.shrike.app.bench.statistics;

import java.util.Arrays;

/**
 * Order statistics and moments of exact samples, in the unit of the samples. Nothing is left out as an outlier: a slow
 * frame is slow for whoever waits for it.
 *
 * @param count number of samples
 * @param min smallest
 * @param mean arithmetic mean
 * @param p50 median
 * @param p90 90th percentile
 * @param p95 95th percentile
 * @param p99 99th percentile
 * @param max largest
 * @param stddev standard deviation of a sample (n - 1), 0 for one sample
 */
public record Summary(int count, double min, double mean, double p50, double p90, double p95, double p99, double max,
        double stddev) {
    public Summary {
        if (count < 1) {
            throw new IllegalArgumentException("a summary of " + count + " samples");
        }
        for (double value : new double[] {min, mean, p50, p90, p95, p99, max, stddev}) {
            if (!(value >= 0) || Double.isInfinite(value)) {
                throw new IllegalArgumentException("a summary with the value " + value);
            }
        }
    }

    /** The summary of samples that are not negative; at least one. */
    public static Summary of(double[] samples) {
        if (samples.length == 0) {
            throw new IllegalArgumentException("no samples");
        }
        double[] sorted = samples.clone();
        Arrays.sort(sorted);
        double mean = Arrays.stream(sorted).sum() / sorted.length;
        double squares = Arrays.stream(sorted).map(value -> (value - mean) * (value - mean)).sum();
        double deviation = sorted.length < 2 ? 0 : Math.sqrt(squares / (sorted.length - 1));
        return new Summary(sorted.length, sorted[0], mean, Quantiles.ofSorted(sorted, 0.5),
                Quantiles.ofSorted(sorted, 0.9), Quantiles.ofSorted(sorted, 0.95), Quantiles.ofSorted(sorted, 0.99),
                sorted[sorted.length - 1], deviation);
    }
}
