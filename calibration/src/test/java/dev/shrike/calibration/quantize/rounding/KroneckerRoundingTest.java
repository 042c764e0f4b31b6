package dev.shrike.calibration.quantize.rounding;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KroneckerRoundingTest {
    private static final double FLOOR = 0.2;

    /** Products of the gradients of channels that all lead to a few values of the head. */
    private static double[] moments(Random random, int rows, int sensitivity) {
        double[] gradients = WeightRoundingTest.weights(random, sensitivity * rows);
        double[] moments = new double[rows * rows];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < rows; j++) {
                for (int k = 0; k < sensitivity; k++) {
                    moments[i * rows + j] += gradients[k * rows + i] * gradients[k * rows + j];
                }
            }
        }
        return moments;
    }

    /** {@code tr(S E H E^T)}, S being the moments with a mean diagonal of 1 and a floor. */
    private static double objective(double[] moments, double[] hessian, double[] wanted, double[] floats) {
        int rows = (int) Math.sqrt(moments.length);
        int size = wanted.length / rows;
        double mean = IntStream.range(0, rows).mapToDouble(i -> moments[i * rows + i]).sum() / rows;
        double sum = 0;
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < rows; j++) {
                double own = 0;
                for (int k = 0; k < size; k++) {
                    for (int l = 0; l < size; l++) {
                        own += (wanted[i * size + k] - floats[i * size + k]) * hessian[k * size + l]
                                * (wanted[j * size + l] - floats[j * size + l]);
                    }
                }
                sum += own * ((1 - FLOOR) * moments[i * rows + j] / mean + (i == j ? FLOOR : 0));
            }
        }
        return sum;
    }

    @ParameterizedTest
    @CsvSource({
            "uniform, 4, 16, 24, 4, 0.5", "uniform, 4, 12, 9, 12, 0.85", "uniform, 3, 16, 32, 3, 0.5",
            "uniform, 2, 8, 16, 2, 0.55",
            "power-of-two, 4, 16, 24, 4, 0.55", "symmetric, 5, 9, 10, 3, 0.6"
    })
    void errorsCancelWhereTheHeadIsSensitive(String codes, int bits, int rows, int size, int sensitivity, double most) {
        List<Codebook> sets = WeightFormat.parse(codes).sets(bits);
        double logs = 0;
        int trials = 10;
        for (int seed = 0; seed < trials; seed++) {
            Random random = new Random(seed);
            double[] hessian = WeightRoundingTest.hessian(random, size);
            double[] moments = moments(random, rows, sensitivity);
            double[] weights = WeightRoundingTest.weights(random, rows * size);
            WeightRounding rounding = new WeightRounding(hessian, size, WeightRounding.Steps.ALL);
            WeightRounding.Rounded single = rounding.round(weights, rows, sets);
            WeightRounding.Rounded coupled =
                    new KroneckerRounding(moments, rows).round(weights, _ -> rounding, sets, null);
            double before = objective(moments, hessian, weights, single.floats());
            double after = objective(moments, hessian, weights, coupled.floats());
            logs += Math.log(after / before) / trials;
            for (int i = 0; i < weights.length; i++) {
                int code = coupled.codes()[i];
                int zero = coupled.zeros()[i / size];
                assertTrue(sets.stream().anyMatch(set -> set.zero() == zero && set.nearest(code) == code));
            }
        }
        assertTrue(Math.exp(logs) < most, "errors cost " + Math.exp(logs));
    }

    @Test
    void rowsThatCountForThemselvesAreRoundedAsIfAlone() {
        Random random = new Random(3);
        int rows = 7;
        int size = 18;
        double[] moments = new double[rows * rows];
        for (int i = 0; i < rows; i++) {
            moments[i * rows + i] = i;
        }
        WeightRounding rounding = new WeightRounding(WeightRoundingTest.hessian(random, size), size,
                WeightRounding.Steps.ALL);
        double[] weights = WeightRoundingTest.weights(random, rows * size);
        List<Codebook> sets = WeightFormat.UNIFORM.sets(4);
        WeightRounding.Rounded alone = rounding.round(weights, rows, sets);
        WeightRounding.Rounded coupled = new KroneckerRounding(moments, rows).round(weights, _ -> rounding, sets, null);
        assertArrayEquals(alone.codes(), coupled.codes());
        assertArrayEquals(alone.scales(), coupled.scales());
        assertArrayEquals(alone.zeros(), coupled.zeros());
    }

    /** All codes of two rows of two weights are tried. */
    @Test
    void isNearlyTheBestThatThereIs() {
        double logs = 0;
        int trials = 40;
        for (int seed = 0; seed < trials; seed++) {
            Random random = new Random(seed);
            double[] hessian = WeightRoundingTest.hessian(random, 2);
            double[] moments = moments(random, 2, 1);
            double[] weights = WeightRoundingTest.weights(random, 4);
            Codebook set = new Codebook.Uniform(3);
            WeightRounding rounding = new WeightRounding(hessian, 2, new WeightRounding.Steps(true, true, 0, 1, 8, 8));
            WeightRounding.Rounded found = new KroneckerRounding(moments, 2).round(weights, _ -> rounding, List.of(set),
                    new float[] {0.4f, 0.4f});
            double least = Double.POSITIVE_INFINITY;
            for (int i = 0; i < 1 << 12; i++) {
                double[] floats = new double[4];
                for (int j = 0; j < 4; j++) {
                    floats[j] = ((i >> 3 * j & 7) - 4) * (double) 0.4f;
                }
                least = Math.min(least, objective(moments, hessian, weights, floats));
            }
            double error = objective(moments, hessian, weights, found.floats());
            assertTrue(error >= least * (1 - 1e-6));
            logs += Math.log(error / least) / trials;
        }
        assertTrue(Math.exp(logs) < 1.03, "errors cost " + Math.exp(logs) + " of the least");
    }

    @Test
    void gradientsThatSayNothingCoupleNothing() {
        Random random = new Random(1);
        WeightRounding rounding = new WeightRounding(WeightRoundingTest.hessian(random, 5), 5,
                WeightRounding.Steps.ALL);
        double[] weights = WeightRoundingTest.weights(random, 15);
        List<Codebook> sets = WeightFormat.UNIFORM.sets(4);
        for (double moment : new double[] {0, Double.NaN, Double.POSITIVE_INFINITY, Double.MIN_VALUE}) {
            double[] moments = new double[9];
            Arrays.fill(moments, moment);
            assertArrayEquals(rounding.round(weights, 3, sets).codes(),
                    new KroneckerRounding(moments, 3).round(weights, _ -> rounding, sets, null).codes(),
                    "of " + moment);
        }
    }
}
