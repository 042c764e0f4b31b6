package dev.shrike.jetson;

import dev.shrike.DeviceException;
import dev.shrike.jetson.binding.CudaErrors;
import dev.shrike.jetson.binding.Gpu;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;

/**
 * A {@link Gpu} in the memory of the processor, whose streams work when they are waited for. Counts what is open, and
 * can be told to fail at some call.
 */
final class HostGpu implements Gpu {
    /** Bytes before and after each memory, which nobody may write. */
    private static final long GUARD = 256;
    private static final byte UNTOUCHED = 0x5a;

    private int open;
    private int calls;
    private int failingCall = -1;
    private boolean compiles = true;
    private boolean capturing;
    private long clock;
    private long kernelNanos = 1000;
    private long bytesOut;
    private int launches;
    private Device device = new Device("HostGpu", 7, 2, 8L << 30, true, 11040, 11040, 6);
    private final CudaErrors errors = new CudaErrors();
    private int failure = 2;

    /** Objects that were made and not closed. */
    int open() {
        return open;
    }

    /** Makes the n-th call from now fail. */
    void failAt(int call) {
        calls = 0;
        failingCall = call;
    }

    /** The same with an error of that number, which lasts if CUDA's does. */
    void failAt(int call, int error) {
        failAt(call);
        failure = error;
    }

    /** Changes the number of multiprocessors alone. */
    void resize(int multiprocessors) {
        device = new Device(device.name(), device.major(), device.minor(), device.totalBytes(), device.integrated(),
                device.driver(), device.runtime(), multiprocessors);
    }

    @Override
    public Optional<String> lost() {
        return errors.lost();
    }

    /** Nanoseconds that pass with work on this GPU alone: one for each byte that is copied, and those of kernels. */
    long clock() {
        return clock;
    }

    /** How long each kernel takes. */
    void kernelsTake(long nanos) {
        kernelNanos = nanos;
    }

    void spendKernel() {
        clock += kernelNanos;
    }

    /** Bytes copied from the device so far. */
    long bytesOut() {
        return bytesOut;
    }

    /** Recordings that were submitted so far. */
    int launches() {
        return launches;
    }

    void countLaunch() {
        launches++;
    }

    void countOut(long bytes) {
        bytesOut += bytes;
    }

    void copy(MemorySegment from, MemorySegment to, long bytes) {
        clock += bytes;
        MemorySegment.copy(from, 0, to, 0, bytes);
    }

    void compilesNothing() {
        compiles = false;
    }

    void become(String name) {
        device = new Device(name, 9, 0, 8L << 30, false, 12000, 11080, 132);
    }

    void call(String what) {
        if (calls++ == failingCall) {
            throw errors.failure(what, failure, failure == 2 ? "out of memory" : "error " + failure);
        }
        errors.lost().ifPresent(_ -> {
            throw errors.failure(what, failure, "error " + failure);
        });
    }

    int calls() {
        return calls;
    }

    void captures(boolean begins) {
        capturing = begins;
    }

