package dev.shrike.jetson.kernels;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.spi.LetterboxParams;
import dev.shrike.spi.YuvPlanes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The letterbox as a kernel: the frame's bytes go to the device as the camera gave them, of NV12 an eighth of what
 * the floats of as many pixels would take, and the resizing runs there. Buffers grow to the largest frame
 * seen, and each image of a batch has a letterbox of its own, so that none waits for another's. Confined to one
 * thread at a time.
 */
public final class GpuLetterbox implements AutoCloseable {
    private static final int THREADS_X = 32;
    private static final int THREADS_Y = 8;
    private static final int RESIZE = 0;
    private static final int HALVE = 1;
    private static final int COPY = 2;
    private static final int BGR = 0;
    private static final int RGB = 1;
    private static final int GREY = 2;
    private static final int YUV = 3;

    private final Gpu gpu;
    private final Gpu.Kernel kernel;
    private final long target;
    private final int width;
    private final int height;
    private final KernelArguments arguments = new KernelArguments(23);
    private Gpu.HostMemory staging;
    private Gpu.DeviceMemory source;
    private Gpu.HostMemory hostTables;
    private Gpu.DeviceMemory tables;
    /** What the arguments were set for; null if they were not. */
    private LetterboxParams last;
    private PixelFormat format;
    private int frameWidth;
    private int frameHeight;
    private int stride;
    private boolean closed;

    /**
     * A letterbox that writes into the device memory of an input.
     *
     * @param kernel {@link KernelSource#LETTERBOX}, compiled; must outlive this
     * @param target device address of float32 {@code [3, height, width]}, row-major
     */
    public GpuLetterbox(Gpu gpu, Gpu.Kernel kernel, long target, int width, int height) {
        this.gpu = gpu;
        this.kernel = kernel;
        this.target = target;
        this.width = width;
        this.height = height;
    }

    /** Submits copying the frame and writing the whole input. */
    public void apply(Frame frame, LetterboxParams how, Gpu.Stream stream) {
        if (how != last || frame.format() != format || frame.width() != frameWidth || frame.height() != frameHeight
                || frame.stride() != stride) {
            prepare(frame, how, stream);
        }
        MemorySegment.copy(frame.pixels(), 0, staging.segment(), 0, frame.bytes());
        stream.copyIn(staging, source, frame.bytes());
        kernel.launch(stream, Math.ceilDiv(width, THREADS_X), Math.ceilDiv(height, THREADS_Y), THREADS_X, THREADS_Y,
                arguments.segments());
    }

    private void prepare(Frame frame, LetterboxParams how, Gpu.Stream stream) {
        last = null;
        long bytes = frame.bytes();
        if (source == null || source.bytes() < bytes) {
            // A frame that was given and never run may still be on its way.
            stream.synchronize();
            release(source, staging);
            source = null;
            staging = null;
            staging = gpu.allocateHost(bytes);
            source = gpu.allocate(bytes);
        }
        LetterboxTables sizes = LetterboxTables.of(how);
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
        setSource(frame);
        setTarget(how, sizes, rowsAt);
        format = frame.format();
        frameWidth = frame.width();
        frameHeight = frame.height();
        stride = frame.stride();
        last = how;
    }

    private void setSource(Frame frame) {
        arguments.address(0, source.address());
        switch (frame.format()) {
            case BGR -> setSource(BGR, 3, frame.stride());
            case RGB -> setSource(RGB, 3, frame.stride());
            case GREY -> setSource(GREY, 1, frame.stride());
            case YUYV, UYVY, NV12, I420 -> {
                YuvPlanes planes = YuvPlanes.of(frame);
                arguments.number(1, YUV).number(2, (int) planes.luma()).number(3, (int) planes.u())
                        .number(4, (int) planes.v()).number(5, planes.lumaStep()).number(6, planes.chromaStep())
                        .number(7, planes.stride()).number(8, planes.chromaStride()).number(9, planes.rowShift());
            }
            case MJPEG -> throw new IllegalArgumentException("a JPEG is decoded first");
        }
    }

    private void setSource(int kind, int step, int rowBytes) {
        arguments.number(1, kind).number(2, 0).number(3, 0).number(4, 0).number(5, step).number(6, 0)
                .number(7, rowBytes).number(8, 0).number(9, 0);
    }

    private void setTarget(LetterboxParams how, LetterboxTables sizes, long rowsAt) {
        boolean same = how.width() == how.regionWidth() && how.height() == how.regionHeight();
        arguments.address(10, target).number(11, width).number(12, height).number(13, how.left())
                .number(14, how.top()).number(15, how.width()).number(16, how.height())
                .address(17, tables.address()).address(18, tables.address() + rowsAt)
                .number(19, same ? COPY : sizes.halves() ? HALVE : RESIZE).number(20, how.redFirst() ? 1 : 0)
                .number(21, how.scale()).number(22, how.fill());
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
