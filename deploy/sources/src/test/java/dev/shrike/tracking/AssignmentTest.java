package dev.shrike.tracking;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-processor")
class AssignmentTest {
    private final Assignment assignment = new Assignment();

    @Test
    void findsWhatTryingAllFinds() {
        Random random = new Random(3);
        for (int round = 0; round < 3000; round++) {
            int rows = random.nextInt(6);
            int columns = random.nextInt(6);
            double limit = random.nextDouble() * 1.2;
            double[] costs = random.doubles(rows * columns).map(cost -> cost > .9 ? Double.POSITIVE_INFINITY : cost)
                    .toArray();
            int[] columnOf = new int[rows];
            assignment.solve(costs, rows, columns, limit, columnOf);
            double sum = 0;
            boolean[] taken = new boolean[columns];
            for (int row = 0; row < rows; row++) {
                if (columnOf[row] >= 0) {
                    double cost = costs[row * columns + columnOf[row]];
                    assertTrue(cost < limit, "a pair at the limit");
                    assertTrue(!taken[columnOf[row]], "a column with two rows");
                    taken[columnOf[row]] = true;
                    sum += cost - limit;
                }
            }
            assertEquals(least(costs, 0, rows, columns, limit, new boolean[columns]), sum, 1e-9, "round " + round);
        }
    }

    private static double least(double[] costs, int row, int rows, int columns, double limit, boolean[] taken) {
        if (row == rows) {
            return 0;
        }
        double best = least(costs, row + 1, rows, columns, limit, taken);
        for (int column = 0; column < columns; column++) {
            if (!taken[column] && costs[row * columns + column] < limit) {
                taken[column] = true;
                best = Math.min(best, costs[row * columns + column] - limit
                        + least(costs, row + 1, rows, columns, limit, taken));
                taken[column] = false;
            }
        }
        return best;
    }

    @Test
    void findsAHiddenPermutation() {
        int size = 300;
        int[] hidden = new Random(5).ints(0, size).distinct().limit(size).toArray();
        double[] costs = new Random(6).doubles((long) size * size).map(cost -> .5 + cost).toArray();
        for (int row = 0; row < size; row++) {
            costs[row * size + hidden[row]] = .1;
        }
        int[] columnOf = new int[size];
        assignment.solve(costs, size, size, 10, columnOf);
        assertArrayEquals(hidden, columnOf);
    }

    @Test
    void pairsNothingWhereNothingIsAllowed() {
        double[] costs = new double[12];
        Arrays.fill(costs, Double.POSITIVE_INFINITY);
        int[] columnOf = new int[4];
        assignment.solve(costs, 4, 3, 1, columnOf);
        assertArrayEquals(new int[] {-1, -1, -1, -1}, columnOf);
        assignment.solve(new double[0], 2, 0, 1, columnOf);
        assertArrayEquals(new int[] {-1, -1}, Arrays.copyOf(columnOf, 2));
    }
}
