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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A kernel in CUDA C++ compiled for this processor: CUDA's words become C++, and its threads a loop. Blocks and the
 * threads in them run in an order that is another one with every launch, as on a GPU.
 */
final class HostKernel {
    private static final String BEFORE = """
            #include <string.h>
            #include <stdlib.h>
            struct dim { int x, y; };
            static dim blockIdx, blockDim, threadIdx;
            #define __global__
            #define __device__
            static inline __attribute__((unused)) int __float_as_int(float x) {
                int bits;
                memcpy(&bits, &x, sizeof bits);
                return bits;
            }
            static inline __attribute__((unused)) int atomicAdd(int *at, int value) {
                int old = *at;
                *at += value;
                return old;
            }
            """;
    private static final String AFTER = """
            /* Visits 0 .. n - 1 in steps that share no factor with n. */
            static int coprime(int n, unsigned *seed) {
                for (;;) {
                    *seed = *seed * 1664525u + 1013904223u;
                    int step = 1 + (int)(*seed >> 8) % n, a = n, b = step;
                    while (b) {
                        int rest = a % b;
                        a = b;
                        b = rest;
                    }
                    if (a == 1)
                        return step;
                }
            }
            extern "C" void run(int blocks_x, int blocks_y, int threads_x, int threads_y, void **a) {
                static unsigned seed = 1;
                int blocks = blocks_x * blocks_y, threads = threads_x * threads_y;
                int block_step = coprime(blocks, &seed), thread_step = coprime(threads, &seed);
                blockDim.x = threads_x, blockDim.y = threads_y;
                for (long long i = 0; i < blocks; i++) {
                    int block = (int)((i + 1) * block_step % blocks);
                    blockIdx.x = block % blocks_x, blockIdx.y = block / blocks_x;
                    for (long long j = 0; j < threads; j++) {
                        int thread = (int)((j + 1) * thread_step % threads);
                        threadIdx.x = thread % threads_x, threadIdx.y = thread / threads_x;
                        CALL;
                    }
                }
            }
            """;
    private static final Map<String, HostKernel> BUILT = new ConcurrentHashMap<>();
    private static final boolean COMPILER = isCompilerHere();

    private final MethodHandle run;

    private HostKernel(MethodHandle run) {
        this.run = run;
    }

    /** Whether there is a C++ compiler here. */
    static boolean canCompile() {
        return COMPILER;
    }

    private static boolean isCompilerHere() {
        try {
            return new ProcessBuilder("g++", "--version").redirectOutput(ProcessBuilder.Redirect.DISCARD).start()
                    .waitFor() == 0;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** The kernel of that name in the source. */
    static HostKernel of(String source, String name) {
        return BUILT.computeIfAbsent(source, _ -> build(source, name));
    }

    private static HostKernel build(String source, String name) {
        try {
            Path folder = Files.createTempDirectory(name);
            Path file = folder.resolve(name + ".cpp");
            Path library = folder.resolve("lib" + name + ".so");
            Files.writeString(file, BEFORE + source + AFTER.replace("CALL", call(source, name)));
            // No fused multiply-add, which the GPU's compiler may use and the kernels must not depend on.
            Process process = new ProcessBuilder("g++", "-O2", "-fwrapv", "-ffp-contract=off", "-Wall", "-Werror",
                    "-shared", "-fPIC", file.toString(), "-o", library.toString()).redirectErrorStream(true).start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IllegalStateException(name + ".cu does not compile: " + said);
            }
            MemorySegment symbol = SymbolLookup.libraryLookup(library, Arena.global()).findOrThrow("run");
            for (Path made : List.of(file, library, folder)) {
                Files.delete(made);
            }
            return new HostKernel(Linker.nativeLinker().downcallHandle(symbol, FunctionDescriptor.ofVoid(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
                    ValueLayout.ADDRESS)));
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The call of the kernel with arguments behind pointers, by the parameters that the source declares. */
    private static String call(String source, String name) {
        Matcher kernel = Pattern.compile("extern \"C\" __global__ void " + name + "\\(([^)]*)\\)").matcher(source);
        if (!kernel.find()) {
            throw new IllegalStateException("there is no kernel " + name + " in its source");
        }
        List<String> arguments = new ArrayList<>();
        for (String parameter : kernel.group(1).split(",")) {
            String type = parameter.strip().replaceFirst("\\w+$", "");
            arguments.add("*(" + type + " *)a[" + arguments.size() + "]");
        }
        return name + "(" + String.join(", ", arguments) + ")";
    }

    void run(int blocksX, int blocksY, int threadsX, int threadsY, MemorySegment... arguments) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointers = arena.allocate(ValueLayout.ADDRESS, arguments.length);
            for (int i = 0; i < arguments.length; i++) {
                pointers.setAtIndex(ValueLayout.ADDRESS, i, arguments[i]);
            }
            // The indices of the block and the thread are globals of the library.
            synchronized (this) {
                run.invokeExact(blocksX, blocksY, threadsX, threadsY, pointers);
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
