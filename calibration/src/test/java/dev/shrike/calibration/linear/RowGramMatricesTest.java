package dev.shrike.calibration.linear;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RowGramMatricesTest {
    private static final int SIZE = 5;
    private static final int OUTPUTS = 2;
    private static final int COUNT = 2100;

    private final float[] xs = new float[COUNT * SIZE];
    private final float[] ys = new float[COUNT * OUTPUTS];
    private final float[] weights = new float[COUNT * OUTPUTS];

    RowGramMatricesTest() {
        Random random = new Random(11);
        for (int i = 0; i < xs.length; i++) {
            xs[i] = (float) random.nextGaussian() + i % SIZE;
        }
        for (int i = 0; i < ys.length; i++) {
            ys[i] = (float) random.nextGaussian() + xs[i / OUTPUTS * SIZE + i % OUTPUTS];
            weights[i] = 0.1f + random.nextFloat();
        }
    }

    private RowGramMatrices filled(float[] given) {
        RowGramMatrices moments = new RowGramMatrices(SIZE, OUTPUTS);
        for (int i = 0; i < COUNT; i++) {
            moments.add(xs, i * SIZE, ys, i * OUTPUTS,
                    Arrays.copyOfRange(given, i * OUTPUTS, (i + 1) * OUTPUTS));
        }
        assertEquals(COUNT, moments.count());
        return moments;
    }

    @Test
    void withEqualWeightsAllIsAsInMoments() {
        float[] ones = new float[weights.length];
        Arrays.fill(ones, 3);
        try (RowGramMatrices rows = filled(ones); GramMatrix all = new GramMatrix(SIZE, OUTPUTS)) {
            for (int i = 0; i < COUNT; i++) {
                all.add(xs, i * SIZE, ys, i * OUTPUTS, 1);
            }
            RidgeRegression whole = all.fit();
            double spread = 0;
            for (int output = 0; output < OUTPUTS; output++) {
                RidgeRegression own = rows.fit(output);
                assertArrayEquals(whole.covariance(), own.covariance(), 1e-3);
                assertArrayEquals(Arrays.copyOfRange(whole.cross(), output * SIZE, (output + 1) * SIZE), own.cross(),
                        1e-3);
                assertEquals(whole.meanY()[output], own.meanY()[0], 1e-3);
                spread += own.spread();
            }
            assertEquals(whole.spread(), spread, 1e-3);
        }
    }

    @Test
    void theErrorIsTheWeightedOneOfThePairs() {
        try (RowGramMatrices rows = filled(weights)) {
            for (int output = 0; output < OUTPUTS; output++) {
                RidgeRegression fit = rows.fit(output);
                double[] given = {0.5, -0.25, 0.1, 0, 0.2};
                double offset = fit.offsets(given)[0];
                double sum = 0;
                double total = 0;
                for (int i = 0; i < COUNT; i++) {
                    double rest = ys[i * OUTPUTS + output] - offset;
                    for (int j = 0; j < SIZE; j++) {
                        rest -= given[j] * xs[i * SIZE + j];
                    }
                    sum += weights[i * OUTPUTS + output] * rest * rest;
                    total += weights[i * OUTPUTS + output];
                }
                assertEquals(sum / total, fit.relativeError(given) * fit.spread(), 1e-3 * sum / total);
                double best = fit.relativeError(fit.weights(1e-9, new double[SIZE]));
                assertTrue(best <= fit.relativeError(given));
            }
        }
    }

    @Test
    void largeLayersAreNotAffordable() {
        assertTrue(RowGramMatrices.isAffordable(144, 32, 30_000));
        assertFalse(RowGramMatrices.isAffordable(2304, 256, 10));
        assertFalse(RowGramMatrices.isAffordable(288, 64, 10_000_000));
        try (RowGramMatrices empty = new RowGramMatrices(1, 1)) {
            assertThrows(IllegalStateException.class, () -> empty.fit(0));
        }
    }
}
