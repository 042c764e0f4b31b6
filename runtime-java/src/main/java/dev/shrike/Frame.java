package dev.shrike;

import dev.shrike.vision.Pictures;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Objects;

/**
 * A picture in memory: 8-bit BGR, interleaved, rows of {@code 3 * width} bytes without padding, top row first.
 *
 * <p>The pixels are native memory owned by whoever made the frame; a frame from {@link #read} owns its own, which the
 * garbage collector frees.
 */
public final class Frame {
    private static final int CHANNELS = 3;

    private final int width;
    private final int height;
    private final MemorySegment pixels;
    private final Instant captured;

    /**
     * Wraps pixels that already are in native memory. It must stay there, and as it is, while anybody looks at the
     * frame.
     *
     * @param pixels at least {@code 3 * width * height} bytes, native
     * @throws IllegalArgumentException if the size is not positive or above {@link Integer#MAX_VALUE} bytes, or the
     *     memory is too small or on the heap
     */
    public Frame(int width, int height, MemorySegment pixels, Instant captured) {
        long bytes = bytes(width, height);
        if (!pixels.isNative()) {
            throw new IllegalArgumentException("frame pixels must be in native memory");
        }
        if (pixels.byteSize() < bytes) {
            throw new IllegalArgumentException(
                    "frame of " + width + "x" + height + " needs " + bytes + " bytes, got " + pixels.byteSize());
        }
        this.width = width;
        this.height = height;
        this.pixels = pixels;
        this.captured = Objects.requireNonNull(captured, "captured");
    }

    /**
     * A black frame with memory of its own.
     *
     * @throws IllegalArgumentException if the size is not positive or above {@link Integer#MAX_VALUE} bytes
     */
    public static Frame allocate(int width, int height) {
        return new Frame(width, height, Arena.ofAuto().allocate(bytes(width, height), 64), Instant.now());
    }

    /** Bytes of the pixels, which native libraries count with 32 bits. */
    private static long bytes(int width, int height) {
        if (width <= 0 || height <= 0) {
            throw new IllegalArgumentException("frame size " + width + "x" + height + " is not positive");
        }
        if (width > Integer.MAX_VALUE / CHANNELS / height) {
            throw new IllegalArgumentException("a frame of " + width + "x" + height + " is too large: it has more than "
                    + Integer.MAX_VALUE + " bytes");
        }
        return (long) CHANNELS * width * height;
    }

    /**
     * Reads a JPEG, PNG, BMP, WebP or TIFF file; greyscale becomes BGR and an EXIF orientation is applied. Of several
     * pages or frames it is the first.
     *
     * @throws SourceException if the file is missing, unreadable, truncated, too large or no picture
     */
    public static Frame read(Path file) {
        return Pictures.read(file);
    }

    /** Width in pixels. */
    public int width() {
        return width;
    }

    /** Height in pixels. */
    public int height() {
        return height;
    }

    /** The pixels, {@code height x width x 3} bytes in the order blue, green, red. */
    public MemorySegment pixels() {
        return pixels;
    }

    /** When the frame was captured, or read. */
    public Instant captured() {
        return captured;
    }
}
