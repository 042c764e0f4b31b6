package dev.shrike.vision;

import dev.shrike.Frame;
import dev.shrike.spi.Binding;
import dev.shrike.spi.UseGuard;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Fits frames of any size into a network's input: resized with the ratio kept, centred on grey 114, RGB, 0 to 1, unless
 * the network wants something else ({@link Preprocessing}). The steps and the rounding are those of {@code letterbox}
 * in YOLOv5 v6.1 with {@code auto=False, scaleup=True}; for YOLOX those of its {@code preproc}.
 *
 * <p>Bound to the memory of one executor's input. Buffers are made once; one thread at a time may use it, a second one
 * gets an exception. The opener closes it, which waits for a use that runs; closing twice does nothing.
 */
public final class Letterbox implements AutoCloseable {
    private static final int CHANNELS = 3;

    private final Preprocessing how;
    private final int width;
    private final int height;
    private final Layout layout;
    private final MemorySegment memory;
    private final long channelStride;
    private final long rowStride;
    private final long columnStride;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment resized;
    private final MemorySegment scratch;
    private final MemorySegment grey;
    private final UseGuard guard = new UseGuard("letterbox");

    /** How the input's floats lie in memory. */
    private enum Layout {
        /** R, G, B of a pixel are neighbours, and so are pixels. */
        INTERLEAVED,
        /** Pixels of one channel are neighbours. */
        PLANAR,
        /** Anything else, written element by element. */
        SCATTERED
    }

    /**
     * A letterbox that writes into the binding.
     *
     * @param input dims {@code [1, 3, H, W]} with any strides
     * @throws IllegalArgumentException if the dims are others or the memory is too small for the strides
     * @throws dev.shrike.BackendUnavailableException if OpenCV cannot be loaded
     */
    public Letterbox(Binding input) {
        this(input, Preprocessing.YOLO);
    }

    /** As {@link #Letterbox(Binding)}, for a network that wants its images in this way. */
    public Letterbox(Binding input, Preprocessing how) {
        if (input.dims().size() != 4 || input.dims().get(0) != 1 || input.dims().get(1) != CHANNELS) {
            throw new IllegalArgumentException(
                    "input " + input.name() + " has the dims " + input.dims() + " instead of [1, 3, height, width]");
        }
        Bindings.requireMemory(input);
        this.how = how;
        OpenCvLibrary.require();
        height = input.dims().get(2);
        width = input.dims().get(3);
        memory = input.memory();
        channelStride = input.strides().get(1);
        rowStride = input.strides().get(2);
        columnStride = input.strides().get(3);
        layout = layoutOf();
        resized = arena.allocate((long) CHANNELS * width * height, 64);
        scratch = arena.allocate((long) CHANNELS * width * height, 64);
        grey = arena.allocate((long) CHANNELS * width * Float.BYTES, 64);
        for (long i = 0; i < (long) CHANNELS * width; i++) {
            grey.setAtIndex(ValueLayout.JAVA_FLOAT, i, how.grey());
        }
    }

    /**
     * A thread that loads OpenCV, started. A letterbox needs it and would load it otherwise; this takes as long as
     * opening a network, so the two go side by side.
     */
    public static Thread prepare() {
        return OpenCvLibrary.loading();
    }

    /** Width of the input in pixels. */
    public int width() {
        return width;
    }

    /** Height of the input in pixels. */
    public int height() {
        return height;
    }

    /**
     * The transform that leads back to the frame, after writing the whole input.
     *
     * @throws IllegalStateException if the letterbox was closed or is in use by another thread, or the frame's memory
     *     was freed
     */
    public LetterboxTransform apply(Frame frame) {
        guard.enter();
        try {
            return write(frame);
        } finally {
            guard.exit();
        }
    }

    private LetterboxTransform write(Frame frame) {
        MemorySegment pixels = Images.live(frame);
        LetterboxTransform transform = LetterboxTransform.of(frame.width(), frame.height(), width, height, how);
        int innerWidth = how.inner(frame.width(), transform.ratio(), width);
        int innerHeight = how.inner(frame.height(), transform.ratio(), height);
        int left = transform.padX();
        int top = transform.padY();
        if (innerWidth != frame.width() || innerHeight != frame.height()) {
            OpenCv.resize(pixels, frame.width(), frame.height(), resized, innerWidth, innerHeight);
            pixels = resized;
        }
        fillBorder(left, top, innerWidth, innerHeight);
        switch (layout) {
            case INTERLEAVED -> writeInterleaved(pixels, left, top, innerWidth, innerHeight);
            case PLANAR -> writePlanes(pixels, left, top, innerWidth, innerHeight);
            case SCATTERED -> writeScattered(pixels, left, top, innerWidth, innerHeight);
        }
        return transform;
    }

