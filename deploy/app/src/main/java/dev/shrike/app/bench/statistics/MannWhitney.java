package dev.shrike.app.bench.statistics;

import java.util.Arrays;

/**
 * The rank test of Mann and Whitney (1947): whether values of one run tend to be larger than those of another. It takes
 * no shape of the distribution for granted, which times do not have.
 */
public final class MannWhitney {
    /** Up to here, and without ties, the distribution is counted out; beyond it the normal one is as good. */
    private static final int EXACT = 20;

    private MannWhitney() {}

    /**
     * The probability of a difference at least as large, to either side, if there is none; 1 where a side is empty or
     * all
     * values are equal.
     */
    public static double pValue(double[] a, double[] b) {
        if (a.length == 0 || b.length == 0) {
            return 1;
        }
        double[] all = new double[a.length + b.length];
        System.arraycopy(a, 0, all, 0, a.length);
        System.arraycopy(b, 0, all, a.length, b.length);
        Arrays.sort(all);
        double ties = 0;
        for (int i = 0; i < all.length;) {
            int end = i;
            while (end < all.length && all[end] == all[i]) {
                end++;
            }
            double count = end - i;
            ties += count * count * count - count;
            i = end;
        }
        double u = statistic(a, b);
        return ties == 0 && a.length <= EXACT && b.length <= EXACT
                ? exact((int) Math.round(u), a.length, b.length)
                : normal(u, a.length, b.length, ties);
    }

    /** Pairs in which a is the larger, ties counting half. */
    private static double statistic(double[] a, double[] b) {
        double[] sorted = b.clone();
        Arrays.sort(sorted);
        double u = 0;
        for (double value : a) {
            u += (bound(sorted, value, false) + bound(sorted, value, true)) / 2.0;
        }
        return u;
    }

    /** How many are below the value, or not above it. */
    private static int bound(double[] sorted, double value, boolean inclusive) {
        int low = 0;
        int high = sorted.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (sorted[middle] < value || inclusive && sorted[middle] == value) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** Counts the orders of m and n values by their u: f(m, n, u) = f(m - 1, n, u - n) + f(m, n - 1, u). */
    private static double exact(int u, int m, int n) {
        double[][] counts = new double[n + 1][];
        for (int j = 0; j <= n; j++) {
            counts[j] = new double[] {1};
        }
        for (int i = 1; i <= m; i++) {
            double[][] next = new double[n + 1][];
            next[0] = new double[] {1};
            for (int j = 1; j <= n; j++) {
                next[j] = new double[i * j + 1];
                for (int k = 0; k <= i * j; k++) {
                    double largestIsA = k >= j && k - j < counts[j].length ? counts[j][k - j] : 0;
                    double largestIsB = k < next[j - 1].length ? next[j - 1][k] : 0;
                    next[j][k] = largestIsA + largestIsB;
                }
            }
            counts = next;
        }
        double total = Arrays.stream(counts[n]).sum();
        double tail = Arrays.stream(counts[n], 0, Math.min(u, m * n - u) + 1).sum();
        return Math.min(1, 2 * tail / total);
    }

    private static double normal(double u, double m, double n, double ties) {
        double all = m + n;
        double variance = m * n / 12 * (all + 1 - ties / (all * (all - 1)));
        if (variance <= 0) {
            return 1;
        }
        double z = Math.max(0, Math.abs(u - m * n / 2) - 0.5) / Math.sqrt(variance);
        return Math.min(1, erfc(z / Math.sqrt(2)));
    }

    /** The complementary error function, to 1.2e-7 of its value (Numerical Recipes' Chebyshev fit). */
    private static double erfc(double x) {
        double t = 1 / (1 + x / 2);
        double[] c = {-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
                -0.82215223, 0.17087277};
        double sum = 0;
        for (int i = c.length - 1; i >= 0; i--) {
            sum = sum * t + c[i];
        }
        return t * Math.exp(-x * x + sum);
    }
}