    /** Fails as CUDA does with calls that wait or allocate while a stream is being recorded. */
    void requireNoCapture(String what) {
        if (capturing) {
            throw new DeviceException(what + " failed with CUDA error 900: operation not permitted when stream is"
                    + " capturing");
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
    abstract static class Counted implements AutoCloseable {
        private final HostGpu gpu;
        private boolean closed;

        Counted(HostGpu gpu, String what) {
            this.gpu = gpu;
            gpu.requireNoCapture(what);
            gpu.call(what);
            gpu.open++;
        }

        final void requireOpen() {
            if (closed) {
                throw new IllegalStateException("used after close");
            }
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                gpu.open--;
            }
        }
    }

    private static final class Memory extends Counted implements DeviceMemory, HostMemory {
        /** Closed with the memory, so that nobody reads it afterwards. */
        private final Arena arena = Arena.ofShared();
        private final MemorySegment segment;
        private final MemorySegment guarded;

        Memory(HostGpu gpu, long bytes) {
            super(gpu, "cudaMalloc");
            guarded = arena.allocate(bytes + 2 * GUARD, 64);
            guarded.fill(UNTOUCHED);
            segment = guarded.asSlice(GUARD, bytes).fill((byte) 0);
        }

        @Override
        public void close() {
            for (long i = 0; i < GUARD && arena.scope().isAlive(); i++) {
                if (guarded.get(ValueLayout.JAVA_BYTE, i) != UNTOUCHED
                        || guarded.get(ValueLayout.JAVA_BYTE, guarded.byteSize() - 1 - i) != UNTOUCHED) {
                    throw new AssertionError("somebody wrote beside " + segment.byteSize() + " bytes of memory");
                }
            }
            if (arena.scope().isAlive()) {
                arena.close();
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
        if (bytes > device.totalBytes()) {
            throw errors.failure("cudaMalloc of " + bytes + " bytes", 2, "out of memory");
        }
        return new Memory(this, bytes);
    }

    @Override
    public HostMemory allocateHost(long bytes) {
        return new Memory(this, bytes);
    }

    /** The memory of a port, for who plays the engine. */
    static MemorySegment segment(AutoCloseable memory) {
        return ((Memory) memory).segment();
    }

    /** A mark that has a time only once the stream has come to it. */
    static final class Mark extends Counted implements Event {
        private long nanos = -1;

        Mark(HostGpu gpu) {
            super(gpu, "cudaEventCreate");
        }

        void submitted() {
            nanos = -1;
        }

        void passed() {
            requireOpen();
            nanos = System.nanoTime();
        }

        @Override
        public float millisecondsSince(Event earlier) {
            Mark from = (Mark) earlier;
            requireOpen();
            from.requireOpen();
            if (nanos < 0 || from.nanos < 0) {
                throw new DeviceException("cudaEventElapsedTime failed with CUDA error 600: device not ready");
            }
            return (nanos - from.nanos) / 1e6f;
        }
    }

    @Override
    public Event event() {
        return new Mark(this);
    }

    /** Work that was recorded. */
    static final class Replay extends Counted implements Recording {
        private final List<Runnable> work;

        Replay(HostGpu gpu, List<Runnable> work) {
            super(gpu, "cudaGraphInstantiate");
            this.work = List.copyOf(work);
        }

        void run() {
            requireOpen();
            work.forEach(Runnable::run);
        }
    }

    Recording recording(List<Runnable> work) {
        capturing = false;
        return new Replay(this, work);
    }

    @Override
    public Stream stream() {
        return new HostStream(this);
    }

    private static final class CpuKernel extends Counted implements Kernel {
        private final HostKernel kernel;

        CpuKernel(HostGpu gpu, HostKernel kernel) {
            super(gpu, "cuModuleLoadData");
            this.kernel = kernel;
        }

        @Override
        public void launch(
                Stream stream, int blocksX, int blocksY, int threadsX, int threadsY, MemorySegment... arguments) {
            requireOpen();
            int[] sizes = {blocksX, blocksY, threadsX, threadsY};
            ((HostStream) stream).launch(kernel, this::requireOpen, sizes, arguments);
        }
    }

    /** Arguments as they are now, as a launch takes them. */
    static MemorySegment[] copies(MemorySegment... arguments) {
        MemorySegment[] values = new MemorySegment[arguments.length];
        for (int i = 0; i < arguments.length; i++) {
            values[i] = Arena.ofAuto().allocate(arguments[i].byteSize(), 8).copyFrom(arguments[i]);
        }
        return values;
    }

    @Override
    public Kernel compile(String source, String name) {
        if (!compiles || !HostKernel.canCompile()) {
            throw new DeviceException("nvrtcCompileProgram failed: no compiler");
        }
        try {
            return new CpuKernel(this, HostKernel.of(source, name));
        } catch (IllegalStateException e) {
            throw new DeviceException("nvrtcCompileProgram failed: " + e.getMessage(), e);
        }
    }
}
