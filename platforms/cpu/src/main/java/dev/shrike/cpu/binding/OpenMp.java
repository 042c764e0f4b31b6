package dev.shrike.cpu.binding;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The one function of the OpenMP runtime that oneDNN leaves to its caller: how many threads a parallel region of the
 * calling thread gets. The runtime is the {@code libgomp} that oneDNN brought with it.
 */
public final class OpenMp {
    private final MethodHandle setNumThreads;

    /** The runtime that is loaded already, or the system's. */
    public OpenMp() {
        SymbolLookup symbols = SymbolLookup.libraryLookup("libgomp.so.1", Arena.global());
        setNumThreads = Linker.nativeLinker()
                .downcallHandle(
                        symbols.findOrThrow("omp_set_num_threads"),
                        FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT));
    }

    /** Sets the threads of later parallel regions that the calling thread starts. */
    public void setThreads(int count) {
        try {
            setNumThreads.invokeExact(count);
        } catch (Throwable t) {
            throw NativeLibrary.unexpected(t);
        }
    }
}
