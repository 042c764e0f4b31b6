package dev.shrike.calibration.prune;

import java.util.Arrays;

/**
 * Chooses one level for each of several groups so that the losses sum up to the least while the savings reach a target:
 * the multiple-choice knapsack problem, by dynamic programming over whole savings (Pisinger 1995). It is exact.
 */
final class MultipleChoiceKnapsack {
    private final int[][] savings;
    private final int most;
    /** The least loss for each sum of savings. */
    private final double[] least;
    /** The level of each group on the way to each sum, -1 where the sum cannot be reached. */
    private final byte[][] levels;

    /**
     * Solves the problem for all targets.
     *
     * @param losses {@code [group][level]}, at most 127 levels
     * @param savings {@code [group][level]}, not negative
     */
    MultipleChoiceKnapsack(double[][] losses, int[][] savings) {
        this.savings = savings;
        this.most = Arrays.stream(savings).mapToInt(own -> Arrays.stream(own).max().orElse(0)).sum();
        this.levels = new byte[savings.length][most + 1];
        double[] sums = new double[most + 1];
        Arrays.fill(sums, Double.POSITIVE_INFINITY);
        sums[0] = 0;
        for (int group = 0; group < savings.length; group++) {
            double[] next = new double[most + 1];
            Arrays.fill(next, Double.POSITIVE_INFINITY);
            Arrays.fill(levels[group], (byte) -1);
            for (int level = 0; level < savings[group].length; level++) {
                int saving = savings[group][level];
                for (int sum = saving; sum <= most; sum++) {
                    double loss = sums[sum - saving] + losses[group][level];
                    if (loss < next[sum]) {
                        next[sum] = loss;
                        levels[group][sum] = (byte) level;
                    }
                }
            }
            sums = next;
        }
        this.least = sums;
    }

    /** The most that can be saved. */
    int most() {
        return most;
    }

    /** The level of each group for the least loss whose saving is the target or more. */
    int[] levels(int target) {
        int best = most;
        for (int sum = most; sum >= target; sum--) {
            best = least[sum] <= least[best] ? sum : best;
        }
        int[] chosen = new int[savings.length];
        for (int group = savings.length - 1; group >= 0; group--) {
            chosen[group] = levels[group][best];
            best -= savings[group][chosen[group]];
        }
        return chosen;
    }
}
