package dev.shrike;

import dev.shrike.vision.Images;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Objects;

/**
 * An image in memory with what is known of its capture.
 *
 * <p>The pixels are native memory owned by whoever made the frame; a frame from {@link #read} owns its own, which the
 * garbage collector frees. A source may fill the memory of a frame again and {@link #stamp} it anew; it says until when
 * the frame may be read.
 */
public final class Frame {
    private final PixelFormat format;
    private final int width;
    private final int height;
    private final int stride;
    private final String camera;
    private MemorySegment pixels;
    private long capturedNanos;
    private long epochMicros;
    private boolean clockSynchronized;
    private long sequence;

    /**
     * Wraps 8-bit BGR pixels without padding, top row first, that already are in native memory. It must stay there, and
     * as it is, while anybody reads the frame.
     *
     * @param pixels at least {@code 3 * width * height} bytes, native
     * @throws IllegalArgumentException if the size is not positive or above {@link Integer#MAX_VALUE} bytes, or the
     *     memory is too small or on the heap
     */
    public Frame(int width, int height, MemorySegment pixels, Instant captured) {
        this(PixelFormat.BGR, width, height, 0, pixels, "");
        stamp(System.nanoTime(), captured, false, 0);
    }

    /**
     * Wraps pixels of any format that already are in native memory; they are stamped as captured now.
     *
     * @param stride bytes from one row to the next of the first plane; 0 means without padding; the half-size planes of
     *     {@link PixelFormat#I420} have half of it, rounded up; of no meaning for {@link PixelFormat#MJPEG}
     * @param pixels native memory that holds the whole frame; for {@link PixelFormat#MJPEG} the bytes of the JPEG file
     * @param camera id of the camera, empty if there is none
     * @throws IllegalArgumentException if the size is not positive or above {@link Integer#MAX_VALUE} bytes, the stride
     *     is shorter than a row, or the memory is too small or on the heap
     */
    public Frame(PixelFormat format, int width, int height, int stride, MemorySegment pixels, String camera) {
        this.format = Objects.requireNonNull(format, "format");
        this.camera = Objects.requireNonNull(camera, "camera");
        if (width <= 0 || height <= 0) {
            throw new IllegalArgumentException("frame size " + width + "x" + height + " is not positive");
        }
        this.width = width;
        this.height = height;
        long row = format.rowBytes(width);
        if (format != PixelFormat.MJPEG && stride != 0 && stride < row) {
            throw new IllegalArgumentException(
                    "stride " + stride + " is shorter than a row of " + row + " bytes (" + format + ")");
        }
        long step = stride == 0 ? row : stride;
        long bytes = format.frameBytes(width, height, step);
        if (step > Integer.MAX_VALUE || bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("a frame of " + width + "x" + height + " is too large: it has more than "
                    + Integer.MAX_VALUE + " bytes");
        }
        this.stride = (int) step;
        requirePixels(pixels, bytes);
        this.pixels = pixels;
        stamp(System.nanoTime(), Instant.now(), false, 0);
    }

    private void requirePixels(MemorySegment memory, long bytes) {
        if (!memory.isNative()) {
            throw new IllegalArgumentException("frame pixels must be in native memory");
        }
        if (memory.byteSize() < bytes) {
            throw new IllegalArgumentException(
                    "frame of " + width + "x" + height + " needs " + bytes + " bytes, got " + memory.byteSize());
        }
    }

    /**
     * A black BGR frame with memory of its own.
     *
     * @throws IllegalArgumentException if the size is not positive or above {@link Integer#MAX_VALUE} bytes
     */
    public static Frame allocate(int width, int height) {
        return allocate(PixelFormat.BGR, width, height, "");
    }

    /**
     * A frame of zero bytes without padding, with memory of its own.
     *
     * @throws IllegalArgumentException as the constructor does; for {@link PixelFormat#MJPEG}, whose size is not known
     */
    public static Frame allocate(PixelFormat format, int width, int height, String camera) {
        if (format == PixelFormat.MJPEG) {
            throw new IllegalArgumentException("the size of a JPEG is not known beforehand");
        }
        if (width <= 0 || height <= 0) {
            throw new IllegalArgumentException("frame size " + width + "x" + height + " is not positive");
        }
        long bytes = format.frameBytes(width, height, format.rowBytes(width));
        if (bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("a frame of " + width + "x" + height + " is too large: it has more than "
                    + Integer.MAX_VALUE + " bytes");
        }
        return new Frame(format, width, height, 0, Arena.ofAuto().allocate(bytes, 64), camera);
    }

    /**
     * Reads a JPEG, PNG, BMP, WebP or TIFF file as BGR; greyscale becomes BGR and an EXIF orientation is applied. Of
     * several pages or frames it is the first.
     *
     * @throws SourceException if the file is missing, unreadable, truncated, too large or no image
     */
    public static Frame read(Path file) {
        return Images.read(file);
    }

    /**
     * For sources that fill the same memory again: says when and as which frame that happened. Not to be called while
     * somebody reads the frame.
     *
     * @param nanos when the frame was exposed, on the clock of {@link System#nanoTime} (Linux: {@code CLOCK_MONOTONIC})
     * @param wall the same on the wall clock
     * @param wallSynchronized whether the wall clock was synchronised then
     * @param number of the frame, counted by the source; a gap means that frames were lost
     */
    public void stamp(long nanos, Instant wall, boolean wallSynchronized, long number) {
        stamp(nanos, Math.addExact(Math.multiplyExact(wall.getEpochSecond(), 1_000_000L), wall.getNano() / 1_000),
                wallSynchronized, number);
    }

    /** The same with the wall clock in microseconds since 1970, without an object. */
    public void stamp(long nanos, long wallMicros, boolean wallSynchronized, long number) {
        capturedNanos = nanos;
        epochMicros = wallMicros;
        clockSynchronized = wallSynchronized;
        sequence = number;
    }

    /** For sources whose driver gives another buffer with each frame. */
    public void pixels(MemorySegment memory) {
        requirePixels(memory, format.frameBytes(width, height, stride));
        pixels = memory;
    }

    /** How the pixels lie in memory. */
    public PixelFormat format() {
        return format;
    }

    /** Width in pixels. */
    public int width() {
        return width;
    }

    /** Height in pixels. */
    public int height() {
        return height;
    }

    /** Bytes from one row to the next of the first plane. */
    public int stride() {
        return stride;
    }

    /**
     * The pixels, planes one after another; of {@link PixelFormat#BGR} {@code height} rows of {@link #stride} bytes.
     */
    public MemorySegment pixels() {
        return pixels;
    }

    /** When the frame was captured, or read, on the wall clock. */
    public Instant captured() {
        return Instant.ofEpochSecond(Math.floorDiv(epochMicros, 1_000_000L),
                Math.floorMod(epochMicros, 1_000_000L) * 1_000);
    }

    /** The same in microseconds since 1970. */
    public long capturedMicros() {
        return epochMicros;
    }

    /** When the frame was captured, on the clock of {@link System#nanoTime}. */
    public long capturedNanos() {
        return capturedNanos;
    }

    /** Whether the wall clock was synchronised when the frame was captured. */
    public boolean clockSynchronized() {
        return clockSynchronized;
    }

    /** Id of the camera; empty if there is none. */
    public String camera() {
        return camera;
    }

    /** Number of the frame, counted by its source. */
    public long sequence() {
        return sequence;
    }
}