    private Layout layoutOf() {
        if (channelStride == 1 && columnStride == CHANNELS && rowStride >= (long) CHANNELS * width) {
            return Layout.INTERLEAVED;
        }
        if (columnStride == 1 && rowStride >= width) {
            return Layout.PLANAR;
        }
        return Layout.SCATTERED;
    }

    private long byteOffset(long channel, long y, long x) {
        return Float.BYTES * (channel * channelStride + y * rowStride + x * columnStride);
    }

    private void writeInterleaved(MemorySegment bgr, int left, int top, int innerWidth, int innerHeight) {
        MemorySegment from = bgr;
        if (how.redFirst()) {
            OpenCv.swapRedAndBlue(bgr, scratch, innerWidth, innerHeight);
            from = scratch;
        }
        MemorySegment to = memory.asSlice(byteOffset(0, top, left));
        OpenCv.toFloats(from, innerWidth, innerHeight, CHANNELS, how.scale(), to, Float.BYTES * rowStride);
    }

    private void writePlanes(MemorySegment bgr, int left, int top, int innerWidth, int innerHeight) {
        for (int channel = 0; channel < CHANNELS; channel++) {
            OpenCv.extractChannel(bgr, scratch, innerWidth, innerHeight, sourceOf(channel));
            MemorySegment to = memory.asSlice(byteOffset(channel, top, left));
            OpenCv.toFloats(scratch, innerWidth, innerHeight, 1, how.scale(), to, Float.BYTES * rowStride);
        }
    }

    /** The channel of a frame that becomes this channel of the input. */
    private int sourceOf(int channel) {
        return how.redFirst() ? CHANNELS - 1 - channel : channel;
    }

    private void writeScattered(MemorySegment bgr, int left, int top, int innerWidth, int innerHeight) {
        long from = 0;
        for (int y = top; y < top + innerHeight; y++) {
            for (int x = left; x < left + innerWidth; x++) {
                for (int channel = 0; channel < CHANNELS; channel++) {
                    int value = bgr.get(ValueLayout.JAVA_BYTE, from + sourceOf(channel)) & 0xff;
                    memory.set(ValueLayout.JAVA_FLOAT, byteOffset(channel, y, x),
                            how.redFirst() ? value / 255f : value);
                }
                from += CHANNELS;
            }
        }
    }

    /** Written before every run: an executor may reuse the memory of its input once it was read. */
    private void fillBorder(int left, int top, int innerWidth, int innerHeight) {
        fill(0, 0, width, top);
        fill(0, top + innerHeight, width, height - top - innerHeight);
        fill(0, top, left, innerHeight);
        fill(left + innerWidth, top, width - left - innerWidth, innerHeight);
    }

    private void fill(int x, int y, int columns, int rows) {
        if (columns == 0 || rows == 0) {
            return;
        }
        switch (layout) {
            case INTERLEAVED -> fillRows(0, x, y, (long) CHANNELS * columns, rows);
            case PLANAR -> {
                for (int channel = 0; channel < CHANNELS; channel++) {
                    fillRows(channel, x, y, columns, rows);
                }
            }
            case SCATTERED -> fillScattered(x, y, columns, rows);
        }
    }

    private void fillRows(int channel, int x, int y, long floats, int rows) {
        for (int row = y; row < y + rows; row++) {
            MemorySegment.copy(grey, 0, memory, byteOffset(channel, row, x), Float.BYTES * floats);
        }
    }

    private void fillScattered(int x, int y, int columns, int rows) {
        for (int row = y; row < y + rows; row++) {
            for (int column = x; column < x + columns; column++) {
                for (int channel = 0; channel < CHANNELS; channel++) {
                    memory.set(ValueLayout.JAVA_FLOAT, byteOffset(channel, row, column), how.grey());
                }
            }
        }
    }

    @Override
    public void close() {
        guard.close(arena::close);
    }
}
