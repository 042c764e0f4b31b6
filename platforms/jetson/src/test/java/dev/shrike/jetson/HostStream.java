package dev.shrike.jetson;

import dev.shrike.DeviceException;
import dev.shrike.jetson.binding.Gpu;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A stream whose work is done when it is waited for and not before, so that what depends on work that nobody waited for
 * shows: values that are not there yet, host memory that is written again while it is to be copied, memory that is
 * freed too early. Recording forbids what CUDA forbids while it captures.
 */
final class HostStream extends HostGpu.Counted implements Gpu.Stream {
    private final HostGpu gpu;
    private final List<Runnable> pending = new ArrayList<>();
    /** What is being recorded, or null. */
    private List<Runnable> captured;

    HostStream(HostGpu gpu) {
        super(gpu, "cudaStreamCreate");
        this.gpu = gpu;
    }

    /** Submits work, or records it. */
    void put(String call, Runnable work) {
        requireOpen();
        gpu.call(call);
        (captured == null ? pending : captured).add(work);
    }

    boolean isCapturing() {
        return captured != null;
    }

    @Override
    public void copyIn(Gpu.HostMemory from, Gpu.DeviceMemory to, long bytes) {
        requireRoom(from, to, bytes);
        put("cudaMemcpyAsync", () -> gpu.copy(HostGpu.segment(from), HostGpu.segment(to), bytes));
    }

    @Override
    public void copyOut(Gpu.DeviceMemory from, Gpu.HostMemory to, long bytes) {
        requireRoom(to, from, bytes);
        put("cudaMemcpyAsync", () -> {
            gpu.copy(HostGpu.segment(from), HostGpu.segment(to), bytes);
            gpu.countOut(bytes);
        });
    }

    private static void requireRoom(Gpu.HostMemory host, Gpu.DeviceMemory device, long bytes) {
        if (bytes < 0 || bytes > host.segment().byteSize() || bytes > device.bytes()) {
            throw new IllegalArgumentException("copy of " + bytes + " bytes between " + host.segment().byteSize()
                    + " and " + device.bytes());
        }
    }

    void launch(HostKernel kernel, Runnable requireOpen, int[] sizes, MemorySegment... arguments) {
        MemorySegment[] values = HostGpu.copies(arguments);
        put("cuLaunchKernel", () -> {
            requireOpen.run();
            gpu.spendKernel();
            kernel.run(sizes[0], sizes[1], sizes[2], sizes[3], values);
        });
    }

    @Override
    public void record(Gpu.Event event) {
        HostGpu.Mark mark = (HostGpu.Mark) event;
        mark.submitted();
        put("cudaEventRecord", mark::passed);
    }

    @Override
    public void synchronize() {
        requireOpen();
        gpu.requireNoCapture("cudaStreamSynchronize");
        try {
            gpu.call("cudaStreamSynchronize");
        } catch (DeviceException e) {
            // Nothing that was submitted is certain to be done.
            pending.clear();
            throw e;
        }
        drain();
    }

    private void drain() {
        List<Runnable> work = List.copyOf(pending);
        pending.clear();
        work.forEach(Runnable::run);
    }

    @Override
    public Gpu.Recording record(Runnable submissions) {
        requireOpen();
        gpu.call("cudaStreamBeginCapture");
        captured = new ArrayList<>();
        gpu.captures(true);
        try {
            submissions.run();
            return gpu.recording(captured);
        } finally {
            captured = null;
            gpu.captures(false);
        }
    }

    @Override
    public void submit(Gpu.Recording recording) {
        put("cudaGraphLaunch", () -> ((HostGpu.Replay) recording).run());
        gpu.countLaunch();
    }

    /** What was submitted is still done, so whatever it needs must still be there. */
    @Override
    public void close() {
        try {
            drain();
        } catch (IllegalStateException e) {
            throw new AssertionError("freed while work on it was under way", e);
        } finally {
            super.close();
        }
    }
}
