package dev.shrike.calibration.ranges;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.jupiter.api.Test;

class HistogramTest {
    private static float[] heavyTailed(long seed, int count) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (random.nextGaussian() * Math.exp(3 * random.nextGaussian()));
        }
        return values;
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void growingLosesNothing(long seed) {
        float[] values = heavyTailed(seed, 20_000);
        Histogram streamed = new Histogram();
        for (int at = 0; at < values.length; at += 500) {
            streamed.add(values, at, 500);
        }
        long[] expected = new long[Histogram.BINS];
        for (float value : values) {
            expected[(int) Math.floor(value / streamed.width()) + Histogram.BINS / 2]++;
        }
        assertArrayEquals(expected, streamed.counts(), "seed " + seed);
        assertEquals(values.length, streamed.total());
        // No wider than needed: half the bins would not do.
        double largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        assertTrue(largest >= streamed.width() * Histogram.BINS / 4, "width " + streamed.width());
    }

    @Test
    void weightsCountAsRepetitions() {
        float[] values = heavyTailed(9, 3000);
        long[] weights = new Random(2).longs(values.length, 0, 5).toArray();
        Histogram weighted = new Histogram();
        Histogram repeated = new Histogram();
        weighted.add(values, 0, values.length, weights);
        for (int times = 0; times < 5; times++) {
            for (int i = 0; i < values.length; i++) {
                if (weights[i] > times) {
                    repeated.add(values, i, 1);
                }
            }
        }
        while (repeated.exponent() < weighted.exponent()) {
            repeated.add(new Histogram(weighted.exponent(), new long[Histogram.BINS]));
        }
        assertArrayEquals(repeated.counts(), weighted.counts());
        assertEquals(Arrays.stream(weights).sum(), weighted.total());
    }

    @Test
    void theOrderOfPartsDoesNotMatter() {
        float[] values = heavyTailed(7, 6000);
        Histogram small = new Histogram();
        Histogram large = new Histogram();
        Histogram all = new Histogram();
        small.add(values, 0, 2000);
        large.add(values, 2000, 4000);
        all.add(values, 0, 6000);
        small.add(large);
        assertEquals(all.exponent(), small.exponent());
        assertArrayEquals(all.counts(), small.counts());
    }

    @Test
    void quantilesAreThoseOfTheSortedValuesToABin() {
        float[] values = heavyTailed(9, 9999);
        Histogram histogram = new Histogram();
        histogram.add(values, 0, values.length);
        float[] sorted = values.clone();
        Arrays.sort(sorted);
        for (double share : new double[] {0.0001, 0.01, 0.3, 0.5, 0.9, 0.999}) {
            assertEquals(sorted[(int) (share * sorted.length)], histogram.quantile(share), 1.01 * histogram.width(),
                    "share " + share);
        }
    }

    @Test
    void whatIsNoNumberIsRefused() {
        Histogram histogram = new Histogram();
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            assertThrows(IllegalArgumentException.class, () -> histogram.add(new float[] {1, bad}, 0, 2));
        }
        assertEquals(0, histogram.total());
        histogram.add(new float[] {0, 0, -0f, 1e-42f, Float.MAX_VALUE, -Float.MAX_VALUE}, 0, 6);
        assertEquals(6, histogram.total());
    }
}
