package dev.shrike.calibration.linear;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas;

/** Products of row-major matrices of floats on the heap, by OpenBLAS; JavaCPP would copy each of them twice a call. */
public final class Products {
    private static final MethodHandle SGEMM = sgemm();

    private Products() {}

    private static MethodHandle sgemm() {
        OpenBlas.threads(1);
        Loader.load(openblas.class);
        ValueLayout.OfInt integer = ValueLayout.JAVA_INT;
        ValueLayout.OfFloat real = ValueLayout.JAVA_FLOAT;
        return Linker.nativeLinker().downcallHandle(Loader.addressof("cblas_sgemm") == null
                ? MemorySegment.NULL
                : MemorySegment.ofAddress(Loader.addressof("cblas_sgemm").address()),
                FunctionDescriptor.ofVoid(integer, integer, integer, integer, integer, integer, real,
                        ValueLayout.ADDRESS, integer, ValueLayout.ADDRESS, integer, real, ValueLayout.ADDRESS, integer),
                Linker.Option.critical(true));
    }

    /** Each thread that multiplies does so alone. */
    public static void oneThreadEach() {
        OpenBlas.threads(1);
    }

    /** {@code c = a b^T}: a is {@code m x k}, b {@code n x k}, c {@code m x n}. */
    public static void timesTransposed(float[] a, float[] b, float[] c, int m, int n, int k) {
        call(openblas.CblasNoTrans, openblas.CblasTrans, m, n, k, a, k, b, k, 0, c, n);
    }

    /** {@code c = a b}: a is {@code m x k}, b {@code k x n}, c {@code m x n}. */
    public static void times(float[] a, float[] b, float[] c, int m, int n, int k) {
        call(openblas.CblasNoTrans, openblas.CblasNoTrans, m, n, k, a, k, b, n, 0, c, n);
    }

    /** {@code c += a^T b}: a is {@code k x m}, b {@code k x n}, c {@code m x n}. */
    public static void addTransposedTimes(float[] a, float[] b, float[] c, int m, int n, int k) {
        call(openblas.CblasTrans, openblas.CblasNoTrans, m, n, k, a, m, b, n, 1, c, n);
    }

    private static void call(int ta, int tb, int m, int n, int k, float[] a, int lda, float[] b, int ldb, float beta,
            float[] c, int ldc) {
        if ((long) m * k > a.length || (long) k * n > b.length || (long) m * n > c.length) {
            throw new IllegalArgumentException("matrices of " + m + ", " + n + ", " + k + " in arrays of " + a.length
                    + ", " + b.length + ", " + c.length);
        }
        try {
            SGEMM.invokeExact(openblas.CblasRowMajor, ta, tb, m, n, k, 1f, MemorySegment.ofArray(a), lda,
                    MemorySegment.ofArray(b), ldb, beta, MemorySegment.ofArray(c), ldc);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
