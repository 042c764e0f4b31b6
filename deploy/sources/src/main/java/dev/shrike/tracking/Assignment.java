package dev.shrike.tracking;

import java.util.Arrays;

/**
 * The linear assignment problem: pairs rows with columns at the least sum of costs, by shortest augmenting paths (Kuhn
 * 1955; Jonker and Volgenant 1987). Its arrays are kept from one problem to the next. Confined to one thread at a time.
 */
final class Assignment {
    private double[] rowPrice = {};
    private double[] columnPrice = {};
    private double[] distance = {};
    private int[] rowOf = {};
    private int[] previous = {};
    private boolean[] reached = {};

    /**
     * Writes to {@code columnOf} the column of each row, -1 for a row without one. A pair that costs {@code limit} or
     * more is none, so the sum of {@code cost - limit} over the pairs is what becomes least.
     *
     * @param costs row by row, {@code rows * columns} of them, finite or positive infinity
     * @param columnOf at least {@code rows} long
     */
    void solve(double[] costs, int rows, int columns, double limit, int[] columnOf) {
        // The method wants no more rows than columns. Further columns, each worth no pair, stand for "without one".
        int width = Math.max(rows, columns);
        reserve(rows, width);
        for (int row = 1; row <= rows; row++) {
            augment(row, costs, columns, width, limit);
        }
        Arrays.fill(columnOf, 0, rows, -1);
        for (int column = 1; column <= columns; column++) {
            int row = rowOf[column];
            if (row > 0 && costs[(row - 1) * columns + column - 1] < limit) {
                columnOf[row - 1] = column - 1;
            }
        }
    }

    /** Finds the row a column, along the shortest path of columns that change their rows. */
    private void augment(int row, double[] costs, int columns, int width, double limit) {
        Arrays.fill(distance, 0, width + 1, Double.POSITIVE_INFINITY);
        Arrays.fill(reached, 0, width + 1, false);
        rowOf[0] = row;
        int at = 0;
        do {
            reached[at] = true;
            int from = rowOf[at];
            int nearest = -1;
            for (int column = 1; column <= width; column++) {
                if (reached[column]) {
                    continue;
                }
                double cost = column > columns ? limit
                        : Math.min(limit, costs[(from - 1) * columns + column - 1]);
                double reduced = cost - rowPrice[from] - columnPrice[column];
                if (reduced < distance[column]) {
                    distance[column] = reduced;
                    previous[column] = at;
                }
                if (nearest < 0 || distance[column] < distance[nearest]) {
                    nearest = column;
                }
            }
            reprice(distance[nearest], width);
            at = nearest;
        } while (rowOf[at] != 0);
        while (at != 0) {
            rowOf[at] = rowOf[previous[at]];
            at = previous[at];
        }
    }

    private void reprice(double step, int width) {
        for (int column = 0; column <= width; column++) {
            if (reached[column]) {
                rowPrice[rowOf[column]] += step;
                columnPrice[column] -= step;
            } else {
                distance[column] -= step;
            }
        }
    }

    private void reserve(int rows, int width) {
        if (rowPrice.length <= rows) {
            rowPrice = new double[2 * rows + 1];
        }
        if (columnPrice.length <= width) {
            columnPrice = new double[2 * width + 1];
            distance = new double[2 * width + 1];
            rowOf = new int[2 * width + 1];
            previous = new int[2 * width + 1];
            reached = new boolean[2 * width + 1];
        }
        Arrays.fill(rowPrice, 0, rows + 1, 0);
        Arrays.fill(columnPrice, 0, width + 1, 0);
        Arrays.fill(rowOf, 0, width + 1, 0);
    }
}
