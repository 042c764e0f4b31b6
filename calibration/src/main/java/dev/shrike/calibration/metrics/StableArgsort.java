package dev.shrike.calibration.metrics;

import java.util.Arrays;

/** Orders by score. */
final class StableArgsort {
    private StableArgsort() {}

    /** Positions of the scores, best first; equal ones keep their order. */
    static int[] best(double[] scores) {
        Integer[] order = new Integer[scores.length];
        Arrays.setAll(order, i -> i);
        // Adding 0 makes -0 the same as 0. The sort of objects is stable.
        Arrays.sort(order, (a, b) -> Double.compare(scores[b] + 0.0, scores[a] + 0.0));
        return Arrays.stream(order).mapToInt(Integer::intValue).toArray();
    }
}
