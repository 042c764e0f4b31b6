package dev.shrike.jetson;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** The kernel of {@code letterbox.cu} compiled for this processor: CUDA's words become loops around it. */
final class LetterboxKernel {
    private static final String BEFORE = """
            struct dim { int x, y; };
            static dim blockIdx, blockDim, threadIdx;
            #define __global__
            """;
    private static final String AFTER = """
            extern "C" void run(int blocks_x, int blocks_y, int threads_x, int threads_y, void **a) {
                blockDim.x = threads_x, blockDim.y = threads_y;
                for (blockIdx.y = 0; blockIdx.y < blocks_y; blockIdx.y++)
                    for (blockIdx.x = 0; blockIdx.x < blocks_x; blockIdx.x++)
                        for (threadIdx.y = 0; threadIdx.y < threads_y; threadIdx.y++)
                            for (threadIdx.x = 0; threadIdx.x < threads_x; threadIdx.x++)
                                letterbox(*(unsigned char **)a[0], *(int *)a[1], *(float **)a[2], *(int *)a[3],
                                          *(int *)a[4], *(int *)a[5], *(int *)a[6], *(int *)a[7], *(int *)a[8],
                                          *(int **)a[9], *(int **)a[10], *(int *)a[11]);
            }
            """;

    private static final MethodHandle RUN = build();

    private LetterboxKernel() {}

    /** Whether there is a C++ compiler here. */
    static boolean isThere() {
        return RUN != null;
    }

    private static MethodHandle build() {
        try {
            Path folder = Files.createTempDirectory("letterbox");
            Path source = folder.resolve("letterbox.cpp");
            Path library = folder.resolve("libletterbox.so");
            String kernel = new String(
                    GpuLetterbox.class.getResourceAsStream("letterbox.cu").readAllBytes(), StandardCharsets.UTF_8);
            Files.writeString(source, BEFORE + kernel + AFTER);
            Process process = new ProcessBuilder("g++", "-O2", "-fwrapv", "-Wall", "-Werror", "-shared", "-fPIC",
                    source.toString(), "-o", library.toString()).inheritIO().start();
            if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IllegalStateException("letterbox.cu does not compile");
            }
            MemorySegment symbol = SymbolLookup.libraryLookup(library, Arena.global()).findOrThrow("run");
            return Linker.nativeLinker().downcallHandle(symbol, FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
        } catch (IOException e) {
            return null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return null;
        }
    }

    static void run(int blocksX, int blocksY, int threadsX, int threadsY, MemorySegment... arguments) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointers = arena.allocate(ValueLayout.ADDRESS, arguments.length);
            for (int i = 0; i < arguments.length; i++) {
                pointers.setAtIndex(ValueLayout.ADDRESS, i, arguments[i]);
            }
            RUN.invokeExact(blocksX, blocksY, threadsX, threadsY, pointers);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
