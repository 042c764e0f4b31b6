package dev.shrike.jetson;

import dev.shrike.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * A {@link Gpu} in the memory of the processor: what is submitted is done at once. Counts what is open, and can be told
 * to fail at some call.
 */
final class HostGpu implements Gpu {
    /** Bytes before and after each memory, which nobody may write. */
    private static final long GUARD = 256;
    private static final byte UNTOUCHED = 0x5a;

    private int open;
    private int calls;
    private int failingCall = -1;
    private boolean compiles = true;
    private long clock;
    private long kernelNanos = 1000;
    private long bytesOut;
    private Device device = new Device("HostGpu", 7, 2, 8L << 30, true, 11040, 11040);

    /** Objects that were made and not closed. */
    int open() {
        return open;
    }

    /** Makes the n-th call from now fail. */
    void failAt(int call) {
        calls = 0;
        failingCall = call;
    }

    /** Nanoseconds that pass with work on this GPU alone: one for each byte that is copied, and those of kernels. */
    long clock() {
        return clock;
    }

    /** How long each kernel takes. */
    void kernelsTake(long nanos) {
        kernelNanos = nanos;
    }

    /** Bytes copied from the device so far. */
    long bytesOut() {
        return bytesOut;
    }

    void compilesNothing() {
        compiles = false;
    }

    void become(String name) {
        device = new Device(name, 9, 0, 8L << 30, false, 12000, 11080);
    }

    private void call(String what) {
        if (calls++ == failingCall) {
            throw new DeviceException(what + " failed with CUDA error 2: out of memory");
        }
    }

    @Override
    public Device device() {
        return device;
    }

    @Override
    public long freeBytes() {
        return 4L << 30;
    }

    /** Closes once, however often it is asked. */
    private abstract class Counted implements AutoCloseable {
        private boolean closed;

        Counted(String what) {
            call(what);
            open++;
        }

        void requireOpen() {
            if (closed) {
                throw new IllegalStateException("used after close");
            }
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                open--;
            }
        }
    }

    private final class Memory extends Counted implements DeviceMemory, HostMemory {
        private final MemorySegment segment;

        private final MemorySegment guarded;

        Memory(long bytes) {
            super("cudaMalloc");
            guarded = Arena.ofAuto().allocate(bytes + 2 * GUARD, 64);
            guarded.fill(UNTOUCHED);
            segment = guarded.asSlice(GUARD, bytes).fill((byte) 0);
        }

        @Override
        public void close() {
            for (long i = 0; i < GUARD; i++) {
                if (guarded.get(ValueLayout.JAVA_BYTE, i) != UNTOUCHED
                        || guarded.get(ValueLayout.JAVA_BYTE, guarded.byteSize() - 1 - i) != UNTOUCHED) {
                    throw new AssertionError("somebody wrote beside " + segment.byteSize() + " bytes of memory");
                }
            }
            super.close();
        }

        @Override
        public long address() {
            requireOpen();
            return segment.address();
        }

        @Override
        public long bytes() {
            return segment.byteSize();
        }

        @Override
        public MemorySegment segment() {
            requireOpen();
            return segment;
        }
    }

    @Override
    public DeviceMemory allocate(long bytes) {
        return new Memory(bytes);
    }

    @Override
    public HostMemory allocateHost(long bytes) {
        return new Memory(bytes);
    }

    /** The memory of a port, for who plays the engine. */
    static MemorySegment segment(DeviceMemory memory) {
        return ((Memory) memory).segment();
    }

    private final class Mark extends Counted implements Event {
        private long nanos;

        Mark() {
            super("cudaEventCreate");
        }

        @Override
        public float millisecondsSince(Event earlier) {
            return (nanos - ((Mark) earlier).nanos) / 1e6f;
        }
    }

    @Override
    public Event event() {
        return new Mark();
    }

    private final class Replay extends Counted implements Recording {
        private final Runnable submissions;

        Replay(Runnable submissions) {
            super("cudaGraphInstantiate");
            this.submissions = submissions;
        }
    }

    private final class Queue extends Counted implements Stream {
        Queue() {
            super("cudaStreamCreate");
        }

        @Override
        public void copyIn(HostMemory from, DeviceMemory to, long bytes) {
            requireOpen();
            call("cudaMemcpyAsync");
            clock += bytes;
            MemorySegment.copy(from.segment(), 0, HostGpu.segment(to), 0, bytes);
        }

        @Override
        public void copyOut(DeviceMemory from, HostMemory to, long bytes) {
            requireOpen();
            call("cudaMemcpyAsync");
            clock += bytes;
            bytesOut += bytes;
            MemorySegment.copy(HostGpu.segment(from), 0, to.segment(), 0, bytes);
        }

        @Override
        public void record(Event event) {
            ((Mark) event).nanos = System.nanoTime();
        }

        @Override
        public void synchronize() {
            requireOpen();
            call("cudaStreamSynchronize");
        }

        @Override
        public Recording record(Runnable submissions) {
            return new Replay(submissions);
        }

        @Override
        public void submit(Recording recording) {
            call("cudaGraphLaunch");
            ((Replay) recording).submissions.run();
        }
    }

    @Override
    public Stream stream() {
        return new Queue();
    }

    private final class CpuKernel extends Counted implements Kernel {
        private final HostKernel kernel;

        CpuKernel(HostKernel kernel) {
            super("cuModuleLoadData");
            this.kernel = kernel;
        }

        @Override
        public void launch(
                Stream stream, int blocksX, int blocksY, int threadsX, int threadsY, MemorySegment... arguments) {
            requireOpen();
            call("cuLaunchKernel");
            clock += kernelNanos;
            kernel.run(blocksX, blocksY, threadsX, threadsY, arguments);
        }
    }

    @Override
    public Kernel compile(String source, String name) {
        if (!compiles || !HostKernel.canCompile()) {
            throw new DeviceException("nvrtcCompileProgram failed: no compiler");
        }
        return new CpuKernel(HostKernel.of(source, name));
    }

    /** The calls that a successful run of the action makes. */
    static List<Integer> everyCall(int count) {
        List<Integer> calls = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            calls.add(i);
        }
        return calls;
    }

    int calls() {
        return calls;
    }
}
