package dev.shrike.calibration.ranges;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("any-processor")
class RangeCalibratorTest {
    private static final DoubleUnaryOperator SILU = x -> x / (1 + Math.exp(-x));

    private static float[] activations(int count, double spread) {
        Random random = new Random(count);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) SILU.applyAsDouble(random.nextGaussian() * spread - 0.5);
        }
        return values;
    }

    private static ActivationStatistics statistics(float[] values) {
        ActivationStatistics statistics = new ActivationStatistics(1);
        for (int at = 0; at < values.length; at += 1000) {
            float[] part = java.util.Arrays.copyOfRange(values, at, at + 1000);
            statistics.add(part, part.length);
        }
        return statistics;
    }

    private static double error(float[] values, UniformCodes codes, double power, DoubleUnaryOperator function) {
        double sum = 0;
        for (float value : values) {
            double code = Math.clamp(Math.rint(value / codes.scale()) + codes.zero(), 0, (1 << codes.bits()) - 1);
            sum += Math.pow(Math.abs(function.applyAsDouble(value)
                    - function.applyAsDouble(codes.scale() * (code - codes.zero()))), power);
        }
        return sum;
    }

    @ParameterizedTest
    @ValueSource(strings = {"min-max", "moving-average", "percentile:99.9", "entropy", "mse", "power:2.4", "power:4"})
    void symmetricCodesHaveTheirZeroInTheMiddle(String method) {
        float[] values = activations(20_000, 3);
        UniformCodes codes = RangeCalibrator.parse(method).symmetricCodes(statistics(values), x -> x);
        assertEquals(128, codes.zero());
        assertEquals(0, codes.symmetricQuantization().zeroPoint().longAt(0));
        assertTrue(codes.symmetricQuantization().signed());
        Range whole = statistics(values).minMax();
        assertTrue(codes.scale() <= 1.1 * UniformCodes.symmetric(whole).scale(), "scale " + codes.scale());
        if (method.equals("min-max")) {
            assertTrue(127 * codes.scale() >= 0.999 * whole.high());
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {1, 2, 2.4, 4})
    void leastErrorIsNearTheBestOfSymmetricCodes(double power) {
        float[] values = activations(20_000, 3);
        double widest = UniformCodes.symmetric(statistics(values).minMax()).scale();
        double best = Double.POSITIVE_INFINITY;
        for (double share = 0.02; share < 1.2; share += 0.004) {
            best = Math.min(best, error(values, new UniformCodes((float) (widest * share), 128, 8), power, x -> x));
        }
        double found = error(values, new RangeCalibrator.LeastError(power).symmetricCodes(statistics(values), x -> x),
                power, x -> x);
        assertTrue(found < 1.05 * best, found + " against " + best);
    }

    @ParameterizedTest
    @CsvSource({"2, 2", "3, 2", "4, 2", "4, 2.4", "4, 4", "8, 2", "8, 3"})
    void leastErrorIsNearTheBestOfAllCodes(int bits, double power) {
        float[] values = activations(20_000, 3);
        double largest = statistics(values).minMax().high();
        double best = Double.POSITIVE_INFINITY;
        for (int zero = 0; zero < Math.min(1 << bits, 40); zero++) {
            for (double share = 0.05; share < 1.3; share += 0.01) {
                float scale = (float) (share * largest / Math.max(1, (1 << bits) - 1 - zero));
                best = Math.min(best, error(values, new UniformCodes(scale, zero, bits), power, x -> x));
            }
        }
        UniformCodes found = new RangeCalibrator.LeastError(power).codes(statistics(values), bits);
        double error = error(values, found, power, x -> x);
        // Of all values of zero point and scale; two bits leave so few of them that the grid of ends may miss the best.
        assertTrue(error <= best * (bits == 2 ? 1.3 : 1.1), error + " is more than " + best + " with " + found);
        UniformCodes whole = new RangeCalibrator.MinMax().codes(statistics(values), bits);
        assertTrue(error <= 1.001 * error(values, whole, power, x -> x));
    }

    @Test
    void whatAFunctionHidesNeedsNoCodes() {
        Random random = new Random(5);
        float[] sums = new float[20_000];
        for (int i = 0; i < sums.length; i++) {
            sums[i] = (float) (random.nextGaussian() * 12 - 10);
        }
        RangeCalibrator method = new RangeCalibrator.LeastError(2);
        UniformCodes blind = method.codes(statistics(sums), 8);
        UniformCodes seeing = method.codes(statistics(sums), 8, SILU);
        assertTrue(error(sums, seeing, 2, SILU) < 0.5 * error(sums, blind, 2, SILU));
        assertTrue(seeing.zero() < blind.zero(), seeing + " and " + blind);
    }

    @ParameterizedTest
    @ValueSource(strings = {"min-max", "moving-average", "percentile:99.9", "entropy", "mse", "power:2.4"})
    void everyMethodGivesSoundCodesForEveryWidth(String name) {
        ActivationStatistics statistics = statistics(activations(5000, 2));
        ActivationStatistics zeros = statistics(new float[1000]);
        for (int bits = 1; bits <= 8; bits++) {
            UniformCodes codes = RangeCalibrator.parse(name).codes(statistics, bits);
            assertEquals(bits, codes.bits());
            assertEquals(0, codes.round(0));
            assertTrue(codes.scale() > 0 && codes.scale() < 20, codes.toString());
            assertTrue(RangeCalibrator.parse(name).codes(zeros, bits).scale() > 0);
        }
    }

    @Test
    void movingAveragesForgetTheFirstImages() {
        ActivationStatistics statistics = new ActivationStatistics(2);
        statistics.add(new float[] {-100, 0, 3, 100}, 4);
        for (int i = 0; i < 60; i++) {
            statistics.add(new float[] {-1, 0, 2, 1}, 4);
        }
        assertEquals(new Range(-100, 100), statistics.minMax());
        assertEquals(-1, statistics.movingAverage().low(), 0.5);
        assertEquals(2, statistics.movingAverage().high(), 0.5);
        assertEquals(new Range(-100, 3), statistics.channel(0));
        assertEquals(new Range(0, 100), statistics.channel(1));
    }

    @Test
    void entropyCutsARareOutlierOff() {
        float[] values = activations(20_000, 1);
        values[17] = 500;
        double high = 255 * (double) new RangeCalibrator.Entropy().codes(statistics(values), 8).scale();
        assertTrue(high < 60, "range up to " + high);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "median", "percentile:50", "percentile:x", "power:0.5", "mse:2", "min-max:1"})
    void otherNamesAreRefused(String name) {
        assertThrows(IllegalArgumentException.class, () -> RangeCalibrator.parse(name));
    }

    /** Of ranges alone min-max gives the same codes as of all values, and the other methods say what they lack. */
    @ParameterizedTest
    @ValueSource(strings = {"min-max", "moving-average", "percentile:99.9", "entropy", "mse", "power:2.4"})
    void rangesAloneDoForMinMax(String name) {
        ActivationStatistics all = statistics(activations(20_000, 3));
        ActivationStatistics range =
                ActivationStatistics.ofRange((float) all.minMax().low(), (float) all.minMax().high());
        RangeCalibrator method = RangeCalibrator.parse(name);
        if (method instanceof RangeCalibrator.MinMax) {
            assertEquals(method.codes(all, 5), method.codes(range, 5));
            assertEquals(method.symmetricCodes(all, x -> x), method.symmetricCodes(range, x -> x));
        } else {
            assertThrows(IllegalStateException.class, () -> method.codes(range, 5));
            assertThrows(IllegalStateException.class, () -> method.symmetricCodes(range, x -> x));
        }
        ActivationStatistics wider = ActivationStatistics.ofRange(-40, 30);
        for (ActivationStatistics union : List.of(wider.union(all), all.union(wider), range.union(wider))) {
            assertEquals(new Range(-40, Math.max(30, all.minMax().high())), union.minMax());
            assertThrows(IllegalStateException.class, union::histogram);
        }
        assertThrows(IllegalStateException.class, () -> range.add(new float[] {1}, 1));
        assertThrows(IllegalArgumentException.class, () -> ActivationStatistics.ofRange(2, 1));
        assertThrows(IllegalArgumentException.class, () -> ActivationStatistics.ofRange(Float.NaN, 1));
    }
}
