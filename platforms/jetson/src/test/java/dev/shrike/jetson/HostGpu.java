package dev.shrike.jetson;

import dev.shrike.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A {@link Gpu} in the memory of the processor: what is submitted is done at once. Counts what is open, and can be told
 * to fail at some call.
 */
final class HostGpu implements Gpu {
    private int open;
    private int calls;
    private int failingCall = -1;
    private boolean compiles = true;
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

        Memory(long bytes) {
            super("cudaMalloc");
            segment = Arena.ofAuto().allocate(bytes, 64);
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
            MemorySegment.copy(from.segment(), 0, HostGpu.segment(to), 0, bytes);
        }

        @Override
        public void copyOut(DeviceMemory from, HostMemory to, long bytes) {
            requireOpen();
            call("cudaMemcpyAsync");
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
        CpuKernel() {
            super("cuModuleLoadData");
        }

        @Override
        public void launch(
                Stream stream, int blocksX, int blocksY, int threadsX, int threadsY, MemorySegment... arguments) {
            requireOpen();
            call("cuLaunchKernel");
            LetterboxKernel.run(blocksX, blocksY, threadsX, threadsY, arguments);
        }
    }

    @Override
    public Kernel compile(String source, String name) {
        if (!compiles || !LetterboxKernel.isThere()) {
            throw new DeviceException("nvrtcCompileProgram failed: no compiler");
        }
        return new CpuKernel();
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
