package dev.shrike.calibration.quantize.rounding;

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
    static double[] hessian(Random random, int size) {
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

    static double[] weights(Random random, int count) {
        double[] weights = new double[count];
        for (int i = 0; i < count; i++) {
            weights[i] = random.nextGaussian();
        }
        return weights;
    }

    static double objective(double[] hessian, int size, double[] weights, WeightRounding.Rounded rounded) {
        double[] floats = rounded.floats();
        double sum = 0;
        for (int row = 0; row < weights.length / size; row++) {
            for (int i = 0; i < size; i++) {
                for (int j = 0; j < size; j++) {
                    sum += (weights[row * size + i] - floats[row * size + i]) * hessian[i * size + j]
                            * (weights[row * size + j] - floats[row * size + j]);
                }
            }
        }
        return sum;
    }

    @ParameterizedTest
    @CsvSource({
            "1, uniform, 2, 9", "2, uniform, 3, 24", "3, uniform, 4, 33", "4, uniform, 4, 64", "5, uniform, 8, 20",
            "6, uniform, 5, 1", "7, uniform, 6, 17", "8, power-of-two, 2, 9", "9, power-of-two, 3, 24",
            "10, power-of-two, 4, 64", "11, power-of-two, 5, 33", "12, power-of-two, 4, 1", "13, symmetric, 2, 9",
            "14, symmetric, 4, 65", "15, symmetric, 7, 20"
    })
    void neverWorseThanRoundingToNearest(long seed, String codes, int bits, int size) {
        List<Codebook> sets = WeightFormat.parse(codes).sets(bits);
        Random random = new Random(seed);
        double[] hessian = hessian(random, size);
        double[] weights = weights(random, 5 * size);
        WeightRounding.Rounded nearest =
                new WeightRounding(hessian, size, WeightRounding.Steps.NEAREST).round(weights, 5, sets);
        WeightRounding.Rounded all =
                new WeightRounding(hessian, size, WeightRounding.Steps.ALL).round(weights, 5, sets);
        double error = objective(hessian, size, weights, all);
        // Scales are floats, so a weight that is met exactly still misses by a few parts of 10^8.
        double exact = 1e-14 * objective(hessian, size, weights,
                new WeightRounding.Rounded(new byte[5 * size], new float[] {1, 1, 1, 1, 1}));
        assertTrue(error <= objective(hessian, size, weights, nearest) * 1.0001 + exact, "seed " + seed);
        for (int i = 0; i < all.codes().length; i++) {
            assertTrue(all(taken(sets, all, i / size)).contains(all.codes()[i]), "code " + all.codes()[i]);
        }
    }

    /** The set that a row took its codes from. */
    private static Codebook taken(List<Codebook> sets, WeightRounding.Rounded rounded, int row) {
        return sets.stream().filter(set -> set.zero() == rounded.zeros()[row]).findFirst().orElseThrow();
    }

    /** All codes of a set, from its definition. */
    private static List<Byte> all(Codebook set) {
        List<Byte> all = new ArrayList<>();
        for (int code = set.lowest(); code <= set.highest(); code++) {
            if (set instanceof Codebook.Uniform || Integer.bitCount(Math.abs(code)) <= 1) {
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
            "16, power-of-two, 3", "17, power-of-two, 4", "18, power-of-two, 4", "19, power-of-two, 5",
            "20, symmetric, 2", "21, symmetric, 3", "22, symmetric, 4"
    })
    void noSingleCodeCanBeBetter(long seed, String codes, int bits) {
        int size = 5;
        List<Codebook> sets = WeightFormat.parse(codes).sets(bits);
        Random random = new Random(seed);
        double[] hessian = hessian(random, size);
        double[] weights = weights(random, size);
        WeightRounding.Rounded found =
                new WeightRounding(hessian, size, WeightRounding.Steps.ALL).round(weights, 1, sets);
        Codebook set = taken(sets, found, 0);
        double[] best = {Double.POSITIVE_INFINITY};
        everyChoice(all(set), size, choice -> best[0] = Math.min(best[0],
                objective(hessian, size, weights, new WeightRounding.Rounded(choice, found.scales()))));
        double error = objective(hessian, size, weights, found);
        assertTrue(error >= best[0] * (1 - 1e-6), error + " is less than the least, " + best[0]);
        // That is what descent ends at; it may still miss the best of all.
        for (int i = 0; i < size; i++) {
            for (byte code : all(set)) {
                byte[] moved = found.codes().clone();
                moved[i] = code;
                assertTrue(objective(hessian, size, weights, new WeightRounding.Rounded(moved, found.scales()))
                        >= error * (1 - 1e-6) - 1e-9);
            }
        }
    }

    /** The least objective of all codes, each choice at its own best scale. */
    private static double least(double[] hessian, int size, double[] weights, List<Codebook> sets) {
        double energy = objective(hessian, size, weights,
                new WeightRounding.Rounded(new byte[size], new float[] {1}));
        double[] least = {energy};
        sets.forEach(set -> everyChoice(all(set), size, choice -> {
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
        }));
        return least[0];
    }

    /**
     * Against every choice of codes and scales, the mean over 40 layers. Strongly correlated inputs of very different
     * energy, where descent may end beside the best, and independent ones.
     */
    @ParameterizedTest
    @CsvSource({
            "uniform, 3, 1.35, 1.15", "symmetric, 3, 1.35, 1.15", "power-of-two, 2, 1.75, 1.05",
            "power-of-two, 3, 1.35, 1.05",
            "power-of-two, 4, 1.45, 1.05"
    })
    void nearTheBestOfAllCodesAndScales(String codes, int bits, double mostCorrelated, double mostIndependent) {
        int size = 4;
        List<Codebook> sets = WeightFormat.parse(codes).sets(bits);
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
                        new WeightRounding.Rounded(new byte[size], new float[] {1}));
                double best = least(hessian, size, weights, sets);
                double error = objective(hessian, size, weights,
                        new WeightRounding(hessian, size, WeightRounding.Steps.ALL).round(weights, 1, sets));
                assertTrue(error >= best * (1 - 1e-6) - 1e-9 * energy, "seed " + seed + ": " + error);
                found += error / energy;
                least += best / energy;
            }
            double most = correlated ? mostCorrelated : mostIndependent;
            assertTrue(found <= most * least,
                    codes + ": " + found / least + " times the least, correlated " + correlated);
        }
    }

    /** Where inputs are not correlated, the nearest code is the best one. */
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 5})
    void theNearestPowerOfTwoIsTaken(int bits) {
        Codebook set = WeightFormat.POWER_OF_TWO.sets(bits).getFirst();
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
    @CsvSource({"uniform, 1", "uniform, 9", "symmetric, 1", "symmetric, 9", "power-of-two, 1", "power-of-two, 6",
            "power-of-two, 8"})
    void widthsWithoutCodesAreRefused(String codes, int bits) {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> WeightFormat.parse(codes).sets(bits));
        assertTrue(
                e.getMessage().startsWith(codes.replace("symmetric", "uniform") + " codes of " + bits + " bits; 2 to "),
                e.getMessage());
    }

    /** What a file holds, codes with their zero points, fits into the width and stands for the same floats. */
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 7, 8})
    void storedCodesHaveTheWidth(int bits) {
        for (Codebook set : WeightFormat.UNIFORM.sets(bits)) {
            int half = 1 << (bits - 1);
            assertEquals(bits == 8 ? -127 : -half, set.lowest() + set.zero());
            assertEquals(half - 1, set.highest() + set.zero());
            assertTrue(set.zero() >= -half && set.zero() < half, "zero point " + set.zero());
            assertTrue(set.lowest() <= 0 && set.highest() >= 0);
        }
        assertEquals(bits == 8 ? 1 : 1 << bits, WeightFormat.UNIFORM.sets(bits).size());
        assertEquals(0, WeightFormat.SYMMETRIC.sets(bits).getFirst().zero());
    }

    /** Weights on a grid that begins anywhere are met exactly, where codes about 0 cannot. */
    @ParameterizedTest
    @CsvSource({"1, 4, 0", "2, 4, -15", "3, 4, -3", "4, 3, -6", "5, 2, 0", "6, 6, -50"})
    void aRowOfOneSidedWeightsIsMetExactly(long seed, int bits, int lowest) {
        int size = 40;
        Random random = new Random(seed);
        double[] weights = new double[size];
        int levels = 1 << bits;
        for (int i = 0; i < size; i++) {
            weights[i] = 0.25 * (lowest + (i < levels ? i : random.nextInt(levels)));
        }
        double[] hessian = hessian(random, size);
        WeightRounding rounding = new WeightRounding(hessian, size, WeightRounding.Steps.ALL);
        WeightRounding.Rounded found = rounding.round(weights, 1, WeightFormat.UNIFORM.sets(bits));
        double energy =
                objective(hessian, size, weights, new WeightRounding.Rounded(new byte[size], new float[] {1}));
        assertTrue(objective(hessian, size, weights, found) < 1e-9 * energy);
        assertEquals(-levels / 2 - lowest, found.zeros()[0]);
        WeightRounding.Rounded symmetric = rounding.round(weights, 1, WeightFormat.SYMMETRIC.sets(bits));
        assertTrue(objective(hessian, size, weights, symmetric) > 1e-6 * energy);
    }

    @ParameterizedTest
    @CsvSource({"uniform, 2", "uniform, 4", "uniform, 8", "symmetric, 4", "power-of-two, 2", "power-of-two, 4"})
    void rowsOfZerosStayZero(String codes, int bits) {
        List<Codebook> sets = WeightFormat.parse(codes).sets(bits);
        WeightRounding.Rounded rounded = new WeightRounding(hessian(new Random(1), 4), 4, WeightRounding.Steps.ALL)
                .round(new double[8], 2, sets);
        for (double real : rounded.floats()) {
            assertEquals(0, real, 0);
        }
    }
}
