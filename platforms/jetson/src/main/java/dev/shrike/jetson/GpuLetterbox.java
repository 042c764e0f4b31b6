package dev.shrike.jetson;

import dev.shrike.Frame;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The letterbox as a kernel: the frame's bytes go to the device as they are, a quarter of what the network's floats
 * would take, and the resizing runs there. Buffers grow to the largest frame seen, and each image of a batch has a
 * letterbox of its own, so that none waits for another's. Confined to one thread at a time.
 */
final class GpuLetterbox implements AutoCloseable {
    private static final int CHANNELS = 3;
    private static final int THREADS_X = 32;
    private static final int THREADS_Y = 8;
    private static final int RESIZE = 0;
    private static final int HALVE = 1;
    private static final int COPY = 2;

    private final Gpu gpu;
    private final Gpu.Kernel kernel;
    private final long target;
    private final int width;
    private final int height;
    private final KernelArguments arguments = new KernelArguments(12);
    private Gpu.HostMemory staging;
    private Gpu.DeviceMemory source;
    private Gpu.HostMemory hostTables;
    private Gpu.DeviceMemory tables;
    private int frameWidth;
    private int frameHeight;
    private boolean closed;

    /**
     * A letterbox that writes into the device memory of an input.
     *
     * @param kernel {@link KernelSource#LETTERBOX}, compiled; must outlive this
     * @param target device address of float32 {@code [3, height, width]}, row-major
     */
    GpuLetterbox(Gpu gpu, Gpu.Kernel kernel, long target, int width, int height) {
        this.gpu = gpu;
        this.kernel = kernel;
        this.target = target;
        this.width = width;
        this.height = height;
    }

    /** Submits copying the frame and writing the whole input. */
    void apply(Frame frame, Gpu.Stream stream) {
        if (frame.width() != frameWidth || frame.height() != frameHeight) {
            prepare(frame.width(), frame.height(), stream);
        }
        long bytes = (long) CHANNELS * frameWidth * frameHeight;
        MemorySegment.copy(frame.pixels(), 0, staging.segment(), 0, bytes);
        stream.copyIn(staging, source, bytes);
        kernel.launch(stream, Math.ceilDiv(width, THREADS_X), Math.ceilDiv(height, THREADS_Y), THREADS_X, THREADS_Y,
                arguments.segments());
    }

    private void prepare(int newWidth, int newHeight, Gpu.Stream stream) {
        frameWidth = 0;
        long bytes = Math.multiplyExact((long) CHANNELS * newWidth, newHeight);
        if (source == null || source.bytes() < bytes) {
            // A frame that was given and never run may still be on its way.
            stream.synchronize();
            release(source, staging);
            source = null;
            staging = null;
            staging = gpu.allocateHost(bytes);
            source = gpu.allocate(bytes);
        }
        LetterboxTables sizes = LetterboxTables.of(newWidth, newHeight, width, height);
        if (tables == null) {
            release(null, hostTables);
            hostTables = gpu.allocateHost(4L * Integer.BYTES * (width + height));
            tables = gpu.allocate(hostTables.segment().byteSize());
        }
        long rowsAt = (long) Integer.BYTES * sizes.columns().length;
        MemorySegment.copy(sizes.columns(), 0, hostTables.segment(), ValueLayout.JAVA_INT, 0, sizes.columns().length);
        MemorySegment.copy(sizes.rows(), 0, hostTables.segment(), ValueLayout.JAVA_INT, rowsAt, sizes.rows().length);
        stream.copyIn(hostTables, tables, rowsAt + (long) Integer.BYTES * sizes.rows().length);
        // The tables are written again only after the stream was waited for.
        stream.synchronize();
        boolean same = sizes.width() == newWidth && sizes.height() == newHeight;
        setArguments(sizes, newWidth, rowsAt, same ? COPY : sizes.halves() ? HALVE : RESIZE);
        frameWidth = newWidth;
        frameHeight = newHeight;
    }

    private void setArguments(LetterboxTables sizes, int sourceWidth, long rowsAt, int mode) {
        arguments.address(0, source.address()).number(1, sourceWidth).address(2, target).number(3, width)
                .number(4, height).number(5, sizes.left()).number(6, sizes.top()).number(7, sizes.width())
                .number(8, sizes.height()).address(9, tables.address()).address(10, tables.address() + rowsAt)
                .number(11, mode);
    }

    private static void release(Gpu.DeviceMemory device, Gpu.HostMemory host) {
        if (device != null) {
            device.close();
        }
        if (host != null) {
            host.close();
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            release(tables, hostTables);
            release(source, staging);
            arguments.close();
        }
    }
}
