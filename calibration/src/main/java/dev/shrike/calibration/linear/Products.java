package dev.shrike.calibration.linear;

/** Products of row-major matrices of floats on the heap, by OpenBLAS. */
public final class Products {
    private Products() {}

    /** {@code c = a b^T}: a is {@code m x k}, b {@code n x k}, c {@code m x n}. */
    public static void timesTransposed(float[] a, float[] b, float[] c, int m, int n, int k) {
        call(false, true, m, n, k, a, k, b, k, 0, c, n);
    }

    /** {@code c = a b}: a is {@code m x k}, b {@code k x n}, c {@code m x n}. */
    public static void times(float[] a, float[] b, float[] c, int m, int n, int k) {
        call(false, false, m, n, k, a, k, b, n, 0, c, n);
    }

    /** {@code c += a^T b}: a is {@code k x m}, b {@code k x n}, c {@code m x n}. */
    public static void addTransposedTimes(float[] a, float[] b, float[] c, int m, int n, int k) {
        call(true, false, m, n, k, a, m, b, n, 1, c, n);
    }

    private static void call(boolean ta, boolean tb, int m, int n, int k, float[] a, int lda, float[] b, int ldb,
            float beta, float[] c, int ldc) {
        if ((long) m * k > a.length || (long) k * n > b.length || (long) m * n > c.length) {
            throw new IllegalArgumentException("matrices of " + m + ", " + n + ", " + k + " in arrays of " + a.length
                    + ", " + b.length + ", " + c.length);
        }
        OpenBlas.product(ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc);
    }
}
