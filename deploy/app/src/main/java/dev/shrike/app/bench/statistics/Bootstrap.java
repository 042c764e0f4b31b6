package dev.shrike.app.bench.statistics;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;

/**
 * Intervals by the percentile bootstrap (Efron 1979): the rounds of a run are drawn again with replacement, and the
 * quantiles of what the draws give are the ends. Rounds, not runs, are drawn: the runs of one round were disturbed by
 * the
 * same things, so they are no independent samples. Draws are the same each time for the same samples.
 */
public final class Bootstrap {
    private static final int DRAWS = 2000;
    private static final long SEED = 0x5eed;

    private Bootstrap() {}

    /**
     * The median of the values, with its interval.
     *
     * @param rounds a positive value of each round, at least one
     * @param confidence such as 0.95
     */
    public static Interval median(double[] rounds, double confidence) {
        return interval(rounds, confidence, Quantiles::median);
    }

    /**
     * The median of the ratios of two engines, taken round by round, with its interval.
     *
     * @param a a positive value of each round
     * @param b the same of the other engine in the same rounds
     */
    public static Interval ratio(double[] a, double[] b, double confidence) {
        if (a.length != b.length) {
            throw new IllegalArgumentException(a.length + " rounds beside " + b.length);
        }
        double[] ratios = new double[a.length];
        Arrays.setAll(ratios, i -> a[i] / b[i]);
        return median(ratios, confidence);
    }

    private static Interval interval(double[] rounds, double confidence, ToDoubleFunction<double[]> statistic) {
        SplittableRandom random = new SplittableRandom(SEED);
        double[] draws = new double[DRAWS];
        double[] drawn = new double[rounds.length];
        for (int draw = 0; draw < DRAWS; draw++) {
            for (int i = 0; i < drawn.length; i++) {
                drawn[i] = rounds[random.nextInt(rounds.length)];
            }
            draws[draw] = statistic.applyAsDouble(drawn);
        }
        double tail = (1 - confidence) / 2;
        return new Interval(statistic.applyAsDouble(rounds), Quantiles.of(draws, tail), Quantiles.of(draws, 1 - tail));
    }
}
