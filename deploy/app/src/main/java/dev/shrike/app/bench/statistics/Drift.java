package dev.shrike.app.bench.statistics;

import java.util.Arrays;

/**
 * How the latency moved over a long run, by the medians of its tenths.
 *
 * @param medians of each part of the run, in order
 * @param change last median over the first, less 1
 * @param spread largest median over the smallest, less 1
 */
public record Drift(double[] medians, double change, double spread) {
    private static final int PARTS = 10;

    /** Of samples in the order in which they were taken; fewer parts where there are fewer samples. */
    public static Drift of(double[] samples) {
        int parts = Math.min(PARTS, samples.length);
        double[] medians = new double[parts];
        for (int i = 0; i < parts; i++) {
            medians[i] = Quantiles.median(Arrays.copyOfRange(samples, (int) ((long) samples.length * i / parts),
                    (int) ((long) samples.length * (i + 1) / parts)));
        }
        double min = Arrays.stream(medians).min().orElseThrow();
        double max = Arrays.stream(medians).max().orElseThrow();
        return new Drift(medians, medians[parts - 1] / medians[0] - 1, max / min - 1);
    }
}
