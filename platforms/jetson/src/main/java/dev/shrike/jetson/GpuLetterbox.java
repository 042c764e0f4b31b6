package dev.shrike.jetson;

import dev.shrike.Frame;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/**
 * The letterbox as a kernel: the frame's bytes go to the device as they are, a quarter of what the network's floats
 * would take, and the resizing runs there. Buffers grow to the largest frame seen. Confined to one thread at a time.
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
    private final Gpu.DeviceMemory target;
    private final int width;
    private final int height;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment[] arguments;
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
     * @param target float32 {@code [1, 3, height, width]}, row-major
     * @throws dev.shrike.ShrikeException if the kernel cannot be compiled or there is not enough memory
     */
    GpuLetterbox(Gpu gpu, Gpu.DeviceMemory target, int width, int height) {
        this.gpu = gpu;
        this.target = target;
        this.width = width;
        this.height = height;
        this.kernel = gpu.compile(source(), "letterbox");
        this.arguments = new MemorySegment[12];
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] = arena.allocate(Long.BYTES, Long.BYTES);
        }
    }

    /** The kernel in CUDA C++. */
    static String source() {
        try (InputStream in = GpuLetterbox.class.getResourceAsStream("letterbox.cu")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException("letterbox.cu is part of this jar", e);
        }
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
                arguments);
    }

    private void prepare(int newWidth, int newHeight, Gpu.Stream stream) {
        frameWidth = 0;
        long bytes = Math.multiplyExact((long) CHANNELS * newWidth, newHeight);
        if (staging == null || staging.segment().byteSize() < bytes) {
            release(source, staging);
            source = null;
            staging = null;
            staging = gpu.allocateHost(bytes);
            source = gpu.allocate(bytes);
        }
        LetterboxTables sizes = LetterboxTables.of(newWidth, newHeight, width, height);
        if (tables == null) {
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
        setAddress(0, source.address());
        setInt(1, sourceWidth);
        setAddress(2, target.address());
        setInt(3, width);
        setInt(4, height);
        setInt(5, sizes.left());
        setInt(6, sizes.top());
        setInt(7, sizes.width());
        setInt(8, sizes.height());
        setAddress(9, tables.address());
        setAddress(10, tables.address() + rowsAt);
        setInt(11, mode);
    }

    private void setAddress(int index, long address) {
        arguments[index].set(ValueLayout.JAVA_LONG, 0, address);
    }

    private void setInt(int index, int value) {
        arguments[index].set(ValueLayout.JAVA_INT, 0, value);
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
            kernel.close();
            arena.close();
        }
    }
}
