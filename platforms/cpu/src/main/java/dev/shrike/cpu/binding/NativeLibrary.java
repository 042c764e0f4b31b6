package dev.shrike.cpu.binding;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.shrike.BackendUnavailableException;
import dev.shrike.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * The functions of {@code libshrike}, the one place that binds them. Addresses travel as {@code long}, so that a call
 * makes no garbage.
 *
 * @param abiVersion {@code uint32_t shrike_abi_version(void)}
 * @param cpuFeatures {@code uint64_t shrike_cpu_features(void)}
 * @param version {@code const char *shrike_version(void)}
 * @param statusText {@code const char *shrike_status_text(int32_t)}
 * @param contextCreate {@code int32_t shrike_context_create(int32_t, uint64_t, shrike_context **)}
 * @param contextDestroy {@code void shrike_context_destroy(shrike_context *)}
 * @param contextFeatures {@code uint64_t shrike_context_features(const shrike_context *)}
 * @param conv2dPackedSize {@code int64_t shrike_conv2d_f32_packed_size(const params *)}
 * @param conv2dPack {@code int32_t shrike_conv2d_f32_pack(const params *, const float *, int64_t, float *, int64_t)}
 * @param conv2dKernel {@code const char *shrike_conv2d_f32_kernel(const shrike_context *, const params *)}
 * @param conv2d {@code int32_t shrike_conv2d_f32(shrike_context *, const params *)}, and so on
 */
