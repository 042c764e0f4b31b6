package dev.shrike.calibration.linear;

import dev.shrike.BackendUnavailableException;
import dev.shrike.files.Interrupts;
import dev.shrike.files.PlatformArtifact;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.global.openblas;

/**
 * The routines of OpenBLAS that the calibration needs; the only class that knows the library. All matrices are
 * row-major. OpenBLAS was taken, not a library in Java, because Gram matrices of 2304 channels over tens of thousands
 * of places are teraflops, and because OpenCV brings its natives along anyway.
 */
final class OpenBlas {
    private static final Throwable FAILURE = load();

    private OpenBlas() {}

    private static Throwable load() {
        try {
            Interrupts.shield(openblas::blas_get_num_threads);
            return null;
        } catch (LinkageError | RuntimeException e) {
            return e;
        }
    }

    private static void require() {
        if (FAILURE != null) {
            throw new BackendUnavailableException("OpenBLAS cannot be loaded (" + FAILURE.getMessage() + "): "
                    + PlatformArtifact.advice(), FAILURE);
        }
    }

    /** How many threads the library uses. */
    static int threads() {
        require();
        return openblas.blas_get_num_threads();
    }

    /** Lets the library use that many threads. */
    static void threads(int count) {
        require();
        openblas.blas_set_num_threads(count);
    }

    /** {@code c += a^T a} for a of {@code rows x size} floats; only the upper triangle of c is written. */
    static void gram(MemorySegment a, int rows, int size, MemorySegment c) {
        require();
        openblas.cblas_ssyrk(openblas.CblasRowMajor, openblas.CblasUpper, openblas.CblasTrans, size, rows, 1,
                pointer(a), size, 1, pointer(c), size);
    }

    /** {@code c += a^T b} for a of {@code rows x m} and b of {@code rows x n} floats. */
    static void cross(MemorySegment a, int m, MemorySegment b, int n, int rows, MemorySegment c) {
        require();
        openblas.cblas_sgemm(openblas.CblasRowMajor, openblas.CblasTrans, openblas.CblasNoTrans, m, n, rows, 1,
                pointer(a), m, pointer(b), n, 1, pointer(c), n);
    }

    private static FloatPointer pointer(MemorySegment segment) {
        return new FloatPointer(segment.asByteBuffer().order(java.nio.ByteOrder.nativeOrder()).asFloatBuffer());
    }

    /**
     * Called through FFM on copies outside the heap. Arrays where they are would be quicker to give, but the collector
     * of the whole process would have to wait for the product; JavaCPP would copy each array twice a call.
     */
    private static final class Sgemm {
        private static final MethodHandle HANDLE = handle();

        private static MethodHandle handle() {
            ValueLayout.OfInt integer = ValueLayout.JAVA_INT;
            ValueLayout.OfFloat real = ValueLayout.JAVA_FLOAT;
            Pointer address = Loader.addressof("cblas_sgemm");
            if (address == null) {
                throw new BackendUnavailableException("OpenBLAS has no cblas_sgemm");
            }
            return Linker.nativeLinker().downcallHandle(MemorySegment.ofAddress(address.address()),
                    FunctionDescriptor.ofVoid(integer, integer, integer, integer, integer, integer, real,
                            ValueLayout.ADDRESS, integer, ValueLayout.ADDRESS, integer, real, ValueLayout.ADDRESS,
                            integer));
        }
    }

    /** {@code c = beta c + a b}, a and b transposed where asked for; see cblas_sgemm for the sizes. */
    static void product(boolean transposeA, boolean transposeB, int m, int n, int k, float[] a, int lda, float[] b,
            int ldb, float beta, float[] c, int ldc) {
        require();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment left = copy(arena, a, m * k);
            MemorySegment right = copy(arena, b, k * n);
            MemorySegment result = beta == 0 ? room(arena, m * n) : copy(arena, c, m * n);
            Sgemm.HANDLE.invokeExact(openblas.CblasRowMajor,
                    transposeA ? openblas.CblasTrans : openblas.CblasNoTrans,
                    transposeB ? openblas.CblasTrans : openblas.CblasNoTrans, m, n, k, 1f, left, lda, right, ldb, beta,
                    result, ldc);
            MemorySegment.copy(result, ValueLayout.JAVA_FLOAT, 0, c, 0, m * n);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static MemorySegment copy(Arena arena, float[] values, int count) {
        MemorySegment copy = room(arena, count);
        MemorySegment.copy(values, 0, copy, ValueLayout.JAVA_FLOAT, 0, count);
        return copy;
    }

    private static MemorySegment room(Arena arena, int count) {
        return arena.allocate(Math.max(1, count) * (long) Float.BYTES, 64);
    }

    /** Replaces the upper triangle of a by its factor U, {@code a = U^T U}; false if a is not positive definite. */
    static boolean cholesky(double[] a, int size) {
        require();
        return openblas.LAPACKE_dpotrf(openblas.LAPACK_ROW_MAJOR, (byte) 'U', size, a, size) == 0;
    }

    /** Replaces the upper triangle of a factor U by that of the inverse of {@code U^T U}. */
    static boolean invert(double[] factor, int size) {
        require();
        return openblas.LAPACKE_dpotri(openblas.LAPACK_ROW_MAJOR, (byte) 'U', size, factor, size) == 0;
    }

    /**
     * Solves {@code x (U^T U) = b} for the rows of b, in place.
     *
     * @param factor U
     * @param b {@code rows x size}
     */
    static boolean solve(double[] factor, int size, double[] b, int rows) {
        require();
        // The rows of b, read as columns of a column-major matrix. A row-major upper factor U is a column-major lower
        // one L = U^T, and U^T U = L L^T.
        return openblas.LAPACKE_dpotrs(openblas.LAPACK_COL_MAJOR, (byte) 'L', size, rows, factor, size, b, size) == 0;
    }
}
