package dev.shrike.calibration.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WeightRoundingTest {
    /** Second moments of correlated inputs of very different energy. */
    private static double[] hessian(Random random, int size) {
        double[] mixing = new double[size * size];
        for (int i = 0; i < mixing.length; i++) {
            mixing[i] = random.nextGaussian() * Math.exp(random.nextGaussian());
        }
        double[] result = new double[size * size];
        for (int i = 0; i < size; i++) {
            for (int j = 0; j < size; j++) {
                for (int k = 0; k < size; k++) {
                    result[i * size + j] += mixing[i * size + k] * mixing[j * size + k];
                }
            }
            result[i * size + i] += 0.01;
        }
        return result;
    }

    private static double[] weights(Random random, int count) {
        double[] weights = new double[count];
        for (int i = 0; i < count; i++) {
            weights[i] = random.nextGaussian();
        }
        return weights;
    }

    private static double objective(double[] hessian, int size, double[] weights, WeightRounding.Rounded rounded) {
        double[] reals = rounded.reals();
        double sum = 0;
        for (int row = 0; row < weights.length / size; row++) {
            for (int i = 0; i < size; i++) {
                for (int j = 0; j < size; j++) {
                    sum += (weights[row * size + i] - reals[row * size + i]) * hessian[i * size + j]
                            * (weights[row * size + j] - reals[row * size + j]);
                }
            }
        }
        return sum;
    }

    @ParameterizedTest
    @CsvSource({"1, 2, 9", "2, 3, 24", "3, 4, 33", "4, 4, 64", "5, 8, 20", "6, 5, 1", "7, 6, 17"})
    void neverWorseThanRoundingToNearest(long seed, int bits, int size) {
        Random random = new Random(seed);
        double[] hessian = hessian(random, size);
        double[] weights = weights(random, 5 * size);
        WeightRounding.Rounded nearest =
                new WeightRounding(hessian, size, WeightRounding.Steps.NEAREST).round(weights, 5, bits);
        WeightRounding.Rounded all =
                new WeightRounding(hessian, size, WeightRounding.Steps.ALL).round(weights, 5, bits);
        double error = objective(hessian, size, weights, all);
        assertEquals(error, all.error(), 1e-3 * error + 1e-9);
        assertTrue(error <= objective(hessian, size, weights, nearest) * 1.0001, "seed " + seed);
        for (byte code : all.codes()) {
            assertTrue(code >= WeightRounding.lowest(bits) && code <= WeightRounding.highest(bits), "code " + code);
        }
    }

    @ParameterizedTest
    @CsvSource({"11, 3", "12, 3", "13, 4", "14, 2"})
    void noSingleCodeCanBeBetter(long seed, int bits) {
        int size = 5;
        Random random = new Random(seed);
        double[] hessian = hessian(random, size);
        double[] weights = weights(random, size);
        WeightRounding.Rounded found =
                new WeightRounding(hessian, size, WeightRounding.Steps.ALL).round(weights, 1, bits);
        int levels = 1 << bits;
        double best = Double.POSITIVE_INFINITY;
        for (int number = 0; number < Math.pow(levels, size); number++) {
            byte[] codes = new byte[size];
            for (int i = 0, rest = number; i < size; i++, rest /= levels) {
                codes[i] = (byte) (rest % levels + WeightRounding.lowest(bits));
            }
            best = Math.min(best, objective(hessian, size, weights,
                    new WeightRounding.Rounded(codes, found.scales(), 0)));
        }
        double error = objective(hessian, size, weights, found);
        assertTrue(error >= best * (1 - 1e-6), error + " is less than the least, " + best);
        // That is what descent ends at; it may still miss the best of all.
        for (int i = 0; i < size; i++) {
            for (int code = WeightRounding.lowest(bits); code <= WeightRounding.highest(bits); code++) {
                byte[] codes = found.codes().clone();
                codes[i] = (byte) code;
                assertTrue(objective(hessian, size, weights, new WeightRounding.Rounded(codes, found.scales(), 0))
                        >= error * (1 - 1e-6) - 1e-9);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"2", "4", "8"})
    void rowsOfZerosStayZero(int bits) {
        WeightRounding.Rounded rounded = new WeightRounding(hessian(new Random(1), 4), 4, WeightRounding.Steps.ALL)
                .round(new double[8], 2, bits);
        for (double real : rounded.reals()) {
            assertEquals(0, real, 0);
        }
    }
}
