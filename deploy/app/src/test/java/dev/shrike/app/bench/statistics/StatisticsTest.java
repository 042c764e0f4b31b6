package dev.shrike.app.bench.statistics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Statistics on samples whose truth is known: simulated latencies with a long tail and disturbances of whole rounds.
 */
@Tag("any-processor")
class StatisticsTest {
    private static final int ROUNDS = 40;

    /** Values worked out by hand, and by numpy's default quantile. */
    @Test
    void summaryHasTheMomentsAndQuantilesOfTheSamples() {
        Summary summary = Summary.of(new double[] {4, 1, 3, 2, 10});
        assertEquals(5, summary.count());
        assertEquals(1, summary.min());
        assertEquals(10, summary.max());
        assertEquals(4, summary.mean(), 1e-12);
        assertEquals(3, summary.p50(), 1e-12);
        assertEquals(7.6, summary.p90(), 1e-12);
        assertEquals(8.8, summary.p95(), 1e-12);
        assertEquals(9.76, summary.p99(), 1e-12);
        assertEquals(Math.sqrt(12.5), summary.stddev(), 1e-12);
        assertEquals(0, Summary.of(new double[] {7}).stddev());
        assertEquals(2.5, Quantiles.median(new double[] {1, 2, 3, 4}), 1e-12);
        assertThrows(IllegalArgumentException.class, () -> Summary.of(new double[0]));
        assertThrows(IllegalArgumentException.class, () -> Summary.of(new double[] {1, -1}));
        assertThrows(IllegalArgumentException.class, () -> Quantiles.median(new double[0]));
    }

    /** Times of one engine in rounds that something disturbs: what happens to a round happens to both engines. */
    private static double[][] rounds(Random random, double slowdown) {
        double[][] times = new double[2][ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            double disturbance = random.nextInt(10) == 0 ? 1.3 + random.nextDouble() : 1 + 0.02 * random.nextDouble();
            for (int engine = 0; engine < 2; engine++) {
                double noise = 1 + 0.01 * Math.abs(random.nextGaussian()) + (random.nextInt(20) == 0 ? 0.2 : 0);
                times[engine][round] = 20 * disturbance * noise * (engine == 1 ? 1 + slowdown : 1);
            }
        }
        return times;
    }

    @Test
    void twoNamesForOneEngineSeldomDiffer() {
        Random random = new Random(7);
        int differ = 0;
        int differAcrossRuns = 0;
        for (int comparison = 0; comparison < 100; comparison++) {
            double[][] times = rounds(random, 0);
            differ += Verdict.ofRounds(times[0], times[1]) == Verdict.UNDECIDED ? 0 : 1;
            differAcrossRuns += Verdict.ofRuns(times[0], rounds(random, 0)[0]) == Verdict.UNDECIDED ? 0 : 1;
        }
        assertTrue(differ <= 5, differ + " of 100 comparisons in one run");
        assertTrue(differAcrossRuns <= 5, differAcrossRuns + " of 100 comparisons of two runs");
    }

    @Test
    void aSlowdownOfThreePercentIsFound() {
        Random random = new Random(11);
        int found = 0;
        int foundAcrossRuns = 0;
        for (int comparison = 0; comparison < 100; comparison++) {
            double[][] times = rounds(random, 0.03);
            found += Verdict.ofRounds(times[1], times[0]) == Verdict.SLOWER ? 1 : 0;
            foundAcrossRuns += Verdict.ofRuns(times[0], rounds(random, 0.03)[1]) == Verdict.FASTER ? 1 : 0;
            assertTrue(Verdict.ofRounds(times[1], times[0]) != Verdict.FASTER, "never the wrong way round");
        }
        assertTrue(found >= 95, found + " of 100 in one run");
        assertTrue(foundAcrossRuns >= 80, foundAcrossRuns + " of 100 of two runs");
    }

    @Test
    void intervalsHoldTheTruthAsOftenAsTheySay() {
        Random random = new Random(3);
        int covered = 0;
        int runs = 400;
        for (int run = 0; run < runs; run++) {
            double[][] times = rounds(random, 0.1);
            covered += Bootstrap.ratio(times[1], times[0], 0.95).contains(1.1) ? 1 : 0;
        }
        assertTrue(covered >= 0.92 * runs && covered <= 0.995 * runs, covered + " of " + runs);
    }

    @Test
    void sameSamplesGiveTheSameInterval() {
        double[][] times = rounds(new Random(1), 0.05);
        Interval interval = Bootstrap.ratio(times[0], times[1], 0.95);
        assertEquals(interval, Bootstrap.ratio(times[0], times[1], 0.95));
        assertTrue(interval.low() <= interval.estimate() && interval.estimate() <= interval.high());
        Interval certain = Bootstrap.median(new double[] {5, 5, 5}, 0.95);
        assertEquals(new Interval(5, 5, 5), certain);
        assertEquals(0, certain.relativeHalfWidth());
        assertThrows(IllegalArgumentException.class, () -> Bootstrap.ratio(new double[2], new double[3], 0.95));
    }

