package dev.shrike.jetson.binding;

import dev.shrike.BackendUnavailableException;
import dev.shrike.DeviceException;
import dev.shrike.files.Interrupts;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Optional;
import org.bytedeco.cuda.cudart.CUctx_st;
import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.cuda.cudart.CUfunc_st;
import org.bytedeco.cuda.cudart.CUgraphExec_st;
import org.bytedeco.cuda.cudart.CUgraph_st;
import org.bytedeco.cuda.cudart.CUmod_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.cudart.cudaDeviceProp;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.cuda.global.nvrtc;
import org.bytedeco.cuda.nvrtc._nvrtcProgram;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;

/** The CUDA runtime and its compiler. Uses only functions that CUDA 11.4 has: newer ones would fail when called. */
public final class CudaLibrary implements Gpu {
    private static final Path MEMORY = Path.of("/proc/meminfo");
    /** Of the one context that a process has for the device. */
    private static final CudaErrors ERRORS = new CudaErrors();

    private final Device device;
    /**
     * The context of the device. Functions of the runtime (cuda…) take it by themselves on any thread; those of the
     * driver (cu…) fail on a thread that has not called the runtime before.
     */
    private final CUctx_st context;

    private CudaLibrary(Device device, CUctx_st context) {
        this.device = device;
        this.context = context;
    }

    /**
     * The first device.
     *
     * @throws BackendUnavailableException if a library, the driver or the device is missing; says what adds it
     */
    public static CudaLibrary open() {
        try {
            Interrupts.shield(() -> Loader.load(cudart.class));
        } catch (LinkageError | RuntimeException e) {
            throw MissingLibraries.explain("CUDA", e);
        }
        int[] count = new int[1];
        int error = cudart.cudaGetDeviceCount(count);
        if (error != 0 || count[0] == 0) {
            throw noDevice(error);
        }
        check("cudaSetDevice", cudart.cudaSetDevice(0));
        // Creates the context.
        check("cudaFree", cudart.cudaFree((Pointer) null));
        CUctx_st context = new CUctx_st();
        check("cuCtxGetCurrent", cudart.cuCtxGetCurrent(context));
        return new CudaLibrary(describe(), context);
    }

    private static BackendUnavailableException noDevice(int error) {
        String found = error == 0 ? "it counts no device" : "error " + error + ", " + text(error);
        return new BackendUnavailableException(
                "CUDA sees no device (" + found + "): " + MissingLibraries.driverAdvice(error), null);
    }

    private static Device describe() {
        int[] driver = new int[1];
        int[] runtime = new int[1];
        check("cudaDriverGetVersion", cudart.cudaDriverGetVersion(driver));
        check("cudaRuntimeGetVersion", cudart.cudaRuntimeGetVersion(runtime));
        try (cudaDeviceProp properties = new cudaDeviceProp()) {
            check("cudaGetDeviceProperties", cudart.cudaGetDeviceProperties(properties, 0));
            return new Device(properties.name().getString(), properties.major(), properties.minor(),
                    properties.totalGlobalMem(), properties.integrated() != 0, driver[0], runtime[0],
                    properties.multiProcessorCount());
        }
    }

    private static String text(int error) {
        try (BytePointer text = cudart.cudaGetErrorString(error)) {
            return text.getString();
        }
    }

    private static void check(String call, int error) {
        if (error == 0) {
            return;
        }
        // Else the next call that succeeds would report this error again.
        cudart.cudaGetLastError();
        throw ERRORS.failure(call, error, text(error));
    }

    private static void checkCompiler(String call, int error, String detail) {
        if (error != 0) {
            try (BytePointer text = nvrtc.nvrtcGetErrorString(error)) {
                throw new DeviceException(call + " failed: " + text.getString() + detail);
            }
        }
    }

    /** A pointer of JavaCPP to an address; owns nothing. */
    static final class Address extends Pointer {
        Address(long address) {
            super((Pointer) null);
            this.address = address;
        }

        static Address of(MemorySegment segment) {
            if (!segment.isNative()) {
                throw new IllegalArgumentException("memory on the Java heap has no address");
            }
            return new Address(segment.address());
        }
    }

    @Override
    public Device device() {
        return device;
    }

    @Override
    public Optional<String> lost() {
        return ERRORS.lost();
    }

    @Override
    public long freeBytes() {
        try (SizeTPointer free = new SizeTPointer(1); SizeTPointer total = new SizeTPointer(1)) {
            check("cudaMemGetInfo", cudart.cudaMemGetInfo(free, total));
            return device.integrated() ? AvailableMemory.bytes(free.get(), MEMORY) : free.get();
        }
    }

    @Override
    public DeviceMemory allocate(long bytes) {
        Pointer pointer = new Pointer();
        check("cudaMalloc of " + bytes + " bytes", cudart.cudaMalloc(pointer, bytes));
        return new Memory(pointer, bytes);
    }

