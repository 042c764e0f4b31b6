package dev.shrike.cpu.vendor;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.shrike.BackendUnavailableException;
import dev.shrike.DeviceException;
import dev.shrike.cpu.binding.NativeLibrary;
import dev.shrike.cpu.binding.NativeLoader;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.OptionalLong;

/**
 * The functions of {@code libshrike_acl}, the one place that binds them; see {@code shrike_acl.h}.
 *
 * @param abiVersion {@code uint32_t shrike_acl_abi_version(void)}
 * @param version {@code const char *shrike_acl_version(void)}
 * @param message {@code const char *shrike_acl_message(void)}
 * @param create {@code int32_t shrike_acl_conv2d_create(const params *, shrike_acl_conv2d **)}
 * @param run {@code int32_t shrike_acl_conv2d_run(shrike_acl_conv2d *)}
 * @param kernel {@code const char *shrike_acl_conv2d_kernel(const shrike_acl_conv2d *)}
 * @param destroy {@code void shrike_acl_conv2d_destroy(shrike_acl_conv2d *)}
 */
public record AclLibrary(
        MethodHandle abiVersion,
        MethodHandle version,
        MethodHandle message,
        MethodHandle create,
        MethodHandle run,
        MethodHandle kernel,
        MethodHandle destroy) {
    public static final int ABI_VERSION = 1;
    static final String FILE = "libshrike_acl.so";

    private static final int OUT_OF_MEMORY = 3;

    /** The library, loaded when it is first needed and never again, with why it could not be. */
    private static final class Loaded {
        private static final AclLibrary LIBRARY;
        private static final RuntimeException FAILURE;

        static {
            AclLibrary library = null;
            RuntimeException failure = null;
            try {
                library = bind(NativeLoader.load(FILE));
            } catch (RuntimeException e) {
                failure = e;
            }
            LIBRARY = library;
            FAILURE = failure;
        }

        private Loaded() {}
    }

    /**
     * The library of this process.
     *
     * @throws BackendUnavailableException if it, or ARM Compute Library below it, is missing
     */
    public static AclLibrary load() {
        if (Loaded.LIBRARY == null) {
            throw new BackendUnavailableException(Loaded.FAILURE.getMessage()
                    + "; ARM Compute Library is there on arm64 with Debian 13: apt-get install libarm-compute43",
                    Loaded.FAILURE);
        }
        return Loaded.LIBRARY;
    }

    /**
     * The functions found by a lookup.
     *
     * @throws BackendUnavailableException if a function is missing or the library is of another version
     */
    public static AclLibrary bind(SymbolLookup symbols) {
        AclLibrary library = new AclLibrary(
                link(symbols, "abi_version", FunctionDescriptor.of(JAVA_INT)),
                link(symbols, "version", FunctionDescriptor.of(ADDRESS)),
                link(symbols, "message", FunctionDescriptor.of(ADDRESS)),
                link(symbols, "conv2d_create", FunctionDescriptor.of(JAVA_INT, new MemoryLayout[] {ADDRESS, ADDRESS})),
                link(symbols, "conv2d_run", FunctionDescriptor.of(JAVA_INT, JAVA_LONG)),
                link(symbols, "conv2d_kernel", FunctionDescriptor.of(ADDRESS, JAVA_LONG)),
                link(symbols, "conv2d_destroy", FunctionDescriptor.ofVoid(JAVA_LONG)));
        int found = library.abiVersionFound();
        if (found != ABI_VERSION) {
            throw new BackendUnavailableException(FILE + " has ABI version " + found + ", this program needs "
                    + ABI_VERSION + ": use the library of the same release");
        }
        return library;
    }

    private static MethodHandle link(SymbolLookup symbols, String name, FunctionDescriptor descriptor) {
        MemorySegment symbol = symbols.find("shrike_acl_" + name)
                .orElseThrow(() -> new BackendUnavailableException(FILE + " lacks the function shrike_acl_" + name
                        + ": use the library of the same release"));
        return Linker.nativeLinker().downcallHandle(symbol, descriptor);
    }

    private int abiVersionFound() {
        try {
            return (int) abiVersion.invokeExact();
        } catch (Throwable t) {
            throw NativeLibrary.unexpected(t);
        }
    }

    /** Version of ARM Compute Library. */
    public String versionText() {
        try {
            return text((MemorySegment) version.invokeExact());
        } catch (Throwable t) {
            throw NativeLibrary.unexpected(t);
        }
    }

    /** Why the calling thread's last call failed. */
    String lastMessage() {
        try {
            return text((MemorySegment) message.invokeExact());
        } catch (Throwable t) {
            throw NativeLibrary.unexpected(t);
        }
    }

    /**
     * Address of a new convolution, which the caller destroys, or nothing where ARM Compute Library has none;
     * {@link #lastMessage} tells why.
     *
     * @throws DeviceException if memory runs out
     */
    OptionalLong createConvolution(MemorySegment params) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ADDRESS);
            int status = (int) create.invokeExact(params, out);
            if (status == OUT_OF_MEMORY) {
                throw new DeviceException("ARM Compute Library has no memory for a convolution; use a smaller input"
                        + " size, or -Dshrike.cpu.convolution=native");
            }
            return status == 0 ? OptionalLong.of(out.get(ADDRESS, 0).address()) : OptionalLong.empty();
        } catch (Throwable t) {
            throw NativeLibrary.unexpected(t);
        }
    }

    /** How a convolution is computed, such as {@code winograd}. */
    String kernelOf(long convolution) {
        try {
            return text((MemorySegment) kernel.invokeExact(convolution));
        } catch (Throwable t) {
            throw NativeLibrary.unexpected(t);
        }
    }

    void destroyConvolution(long convolution) {
        try {
            destroy.invokeExact(convolution);
        } catch (Throwable t) {
            throw NativeLibrary.unexpected(t);
        }
    }

    private static String text(MemorySegment pointer) {
        return pointer.reinterpret(4096).getString(0);
    }
}
