package dev.shrike.calibration.linear;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class GramMatrixTest {
    private static final int SIZE = 7;
    private static final int OUTPUTS = 3;
    private static final int COUNT = 2500;

    private final float[] xs = new float[COUNT * SIZE];
    private final float[] ys = new float[COUNT * OUTPUTS];

    GramMatrixTest() {
        Random random = new Random(3);
        for (int i = 0; i < xs.length; i++) {
            xs[i] = (float) random.nextGaussian() + i % SIZE;
        }
        for (int i = 0; i < COUNT; i++) {
            for (int o = 0; o < OUTPUTS; o++) {
                double y = 5 * o + 0.1 * random.nextGaussian();
                for (int j = 0; j < SIZE; j++) {
                    y += weight(o, j) * xs[i * SIZE + j];
                }
                ys[i * OUTPUTS + o] = (float) y;
            }
        }
    }

    private static double weight(int output, int input) {
        return Math.sin(1 + output * SIZE + input);
    }

    private RidgeRegression fit() {
        try (GramMatrix moments = new GramMatrix(SIZE, OUTPUTS)) {
            for (int i = 0; i < COUNT; i++) {
                moments.add(xs, i * SIZE, ys, i * OUTPUTS, 1);
            }
            assertEquals(COUNT, moments.count());
            return moments.fit();
        }
    }

    @Test
    void aPairOfThriceTheWeightIsThreePairs() {
        try (GramMatrix weighted = new GramMatrix(SIZE, OUTPUTS); GramMatrix repeated = new GramMatrix(SIZE, OUTPUTS)) {
            for (int i = 0; i < 300; i++) {
                int times = i % 3 + 1;
                weighted.add(xs, i * SIZE, ys, i * OUTPUTS, times);
                for (int j = 0; j < times; j++) {
                    repeated.add(xs, i * SIZE, ys, i * OUTPUTS, 1);
                }
            }
            RidgeRegression one = weighted.fit();
            RidgeRegression other = repeated.fit();
            assertArrayEquals(other.covariance(), one.covariance(), 1e-4);
            assertArrayEquals(other.cross(), one.cross(), 1e-4);
            assertArrayEquals(other.meanX(), one.meanX(), 1e-9);
            assertArrayEquals(other.meanY(), one.meanY(), 1e-9);
            assertEquals(other.spread(), one.spread(), 1e-6);
        }
    }

    @Test
    void leastSquaresFindsWeightsAndOffsets() {
        RidgeRegression fit = fit();
        double[] weights = fit.weights(1e-9, new double[OUTPUTS * SIZE]);
        double[] offsets = fit.offsets(weights);
        for (int o = 0; o < OUTPUTS; o++) {
            for (int j = 0; j < SIZE; j++) {
                assertEquals(weight(o, j), weights[o * SIZE + j], 0.01);
            }
            assertEquals(5 * o, offsets[o], 0.1);
        }
    }

    @Test
    void theErrorIsThatOfThePairs() {
        RidgeRegression fit = fit();
        double[] weights = new double[OUTPUTS * SIZE];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = weight(i / SIZE, i % SIZE) + 0.2 * Math.cos(i);
        }
        double[] offsets = fit.offsets(weights);
        double sum = 0;
        for (int i = 0; i < COUNT; i++) {
            for (int o = 0; o < OUTPUTS; o++) {
                double rest = ys[i * OUTPUTS + o] - offsets[o];
                for (int j = 0; j < SIZE; j++) {
                    rest -= weights[o * SIZE + j] * xs[i * SIZE + j];
                }
                sum += rest * rest;
            }
        }
        assertEquals(sum / COUNT / fit.spread(), fit.relativeError(weights), 1e-3 * fit.relativeError(weights));
    }

    @Test
    void aStrongRidgeKeepsThePrior() {
        double[] prior = new double[OUTPUTS * SIZE];
        java.util.Arrays.fill(prior, 0.25);
        double[] weights = fit().weights(1e9, prior);
        for (double weight : weights) {
            assertEquals(0.25, weight, 1e-6);
        }
    }

    @Test
    void theFactorIsThatOfTheInverse() {
        double[] matrix = fit().damped(0.01);
        double[] factor = RidgeRegression.inverseFactor(matrix.clone(), SIZE);
        // matrix * U^T U is the unit matrix.
        for (int i = 0; i < SIZE; i++) {
            for (int j = 0; j < SIZE; j++) {
                double sum = 0;
                for (int k = 0; k < SIZE; k++) {
                    for (int l = 0; l <= Math.min(k, j); l++) {
                        sum += matrix[i * SIZE + k] * factor[l * SIZE + k] * factor[l * SIZE + j];
                    }
                }
                assertEquals(i == j ? 1 : 0, sum, 1e-9);
            }
        }
    }

    @Test
    void withoutPairsThereIsNoFit() {
        try (GramMatrix moments = new GramMatrix(2, 1)) {
            assertThrows(IllegalStateException.class, moments::fit);
        }
        assertTrue(fit().meanVariance() > 0);
    }
}
