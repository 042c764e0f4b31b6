package dev.shrike.jetson.kernels;

import dev.shrike.jetson.binding.Gpu;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The arguments of a kernel in native memory, written once and launched with again and again. */
public final class KernelArguments implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final MemorySegment[] segments;
    private boolean closed;

    public KernelArguments(int count) {
        segments = new MemorySegment[count];
        for (int i = 0; i < count; i++) {
            segments[i] = arena.allocate(Long.BYTES, Long.BYTES);
        }
    }

    /** For {@link Gpu.Kernel#launch}. */
    public MemorySegment[] segments() {
        return segments;
    }

    public KernelArguments address(int index, long address) {
        segments[index].set(ValueLayout.JAVA_LONG, 0, address);
        return this;
    }

    KernelArguments number(int index, int value) {
        segments[index].set(ValueLayout.JAVA_INT, 0, value);
        return this;
    }

    KernelArguments number(int index, float value) {
        segments[index].set(ValueLayout.JAVA_FLOAT, 0, value);
        return this;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            arena.close();
        }
    }
}