public record NativeLibrary(
        MethodHandle abiVersion,
        MethodHandle cpuFeatures,
        MethodHandle version,
        MethodHandle statusText,
        MethodHandle contextCreate,
        MethodHandle contextDestroy,
        MethodHandle contextFeatures,
        MethodHandle conv2dPackedSize,
        MethodHandle conv2dPack,
        MethodHandle conv2dKernel,
        MethodHandle conv2d,
        MethodHandle maxpool2d,
        MethodHandle avgpool2d,
        MethodHandle resize2d,
        MethodHandle unary,
        MethodHandle binary,
        MethodHandle copy,
        MethodHandle fill,
        MethodHandle softmax,
        MethodHandle reduce,
        MethodHandle matmul,
        MethodHandle codesPackedSize,
        MethodHandle codesPack,
        MethodHandle codesWorkspace,
        MethodHandle codesKernel,
        MethodHandle thresholdsSize,
        MethodHandle thresholds,
        MethodHandle codesConv2d,
        MethodHandle maxpool2dCodes,
        MethodHandle resize2dCodes,
        MethodHandle mapCodes,
        MethodHandle addCodes,
        MethodHandle quantize,
        MethodHandle quantizeDynamic,
        MethodHandle dequantize,
        MethodHandle letterbox) {
    static final int ABI_VERSION = 7;
    private static final int UNSUPPORTED = 2;

    /**
     * The functions found by a lookup.
     *
     * @throws BackendUnavailableException if a function is missing or the library is of another version
     */
    public static NativeLibrary bind(SymbolLookup symbols) {
        Linker linker = Linker.nativeLinker();
        Binder binder = new Binder(linker, symbols);
        MethodHandle abi = binder.bind("shrike_abi_version", JAVA_INT);
        int found;
        try {
            found = (int) abi.invokeExact();
        } catch (Throwable t) {
            throw unexpected(t);
        }
        if (found != ABI_VERSION) {
            throw new BackendUnavailableException("libshrike.so has ABI version " + found + ", this program needs "
                    + ABI_VERSION + ": use the library of the same release");
        }
        return new NativeLibrary(
                abi,
                binder.bind("shrike_cpu_features", JAVA_LONG),
                binder.bind("shrike_version", ADDRESS),
                binder.bind("shrike_status_text", ADDRESS, JAVA_INT),
                binder.bind("shrike_context_create", JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS),
                binder.bindVoid("shrike_context_destroy", JAVA_LONG),
                binder.bind("shrike_context_features", JAVA_LONG, JAVA_LONG),
                binder.bind("shrike_conv2d_f32_packed_size", JAVA_LONG, JAVA_LONG),
                binder.bind("shrike_conv2d_f32_pack", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG),
                binder.bind("shrike_conv2d_f32_kernel", ADDRESS, JAVA_LONG, JAVA_LONG),
                binder.operation("shrike_conv2d_f32"),
                binder.operation("shrike_maxpool2d_f32"),
                binder.operation("shrike_avgpool2d_f32"),
                binder.operation("shrike_resize2d_f32"),
                binder.operation("shrike_unary_f32"),
                binder.operation("shrike_binary_f32"),
                binder.operation("shrike_copy_f32"),
                binder.operation("shrike_fill_f32"),
                binder.operation("shrike_softmax_f32"),
                binder.operation("shrike_reduce_f32"),
                binder.operation("shrike_matmul_f32"),
                binder.bind("shrike_conv2d_q_packed_size", JAVA_LONG, JAVA_LONG, JAVA_LONG),
                binder.bind("shrike_conv2d_q_pack", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
                        JAVA_LONG, JAVA_LONG, JAVA_LONG),
                binder.bind("shrike_conv2d_q_workspace", JAVA_LONG, JAVA_LONG, JAVA_LONG),
                binder.bind("shrike_conv2d_q_kernel", ADDRESS, JAVA_LONG, JAVA_LONG),
                binder.bind("shrike_conv2d_q_thresholds_size", JAVA_LONG, JAVA_INT),
                binder.bind("shrike_conv2d_q_thresholds", JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_LONG),
                binder.operation("shrike_conv2d_q"),
                binder.operation("shrike_maxpool2d_u8"),
                binder.operation("shrike_resize2d_u8"),
                binder.operation("shrike_lut_u8"),
                binder.operation("shrike_add_u8"),
                binder.operation("shrike_quantize_f32_u8"),
                binder.operation("shrike_quantize_dynamic_f32_u8"),
                binder.operation("shrike_dequantize_u8_f32"),
                binder.operation("shrike_letterbox_u8_f32"));
    }

    private record Binder(Linker linker, SymbolLookup symbols) {
        public MethodHandle operation(String name) {
            return bind(name, JAVA_INT, JAVA_LONG, JAVA_LONG);
        }

        public MethodHandle bind(String name, MemoryLayout result, MemoryLayout... arguments) {
            return link(name, FunctionDescriptor.of(result, arguments));
        }

        MethodHandle bindVoid(String name, MemoryLayout... arguments) {
            return link(name, FunctionDescriptor.ofVoid(arguments));
        }

        private MethodHandle link(String name, FunctionDescriptor descriptor) {
            Optional<MemorySegment> symbol = symbols.find(name);
            return linker.downcallHandle(
                    symbol.orElseThrow(() -> new BackendUnavailableException("libshrike.so lacks the function " + name
                            + ": use the library of the same release")),
                    descriptor);
        }
    }

    /** CPU features of this machine, as the bits of {@code shrike.h}. */
    public long features() {
        try {
            return (long) cpuFeatures.invokeExact();
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Product version of the library. */
    public String versionText() {
        try {
            return text((MemorySegment) version.invokeExact());
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** A text for a status. */
    public String describe(int status) {
        try {
            return text((MemorySegment) statusText.invokeExact(status));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /**
     * Address of a new context, which the caller destroys.
     *
     * @throws DeviceException if the system refuses memory or threads
     */
    public long createContext(int threads, long featureMask) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ADDRESS);
            int status = (int) contextCreate.invokeExact(threads, featureMask, out);
            require(status, "create " + threads + " worker threads");
            return out.get(ADDRESS, 0).address();
        } catch (DeviceException e) {
            throw e;
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public void destroyContext(long context) {
        try {
            contextDestroy.invokeExact(context);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public long packedSize(MemorySegment params) {
        try {
            return (long) conv2dPackedSize.invokeExact(params.address());
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    public void pack(MemorySegment params, MemorySegment weights, MemorySegment packed) {
        try {
            int status = (int) conv2dPack.invokeExact(params.address(), weights.address(), weights.byteSize(),
                    packed.address(), packed.byteSize());
            require(status, "pack convolution weights");
        } catch (DeviceException e) {
            throw e;
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Name of the kernel for a convolution, or nothing if the library has none or refuses the parameters. */
    public Optional<String> kernel(long context, MemorySegment params) {
        try {
            return name((MemorySegment) conv2dKernel.invokeExact(context, params.address()));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Bytes of the packed weights of a convolution of codes, or -1 where no kernel takes it. */
    public long codesPackedSize(long context, MemorySegment params) {
        try {
            return (long) codesPackedSize.invokeExact(context, params.address());
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Bytes of workspace that a convolution of codes needs. */
    public long codesWorkspace(long context, MemorySegment params) {
        try {
            return (long) codesWorkspace.invokeExact(context, params.address());
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Packs int8 weights; zeros are int32, one per output channel. */
    public void packCodes(
            long context, MemorySegment params, MemorySegment weights, MemorySegment zeros, MemorySegment packed) {
        try {
            int status = (int) codesPack.invokeExact(context, params.address(), weights.address(), weights.byteSize(),
                    zeros.address(), zeros.byteSize(), packed.address(), packed.byteSize());
            require(status, "pack the integer weights of a convolution");
        } catch (DeviceException e) {
            throw e;
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Name of the kernel for a convolution of codes, or nothing if the library has none. */
    public Optional<String> codesKernel(long context, MemorySegment params) {
        try {
            return name((MemorySegment) codesKernel.invokeExact(context, params.address()));
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Bytes of the thresholds of that many output channels. */
    public long thresholdsSize(int outChannels) {
        try {
            return (long) thresholdsSize.invokeExact(outChannels);
        } catch (Throwable t) {
            throw unexpected(t);
        }
    }

    /** Writes the thresholds that stand for a convolution's output; false if its map from sums to codes has none. */
    public boolean findThresholds(MemorySegment params, MemorySegment found) {
        int status;
        try {
            status = (int) thresholds.invokeExact(params.address(), found.address(), found.byteSize());
        } catch (Throwable t) {
            throw unexpected(t);
        }
        if (status == UNSUPPORTED) {
            return false;
        }
        require(status, "find the thresholds of a convolution");
        return true;
    }

    private static Optional<String> name(MemorySegment pointer) {
        return pointer.address() == 0 ? Optional.empty() : Optional.of(text(pointer));
    }

    private void require(int status, String what) {
        if (status != 0) {
            throw new DeviceException(
                    "libshrike cannot " + what + ": " + describe(status) + " (status " + status + ")");
        }
    }

    private static String text(MemorySegment pointer) {
        return pointer.reinterpret(4096).getString(0);
    }

    /** Downcalls throw nothing of their own; whatever comes is ours. */
    public static RuntimeException unexpected(Throwable t) {
        return switch (t) {
            case RuntimeException e -> e;
            case Error e -> throw e;
            default -> new IllegalStateException(t);
        };
    }
}