    private static final class Memory implements DeviceMemory {
        private final Pointer pointer;
        private final long bytes;
        private boolean closed;

        Memory(Pointer pointer, long bytes) {
            this.pointer = pointer;
            this.bytes = bytes;
        }

        @Override
        public long address() {
            return pointer.address();
        }

        @Override
        public long bytes() {
            return bytes;
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                check("cudaFree", cudart.cudaFree(pointer));
            }
        }
    }

    @Override
    public HostMemory allocateHost(long bytes) {
        Pointer pointer = new Pointer();
        check("cudaMallocHost of " + bytes + " bytes", cudart.cudaMallocHost(pointer, bytes));
        // Of an arena, so that who touches it after close gets an exception, not the end of the process.
        Arena arena = Arena.ofShared();
        MemorySegment segment = MemorySegment.ofAddress(pointer.address()).reinterpret(bytes, arena, null);
        segment.fill((byte) 0);
        return new PinnedMemory(pointer, arena, segment);
    }

    private static final class PinnedMemory implements HostMemory {
        private final Pointer pointer;
        private final Arena arena;
        private final MemorySegment segment;
        private boolean closed;

        PinnedMemory(Pointer pointer, Arena arena, MemorySegment segment) {
            this.pointer = pointer;
            this.arena = arena;
            this.segment = segment;
        }

        @Override
        public MemorySegment segment() {
            return segment;
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                arena.close();
                check("cudaFreeHost", cudart.cudaFreeHost(pointer));
            }
        }
    }

    @Override
    public Stream stream() {
        CUstream_st stream = new CUstream_st();
        check("cudaStreamCreate", cudart.cudaStreamCreateWithFlags(stream, cudart.cudaStreamNonBlocking));
        return new CudaStream(stream);
    }

    /** The stream that a {@link Stream} of this class stands for. */
    static CUstream_st handle(Stream stream) {
        return ((CudaStream) stream).handle;
    }

    private static final class CudaStream implements Stream {
        private final CUstream_st handle;
        private boolean closed;

        CudaStream(CUstream_st handle) {
            this.handle = handle;
        }

        @Override
        public void copyIn(HostMemory from, DeviceMemory to, long bytes) {
            requireRoom(from, to, bytes);
            check("cudaMemcpyAsync to the device", cudart.cudaMemcpyAsync(((Memory) to).pointer,
                    ((PinnedMemory) from).pointer, bytes, cudart.cudaMemcpyHostToDevice, handle));
        }

        @Override
        public void copyOut(DeviceMemory from, HostMemory to, long bytes) {
            requireRoom(to, from, bytes);
            check("cudaMemcpyAsync from the device", cudart.cudaMemcpyAsync(((PinnedMemory) to).pointer,
                    ((Memory) from).pointer, bytes, cudart.cudaMemcpyDeviceToHost, handle));
        }

        private static void requireRoom(HostMemory host, DeviceMemory device, long bytes) {
            if (bytes < 0 || bytes > host.segment().byteSize() || bytes > device.bytes()) {
                throw new IllegalArgumentException("copy of " + bytes + " bytes between " + host.segment().byteSize()
                        + " and " + device.bytes());
            }
        }

        @Override
        public void record(Event event) {
            check("cudaEventRecord", cudart.cudaEventRecord(((CudaEvent) event).handle, handle));
        }

        @Override
        public void synchronize() {
            check("cudaStreamSynchronize", cudart.cudaStreamSynchronize(handle));
        }

        @Override
        public Recording record(Runnable submissions) {
            check("cudaStreamBeginCapture",
                    cudart.cudaStreamBeginCapture(handle, cudart.cudaStreamCaptureModeThreadLocal));
            CUgraph_st graph = new CUgraph_st();
            boolean complete = false;
            try {
                submissions.run();
                complete = true;
            } finally {
                // Ends the recording even if it failed, or the stream could not be used any more.
                int error = cudart.cudaStreamEndCapture(handle, graph);
                cudart.cudaGetLastError();
                if (error != 0) {
                    graph.setNull();
                } else if (!complete && !graph.isNull()) {
                    cudart.cudaGraphDestroy(graph);
                }
            }
            if (graph.isNull()) {
                throw new DeviceException("cudaStreamEndCapture failed: the work cannot be recorded");
            }
            CUgraphExec_st executable = new CUgraphExec_st();
            int error = cudart.cudaGraphInstantiate(executable, graph, null, (BytePointer) null, 0);
            cudart.cudaGraphDestroy(graph);
            check("cudaGraphInstantiate", error);
            return new CudaRecording(executable);
        }

        @Override
        public void submit(Recording recording) {
            check("cudaGraphLaunch", cudart.cudaGraphLaunch(((CudaRecording) recording).handle, handle));
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                check("cudaStreamDestroy", cudart.cudaStreamDestroy(handle));
            }
        }
    }

    private static final class CudaRecording implements Recording {
        private final CUgraphExec_st handle;
        private boolean closed;

        CudaRecording(CUgraphExec_st handle) {
            this.handle = handle;
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                check("cudaGraphExecDestroy", cudart.cudaGraphExecDestroy(handle));
            }
        }
    }

    @Override
    public Event event() {
        CUevent_st event = new CUevent_st();
        check("cudaEventCreate", cudart.cudaEventCreate(event));
        return new CudaEvent(event);
    }

    private static final class CudaEvent implements Event {
        private final CUevent_st handle;
        private final float[] milliseconds = new float[1];
        private boolean closed;

        CudaEvent(CUevent_st handle) {
            this.handle = handle;
        }

        @Override
        public float millisecondsSince(Event earlier) {
            check("cudaEventElapsedTime",
                    cudart.cudaEventElapsedTime(milliseconds, ((CudaEvent) earlier).handle, handle));
            return milliseconds[0];
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                check("cudaEventDestroy", cudart.cudaEventDestroy(handle));
            }
        }
    }

    @Override
    public Kernel compile(String source, String name) {
        try (BytePointer ptx = toPtx(source, name, "compute_" + device.major() + device.minor())) {
            return load(ptx, name);
        }
    }

    /** A kernel in NVIDIA's portable assembly, zero-terminated, which the driver compiles for the device. */
    public Kernel load(BytePointer ptx, String name) {
        makeCurrent();
        CUmod_st module = new CUmod_st();
        check("cuModuleLoadData", cudart.cuModuleLoadData(module, ptx));
        CUfunc_st function = new CUfunc_st();
        int error = cudart.cuModuleGetFunction(function, module, name);
        if (error != 0) {
            cudart.cuModuleUnload(module);
        }
        check("cuModuleGetFunction " + name, error);
        return new CudaKernel(module, function);
    }

    /** To be called before functions of the driver; costs next to nothing where it is so already. */
    private void makeCurrent() {
        check("cuCtxSetCurrent", cudart.cuCtxSetCurrent(context));
    }

    /** The kernel in NVIDIA's portable assembly, zero-terminated; needs no device. The caller closes it. */
    public static BytePointer toPtx(String source, String name, String architecture) {
        try {
            Interrupts.shield(() -> Loader.load(nvrtc.class));
        } catch (LinkageError | RuntimeException e) {
            throw MissingLibraries.explain("CUDA's run-time compiler", e);
        }
        _nvrtcProgram program = new _nvrtcProgram();
        try (BytePointer text = new BytePointer(source); BytePointer file = new BytePointer(name + ".cu")) {
            checkCompiler("nvrtcCreateProgram",
                    nvrtc.nvrtcCreateProgram(program, text, file, 0, (PointerPointer) null, (PointerPointer) null), "");
        }
        try (PointerPointer<BytePointer> options = new PointerPointer<>(
                "--gpu-architecture=" + architecture); SizeTPointer size =
                        new SizeTPointer(1)) {
            int error = nvrtc.nvrtcCompileProgram(program, 1, options);
            checkCompiler("nvrtcCompileProgram", error, error == 0 ? "" : ": " + compilerLog(program));
            checkCompiler("nvrtcGetPTXSize", nvrtc.nvrtcGetPTXSize(program, size), "");
            BytePointer ptx = new BytePointer(size.get());
            checkCompiler("nvrtcGetPTX", nvrtc.nvrtcGetPTX(program, ptx), "");
            return ptx;
        } finally {
            nvrtc.nvrtcDestroyProgram(program);
        }
    }

    private static String compilerLog(_nvrtcProgram program) {
        try (SizeTPointer size = new SizeTPointer(1)) {
            if (nvrtc.nvrtcGetProgramLogSize(program, size) != 0) {
                return "no log";
            }
            try (BytePointer log = new BytePointer(size.get())) {
                return nvrtc.nvrtcGetProgramLog(program, log) == 0 ? log.getString() : "no log";
            }
        }
    }

    private final class CudaKernel implements Kernel {
        private final CUmod_st module;
        private final CUfunc_st function;
        private boolean closed;

        CudaKernel(CUmod_st module, CUfunc_st function) {
            this.module = module;
            this.function = function;
        }

        @Override
        public void launch(
                Stream stream, int blocksX, int blocksY, int threadsX, int threadsY, MemorySegment... arguments) {
            try (PointerPointer<Pointer> pointers = new PointerPointer<>(arguments.length)) {
                for (int i = 0; i < arguments.length; i++) {
                    pointers.put(i, Address.of(arguments[i]));
                }
                makeCurrent();
                check("cuLaunchKernel", cudart.cuLaunchKernel(function, blocksX, blocksY, 1, threadsX, threadsY, 1, 0,
                        handle(stream), pointers, (PointerPointer) null));
            }
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                makeCurrent();
                check("cuModuleUnload", cudart.cuModuleUnload(module));
            }
        }
    }
}
