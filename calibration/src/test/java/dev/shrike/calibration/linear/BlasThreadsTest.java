package dev.shrike.calibration.linear;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

@Isolated
class BlasThreadsTest {
    @Test
    void theLastToCloseRestoresWhatTheFirstFound() {
        int before = OpenBlas.threads();
        BlasThreads other = BlasThreads.use(before + 1);
        other.close();
        assertEquals(before, OpenBlas.threads());
        BlasThreads first = BlasThreads.use(1);
        assertEquals(1, OpenBlas.threads());
        BlasThreads second = BlasThreads.use(2);
        assertEquals(2, OpenBlas.threads());
        first.close();
        first.close();
        assertEquals(2, OpenBlas.threads(), "the second one is still open");
        second.close();
        assertEquals(before, OpenBlas.threads());
    }

    @Test
    void zeroIsOneThreadPerProcessor() {
        try (BlasThreads _ = BlasThreads.use(0)) {
            assertEquals(Runtime.getRuntime().availableProcessors(), OpenBlas.threads());
        }
    }

    /** Products are made on copies outside the heap: arrays longer than the matrices, sums and an empty product. */
    @Test
    void productsLeaveTheRestOfTheirArraysAlone() {
        float[] a = {1, 2, 3, 4, 5, 6, 99};
        float[] b = {1, 0, 0, 1, 2, 2, 99};
        float[] c = {7, 7, 7, 7, 7};
        Products.times(a, b, c, 2, 2, 3);
        assertArrayEquals(new float[] {7, 8, 16, 17, 7}, c);
        Products.addTransposedTimes(new float[] {1, 2}, new float[] {3, 4}, c, 2, 2, 1);
        assertArrayEquals(new float[] {10, 12, 22, 25, 7}, c);
        Products.timesTransposed(new float[] {1, 2, 3}, new float[] {4, 5, 6}, c, 1, 1, 3);
        assertArrayEquals(new float[] {32, 12, 22, 25, 7}, c);
    }
}
