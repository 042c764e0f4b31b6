package dev.shrike.cpu.binding;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ViewTest {
    @Test
    void channelsLastHasTheChannelsInnermost() {
        View view = View.dense(0, new int[] {1, 3, 4, 5}, View.channelsLast(4));
        assertArrayEquals(new long[] {60, 1, 15, 3}, view.strides());
        assertArrayEquals(new int[] {0, 2, 3, 1}, view.order());
    }

    @Test
    void splittingADimensionNeedsNoCopy() {
        View view = View.dense(0, new int[] {1, 255, 8, 8}, View.channelsLast(4));
        View split = view.reshape(new int[] {1, 3, 85, 8, 8}).orElseThrow();
        assertArrayEquals(new long[] {85, 1, 8 * 255, 255}, java.util.Arrays.copyOfRange(split.strides(), 1, 5));
    }

    @Test
    void mergingDimensionsThatDoNotNestNeedsACopy() {
        View view = View.dense(0, new int[] {1, 3, 4, 5}, View.channelsLast(4));
        assertEquals(Optional.empty(), view.reshape(new int[] {1, 60}));
        assertTrue(view.reshape(new int[] {1, 3, 20}).isPresent());
    }

    @Test
    void sliceAndTransposeMoveTheOrigin() {
        View view = View.dense(7, new int[] {2, 6}, View.rowMajor(2)).slice(1, 4, 2, 1).transpose(new int[] {1, 0});
        assertEquals(new View(7, 4, new int[] {2, 2}, new long[] {1, 6}), view);
    }

    /** A reshape that is granted must address the same elements in row-major order as the original. */
    @Test
    void grantedReshapesKeepEveryElementInPlace() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int granted = 0;
        for (int round = 0; round < 2000; round++) {
            int[] dims = random.ints(1 + random.nextInt(4), 1, 7).toArray();
            View view = View.dense(0, dims, shuffled(dims.length, random));
            if (random.nextBoolean()) {
                int axis = random.nextInt(dims.length);
                int start = random.nextInt(dims[axis]);
                view = view.slice(axis, start, dims[axis] - start, 1);
            }
            int[] target = randomFactors((int) view.elements(), random);
            Optional<View> reshaped = view.reshape(target);
            if (reshaped.isPresent()) {
                granted++;
                assertArrayEquals(addresses(view), addresses(reshaped.get()), "seed " + seed + " round " + round);
            }
        }
        assertTrue(granted > 200, "only " + granted + " reshapes were granted, seed " + seed);
    }

    private static int[] shuffled(int n, Random random) {
        int[] order = View.rowMajor(n);
        for (int i = n - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int t = order[i];
            order[i] = order[j];
            order[j] = t;
        }
        return order;
    }

    private static int[] randomFactors(int product, Random random) {
        java.util.List<Integer> factors = new java.util.ArrayList<>();
        int rest = product;
        while (rest > 1) {
            int f = 1 + random.nextInt(rest);
            while (rest % f != 0) {
                f--;
            }
            factors.add(f);
            rest /= f;
        }
        factors.add(rest);
        return factors.stream().mapToInt(i -> i).toArray();
    }

    private static long[] addresses(View view) {
        long[] result = new long[(int) view.elements()];
        for (int i = 0; i < result.length; i++) {
            long rest = i;
            long at = view.offset();
            for (int d = view.rank() - 1; d >= 0; d--) {
                at += rest % view.dims()[d] * view.strides()[d];
                rest /= view.dims()[d];
            }
            result[i] = at;
        }
        return result;
    }

    @Test
    void slicesStayWithinTheirDimension() {
        View view = View.dense(0, new int[] {2, 6}, View.rowMajor(2));
        assertEquals(new View.Reach(2, 9), view.slice(1, 2, 2, 1).reach());
        assertEquals(new View.Reach(0, 11), view.slice(1, 5, 6, -1).reach());
        assertEquals(new View(0, 5, new int[] {2, 6}, new long[] {6, -1}), view.slice(1, 5, 6, -1));
        assertTrue(view.slice(1, 5, 6, -1).isBackwards());
        assertEquals(new View.Reach(5, 11), view.slice(1, 5, 1, Long.MIN_VALUE).reach());
        for (long[] wrong : new long[][] {{6, 1, 1}, {-1, 1, 1}, {0, 7, 1}, {1, 6, 1}, {0, 4, 2}, {5, 7, -1},
                {0, 2, -1}, {Long.MAX_VALUE, 1, 1}}) {
            assertThrows(IndexOutOfBoundsException.class,
                    () -> view.slice(1, wrong[0], (int) wrong[1], wrong[2]), Arrays.toString(wrong));
        }
        assertThrows(ArithmeticException.class, () -> view.slice(1, 1, 3, Long.MAX_VALUE));
    }

    @Test
    void onlyDimensionsOfOneAreRepeated() {
        View view = View.dense(0, new int[] {1, 6}, View.rowMajor(2));
        assertEquals(new View.Reach(0, 5), view.broadcast(new int[] {9, 4, 6}).reach());
        assertThrows(IllegalArgumentException.class, () -> view.broadcast(new int[] {4, 12}));
        assertThrows(IllegalArgumentException.class, () -> view.broadcast(new int[] {6}));
    }
}