    /** Published tables of the exact distribution: for 4 and 4 values wholly apart p is 2 / 70. */
    @Test
    void mannWhitneyCountsSmallSamplesOut() {
        assertEquals(2.0 / 70, MannWhitney.pValue(new double[] {1, 2, 3, 4}, new double[] {5, 6, 7, 8}), 1e-12);
        assertEquals(2.0 / 70, MannWhitney.pValue(new double[] {5, 6, 7, 8}, new double[] {1, 2, 3, 4}), 1e-12);
        // U = 1 of 3 and 3: (1 + 1) * 2 / 20.
        assertEquals(0.2, MannWhitney.pValue(new double[] {1, 2, 4}, new double[] {3, 5, 6}), 1e-12);
        assertEquals(1, MannWhitney.pValue(new double[] {1, 4}, new double[] {2, 3}), 1e-12);
        assertEquals(1, MannWhitney.pValue(new double[] {2, 2, 2}, new double[] {2, 2}), 1e-12);
        assertEquals(1, MannWhitney.pValue(new double[0], new double[] {2}));
    }

    /** Counted by trying all divisions of 6 + 6 values. */
    @Test
    void mannWhitneyAgreesWithAllDivisions() {
        double[] values = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
        int asFar = 0;
        int all = 0;
        int observed = 8;
        for (int mask = 0; mask < 1 << values.length; mask++) {
            if (Integer.bitCount(mask) == 6) {
                int u = 0;
                for (int i = 0; i < 12; i++) {
                    for (int j = 0; j < i; j++) {
                        u += (mask >> i & 1) == 1 && (mask >> j & 1) == 0 ? 1 : 0;
                    }
                }
                all++;
                asFar += Math.min(u, 36 - u) <= observed ? 1 : 0;
            }
        }
        // The ones of a: its u is 8.
        double[] a = {1, 2, 3, 6, 7, 10};
        double[] b = {4, 5, 8, 9, 11, 12};
        double u = 0;
        for (double x : a) {
            for (double y : b) {
                u += x > y ? 1 : 0;
            }
        }
        assertEquals(observed, u);
        assertEquals((double) asFar / all, MannWhitney.pValue(a, b), 1e-12);
    }

    @Test
    void mannWhitneyOfManyIsNearTheExact() {
        Random random = new Random(5);
        double[] a = random.doubles(20).toArray();
        double[] b = random.doubles(20).map(value -> value + 0.25).toArray();
        double exact = MannWhitney.pValue(a, b);
        // One tie, which the exact distribution does not have, leads to the normal one.
        double[] tied = b.clone();
        Arrays.sort(tied);
        int nearest = 0;
        for (int i = 1; i + 1 < tied.length; i++) {
            nearest = tied[i + 1] - tied[i] < tied[nearest + 1] - tied[nearest] ? i : nearest;
        }
        tied[nearest + 1] = tied[nearest];
        assertEquals(exact, MannWhitney.pValue(a, tied), 0.02);
    }

    @Test
    void fewRoundsDecideNothing() {
        double[] few = {1, 1, 1};
        double[] slow = {2, 2, 2};
        assertEquals(Verdict.UNDECIDED, Verdict.ofRounds(few, slow));
        assertEquals(Verdict.UNDECIDED, Verdict.ofRuns(few, slow));
        assertEquals(Verdict.UNDECIDED, Verdict.ofRuns(new double[0], slow));
    }

    @Test
    void warmUpEndsWhenRunsAreAlike() {
        WarmUp falling = new WarmUp();
        for (int i = 0; i < 40; i++) {
            falling.add(100 * Math.pow(0.9, i));
            assertFalse(falling.converged(), "still falling after " + i);
        }
        WarmUp level = new WarmUp();
        for (int i = 0; i < 3; i++) {
            level.add(100);
        }
        int runs = 0;
        while (!level.converged()) {
            level.add(10 + 0.01 * (runs++ % 3));
        }
        assertTrue(runs <= 12, "runs " + runs);
        assertEquals(runs + 3, level.runs());
    }

    @Test
    void driftIsTheMoveOfTheMedians() {
        double[] samples = new double[1000];
        Arrays.setAll(samples, i -> i < 900 ? 10 : 12);
        samples[5] = 500;
        Drift drift = Drift.of(samples);
        assertEquals(10, drift.medians().length);
        assertEquals(0.2, drift.change(), 1e-12);
        assertEquals(0.2, drift.spread(), 1e-12);
        assertEquals(0, Drift.of(new double[] {3}).change());
    }
}
