package dev.shrike.calibration.quantize;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.calibration.linear.RidgeRegression;
import dev.shrike.calibration.quantize.rounding.EntropySteps;
import dev.shrike.calibration.quantize.rounding.WeightRounding;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EntropyStepsTest {
    private static double[] gaussian(long seed, int count) {
        Random random = new Random(seed);
        return IntStream.range(0, count).mapToDouble(_ -> random.nextGaussian()).toArray();
    }

    @Test
    void entropyOfKnownDistributions() {
        assertEquals(0, EntropySteps.entropy(new byte[100]));
        assertEquals(1, EntropySteps.entropy(new byte[] {-1, 1, 1, -1}), 1e-12);
        assertEquals(1.5, EntropySteps.entropy(new byte[] {0, 0, 127, -128}), 1e-12);
        byte[] all = new byte[256];
        IntStream.range(0, 256).forEach(i -> all[i] = (byte) i);
        assertEquals(8, EntropySteps.entropy(all), 1e-12);
    }

    /** Of a Gaussian in fine steps d the entropy is log2(sigma sqrt(2 pi e) / d). */
    @ParameterizedTest
    @ValueSource(doubles = {3, 3.7, 4, 5})
    void stepsOfGaussianWeightsAreThoseOfTheory(double rate) {
        double[] weights = gaussian(3, 200_000);
        EntropySteps steps = new EntropySteps(weights, new double[] {1, 1});
        double factor = steps.factor(rate);
        assertEquals(Math.sqrt(2 * Math.PI * Math.E) / Math.pow(2, rate), factor, (rate > 3 ? 0.005 : 0.02) * factor);
        assertEquals(rate, steps.entropy(factor), 1e-3);
    }

    @ParameterizedTest
    @CsvSource({"0.5, 1", "1.2, 2", "4, 3", "5, 4"})
    void theRateIsKeptWithDifferentStepsOfRows(double rate, long seed) {
        int rows = 24;
        double[] weights = gaussian(seed, rows * 400);
        double[] relative = new Random(seed).doubles(rows, 0.3, 3).toArray();
        EntropySteps layer = new EntropySteps(weights, relative);
        double factor = layer.factor(rate);
        float[] steps = layer.at(factor);
        double entropy = layer.entropy(factor);
        assertTrue(entropy <= rate && entropy > rate - 0.02, entropy + " for " + rate);
        for (int row = 0; row < rows; row++) {
            assertEquals(factor * relative[row], steps[row], 1e-6 * steps[row]);
        }
    }

    @Test
    void noStepIsTooFineForItsLargestWeight() {
        double[] weights = {0.5, -12.7, 3, 1e-3, 2e-3, 0};
        EntropySteps layer = new EntropySteps(weights, new double[] {1, 1});
        float[] steps = layer.at(layer.factor(8));
        assertEquals(0.1, steps[0], 1e-6);
        assertEquals(2e-3 / 127, steps[1], 1e-9);
        EntropySteps nothing = new EntropySteps(new double[4], new double[] {1, 1});
        float[] zeros = nothing.at(nothing.factor(4));
        assertTrue(zeros[0] > 0 && zeros[1] > 0);
    }

    private static RidgeRegression fit(Random random, int size) {
        double[] mixing = random.doubles((long) size * size, -1, 1).toArray();
        double[] covariance = new double[size * size];
        for (int i = 0; i < size; i++) {
            for (int j = 0; j < size; j++) {
                for (int k = 0; k < size; k++) {
                    covariance[i * size + j] += mixing[i * size + k] * mixing[j * size + k] / size;
                }
            }
        }
        return new RidgeRegression(size, 1, covariance, new double[size], new double[size], new double[1], 1);
    }

    /** Compensation widens the distribution of codes; the steps make up for that. */
    @ParameterizedTest
    @CsvSource({"2.5, true", "4, true", "4, false", "6, false"})
    void roundedLayersHaveTheEntropyWanted(double rate, boolean ownMoments) {
        Random random = new Random(5);
        int size = 60;
        int rows = 40;
        List<RidgeRegression> parts = ownMoments ? IntStream.range(0, rows).mapToObj(_ -> fit(random, size)).toList()
                : List.of(fit(random, size));
        PtqOptions given = PtqOptions.parse("no-fit");
        LayerFit layer = new LayerFit(parts, gaussian(9, rows * size), given, rate, null);
        WeightRounding.Rounded rounded = layer.round(rate, random.doubles(rows, 0.1, 10).toArray());
        assertEquals(rate, EntropySteps.entropy(rounded.codes()), 0.03);
        WeightRounding.Rounded alike = layer.round(rate, new double[0]);
        assertEquals(rate, EntropySteps.entropy(alike.codes()), 0.03);
        assertTrue(IntStream.range(0, rows).anyMatch(row -> rounded.scales()[row] != alike.scales()[row]));
    }

    @Test
    void rowsThatCountMoreGetFinerSteps() {
        assertArrayEquals(new double[] {Math.sqrt(10 / 2.0), Math.sqrt(10 / 8.0), Math.sqrt(10 / 32.0)},
                LayerFit.relativeSteps(new double[] {1, 4, 4}, new double[] {2, 2, 8}, 10), 1e-9);
        double[] steps = LayerFit.relativeSteps(new double[] {0, 100}, new double[] {1, 1}, 10);
        assertEquals(1, Math.sqrt(0.02 * 50 / 100) * steps[0] / steps[1], 1e-9);
    }
}
