package dev.shrike.calibration.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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
    @CsvSource({
            "1, uniform, 2, 9", "2, uniform, 3, 24", "3, uniform, 4, 33", "4, uniform, 4, 64", "5, uniform, 8, 20",
            "6, uniform, 5, 1", "7, uniform, 6, 17", "8, power-of-two, 2, 9", "9, power-of-two, 3, 24",
            "10, power-of-two, 4, 64", "11, power-of-two, 5, 33", "12, power-of-two, 4, 1"
    })
    void neverWorseThanRoundingToNearest(long seed, String codes, int bits, int size) {
        CodeSet set = WeightCodes.parse(codes).of(bits);
        Random random = new Random(seed);
        double[] hessian = hessian(random, size);
        double[] weights = weights(random, 5 * size);
        WeightRounding.Rounded nearest =
                new WeightRounding(hessian, size, WeightRounding.Steps.NEAREST).round(weights, 5, set);
        WeightRounding.Rounded all =
                new WeightRounding(hessian, size, WeightRounding.Steps.ALL).round(weights, 5, set);
        double error = objective(hessian, size, weights, all);
        assertEquals(error, all.error(), 1e-3 * error + 1e-9);
        assertTrue(error <= objective(hessian, size, weights, nearest) * 1.0001, "seed " + seed);
        for (byte code : all.codes()) {
            assertTrue(all(set).contains(code), "code " + code);
        }
    }

    /** All codes of a set, from its definition. */
    private static List<Byte> all(CodeSet set) {
        List<Byte> all = new ArrayList<>();
        for (int code = set.lowest(); code <= set.highest(); code++) {
            if (set instanceof CodeSet.Uniform || Integer.bitCount(Math.abs(code)) <= 1) {
                all.add((byte) code);
            }
        }
        return all;
    }

    /** Calls the action with every choice of so many codes. */
    private static void everyChoice(List<Byte> all, int size, Consumer<byte[]> action) {
        for (int number = 0; number < Math.pow(all.size(), size); number++) {
            byte[] codes = new byte[size];
            for (int i = 0, rest = number; i < size; i++, rest /= all.size()) {
                codes[i] = all.get(rest % all.size());
            }
            action.accept(codes);
        }
    }

    @ParameterizedTest
    @CsvSource({
            "11, uniform, 3", "12, uniform, 3", "13, uniform, 4", "14, uniform, 2", "15, power-of-two, 2",
            "16, power-of-two, 3", "17, power-of-two, 4", "18, power-of-two, 4", "19, power-of-two, 5"
    })
    void noSingleCodeCanBeBetter(long seed, String codes, int bits) {
        int size = 5;
        CodeSet set = WeightCodes.parse(codes).of(bits);
        Random random = new Random(seed);
        double[] hessian = hessian(random, size);
        double[] weights = weights(random, size);
        WeightRounding.Rounded found =
                new WeightRounding(hessian, size, WeightRounding.Steps.ALL).round(weights, 1, set);
        double[] best = {Double.POSITIVE_INFINITY};
        everyChoice(all(set), size, choice -> best[0] = Math.min(best[0],
                objective(hessian, size, weights, new WeightRounding.Rounded(choice, found.scales(), 0))));
        double error = objective(hessian, size, weights, found);
        assertTrue(error >= best[0] * (1 - 1e-6), error + " is less than the least, " + best[0]);
        // That is what descent ends at; it may still miss the best of all.
        for (int i = 0; i < size; i++) {
            for (byte code : all(set)) {
                byte[] moved = found.codes().clone();
                moved[i] = code;
                assertTrue(objective(hessian, size, weights, new WeightRounding.Rounded(moved, found.scales(), 0))
                        >= error * (1 - 1e-6) - 1e-9);
            }
        }
    }

    /** The least objective of all codes, each choice at its own best scale. */
    private static double least(double[] hessian, int size, double[] weights, CodeSet set) {
        double energy = objective(hessian, size, weights,
                new WeightRounding.Rounded(new byte[size], new float[] {1}, 0));
        double[] least = {energy};
        everyChoice(all(set), size, choice -> {
            double own = 0;
            double shared = 0;
            for (int i = 0; i < size; i++) {
                for (int j = 0; j < size; j++) {
                    shared += choice[i] * hessian[i * size + j] * weights[j];
                    own += choice[i] * hessian[i * size + j] * choice[j];
                }
            }
            if (shared > 0) {
                least[0] = Math.min(least[0], energy - shared * shared / own);
            }
        });
        return least[0];
    }

    /**
     * Against every choice of codes and scales, the mean over 40 layers. Strongly correlated inputs of very different
     * energy, where descent may end beside the best, and independent ones.
     */
    @ParameterizedTest
    @CsvSource({
            "uniform, 3, 1.35, 1.15", "power-of-two, 2, 1.75, 1.05", "power-of-two, 3, 1.35, 1.05",
            "power-of-two, 4, 1.45, 1.05"
    })
    void nearTheBestOfAllCodesAndScales(String codes, int bits, double mostCorrelated, double mostIndependent) {
        int size = 4;
        CodeSet set = WeightCodes.parse(codes).of(bits);
        for (boolean correlated : new boolean[] {true, false}) {
            double found = 0;
            double least = 0;
            for (int seed = 0; seed < 40; seed++) {
                Random random = new Random(seed);
                double[] hessian = hessian(random, size);
                for (int i = 0; i < size * size && !correlated; i++) {
                    hessian[i] = i % (size + 1) == 0 ? 1 + random.nextDouble() : 0;
                }
                double[] weights = weights(random, size);
                double energy = objective(hessian, size, weights,
                        new WeightRounding.Rounded(new byte[size], new float[] {1}, 0));
                double best = least(hessian, size, weights, set);
                double error =
                        new WeightRounding(hessian, size, WeightRounding.Steps.ALL).round(weights, 1, set).error();
                assertTrue(error >= best * (1 - 1e-6) - 1e-9 * energy, "seed " + seed + ": " + error);
                found += error / energy;
                least += best / energy;
            }
            double most = correlated ? mostCorrelated : mostIndependent;
            assertTrue(found <= most * least,
                    set + ": " + found / least + " times the least, correlated " + correlated);
        }
    }

    /** Where inputs are not correlated, the nearest code is the best one. */
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 5})
    void theNearestPowerOfTwoIsTaken(int bits) {
        CodeSet set = WeightCodes.POWER_OF_TWO.of(bits);
        assertEquals(new int[] {1, 2, 8, 64}[bits - 2], set.highest());
        assertEquals(-set.highest(), set.lowest());
        for (double position = -150; position <= 150; position += 0.0625) {
            double distance = Double.POSITIVE_INFINITY;
            for (byte code : all(set)) {
                distance = Math.min(distance, Math.abs(code - position));
            }
            int nearest = set.nearest(position);
            assertTrue(all(set).contains((byte) nearest), position + " became " + nearest);
            assertEquals(distance, Math.abs(nearest - position), position + " became " + nearest);
        }
    }

    @ParameterizedTest
    @CsvSource({"uniform, 1", "uniform, 9", "power-of-two, 1", "power-of-two, 6", "power-of-two, 8"})
    void widthsWithoutCodesAreRefused(String codes, int bits) {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> WeightCodes.parse(codes).of(bits));
        assertTrue(e.getMessage().startsWith(codes + " codes of " + bits + " bits; 2 to "), e.getMessage());
    }

    @ParameterizedTest
    @CsvSource({"uniform, 2", "uniform, 4", "uniform, 8", "power-of-two, 2", "power-of-two, 4"})
    void rowsOfZerosStayZero(String codes, int bits) {
        CodeSet set = WeightCodes.parse(codes).of(bits);
        WeightRounding.Rounded rounded = new WeightRounding(hessian(new Random(1), 4), 4, WeightRounding.Steps.ALL)
                .round(new double[8], 2, set);
        for (double real : rounded.reals()) {
            assertEquals(0, real, 0);
        }
    }
}
