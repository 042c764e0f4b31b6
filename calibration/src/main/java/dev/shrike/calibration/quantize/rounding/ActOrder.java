package dev.shrike.calibration.quantize.rounding;

import java.util.Comparator;
import java.util.stream.IntStream;

/** The order in which rounding goes through a matrix of moments: from the largest element of its diagonal down. */
final class ActOrder {
    private ActOrder() {}

    /**
     * Rows by falling diagonal.
     *
     * @param matrix {@code size x size}
     */
    static int[] of(double[] matrix, int size) {
        return IntStream.range(0, size).boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> -matrix[i * size + i]))
                .mapToInt(Integer::intValue).toArray();
    }

    /** The matrix with its rows and columns in that order. */
    static double[] sorted(double[] matrix, int[] order) {
        int size = order.length;
        double[] sorted = new double[matrix.length];
        for (int i = 0; i < size; i++) {
            for (int j = 0; j < size; j++) {
                sorted[i * size + j] = matrix[order[i] * size + order[j]];
            }
        }
        return sorted;
    }
}
