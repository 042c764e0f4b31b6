package dev.shrike.vision;

import dev.shrike.Detections;
import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.SourceException;
import dev.shrike.files.FileReplacement;
import dev.shrike.files.Interrupts;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Locale;
import java.util.Set;

/**
 * Images in and out: JPEG, PNG, BMP, WebP and TIFF files as frames, and frames as JPEG or PNG files.
 *
 * <p>A file is checked from its first byte to its last before a pixel is decoded, so that a truncated, damaged or
 * gigantic one is told as such. The largest image read has {@value #DEFAULT_MAX_PIXELS} pixels; the system property
 * {@value #MAX_PIXELS_PROPERTY} sets another limit.
 */
public final class Images {
    /** System property with the largest number of pixels that an image may have. */
    public static final String MAX_PIXELS_PROPERTY = "shrike.maxPixels";

    /** Pixels of the largest image read unless the property says otherwise: 64 megapixels, 192 MB as BGR. */
    public static final long DEFAULT_MAX_PIXELS = 64_000_000;

    /** What reads images, for people. */
    public static final String FORMATS = "JPEG, PNG, BMP, WebP, TIFF";

    /** Extensions of the formats that are read, in lower case without the dot. */
    public static final Set<String> EXTENSIONS =
            Set.of("jpg", "jpeg", "jpe", "jfif", "mpo", "png", "bmp", "webp", "tif", "tiff");

    /** Above this many pixels a BGR image no longer fits the 2 GB that one buffer can have. */
    public static final long HARD_MAX_PIXELS = Integer.MAX_VALUE / 3;

    /** Room for metadata beside the pixels of the largest file that can make sense. */
    private static final long METADATA_BYTES = 64L << 20;

    private Images() {}

    /**
     * Whether the name is that of an image: it ends in one of {@link #EXTENSIONS} and is not hidden, as the files
     * {@code ._NAME} are that macOS leaves beside images.
     */
    public static boolean isNamedLikeOne(Path file) {
        String name = file.getFileName() == null ? "" : file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return dot > 0 && name.charAt(0) != '.'
                && EXTENSIONS.contains(name.substring(dot + 1).toLowerCase(Locale.ROOT));
    }

    /**
     * How many images the file holds, of which {@link #read} gives the first: pages of a TIFF, frames of an animated
     * WebP or PNG. A JPEG or BMP holds one.
     *
     * @throws SourceException as {@link #read} does
     */
    public static int count(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment encoded = load(file, arena);
            return ImageHeader.check(new EncodedBytes(encoded, file.toString(), maxPixels())).pages();
        }
    }

    /**
     * The image in a JPEG, PNG, BMP, WebP or TIFF file as BGR. Greyscale becomes BGR, transparency is dropped, 16
     * bits become 8 and an EXIF orientation is applied. Of several pages or frames it is the first; of an animated PNG
     * the one that is shown where animations are not.
     *
     * @throws SourceException if the file is missing, a directory, unreadable, empty, truncated, damaged, no image or
     *     above the limit of pixels; names the file
     * @throws dev.shrike.OperationInterruptedException if the thread was interrupted
     * @throws dev.shrike.BackendUnavailableException if OpenCV cannot be loaded
     */
    public static Frame read(Path file) {
        try (Arena arena = Arena.ofConfined()) {
            return decode(load(file, arena), file.toString());
        }
    }

    /**
     * The image in the bytes of a JPEG, PNG, BMP, WebP or TIFF file, as {@link #read} gives it.
     *
     * @param encoded the whole file, native memory
     * @param name what to call the image in messages
     * @throws SourceException as {@link #read} does
     */
    public static Frame decode(MemorySegment encoded, String name) {
        if (!encoded.isNative()) {
            throw new IllegalArgumentException(name + ": encoded image must be in native memory");
        }
        ImageHeader header = ImageHeader.check(new EncodedBytes(encoded, name, maxPixels()));
        OpenCvLibrary.require();
        OpenCv.Decoded image = header.format() == ImageHeader.Format.TIFF
                ? TiffPixels.decode(new EncodedBytes(encoded, name, maxPixels()), header)
                : decode(encoded, header, name);
        if (image == null) {
            throw new SourceException(name + ": damaged, or a kind of " + header.format().title()
                    + " that cannot be decoded: save it again as a plain JPEG or PNG");
        }
        if (header.orientation() != ExifOrientation.UPRIGHT) {
            image = OpenCv.turn(image, header.orientation());
        }
        return new Frame(image.width(), image.height(), image.pixels(), Instant.now());
    }

    /** The image as it is stored, but for JPEG upright; null if OpenCV refuses the data. */
    private static OpenCv.Decoded decode(MemorySegment encoded, ImageHeader header, String name) {
        boolean upright = header.format() == ImageHeader.Format.JPEG;
        try (Arena arena = Arena.ofConfined()) {
            return switch (header.part()) {
                case ImageHeader.Whole() -> OpenCv.decode(encoded, name, upright);
                case ImageHeader.Mended part -> OpenCv.decode(part.bytes(encoded, arena), name, upright);
                case ImageHeader.FirstFrame part -> {
                    OpenCv.Decoded frame = OpenCv.decode(part.still(encoded, arena), name, upright);
                    yield frame == null ? null : part.onCanvas(frame, (int) header.width(), (int) header.height());
                }
            };
        }
    }

    /**
     * Writes the frame as {@code .jpg}, {@code .jpeg} (quality 95) or {@code .png}, to a temporary file beside the
     * target first, then renamed. An existing file is replaced.
     *
     * @throws SourceException if the extension is another one or the file cannot be written; names the file
     */
    public static void write(Frame frame, Path file) {
        OpenCvLibrary.require();
        byte[] bytes = OpenCv.encode(
                live(bgr(frame)), frame.width(), frame.height(), encoderFor(file), file.toString());
        try {
            FileReplacement.replace(file, stream -> stream.write(bytes));
        } catch (IOException e) {
            Interrupts.require(file + ": writing it", e);
            throw new SourceException(file + ": cannot be written: " + reason(e), e);
        }
    }

    /**
     * The frame as BGR, rows without padding: the frame itself if it is that already, else a copy with the same stamps,
     * converted by the formula of {@link PixelFormat}. Whoever reads pixels reads them here.
     *
     * @throws SourceException if the frame is {@link PixelFormat#MJPEG} and its bytes are no sound JPEG of its size
     * @throws IllegalStateException if the frame's memory was freed
     */
    public static Frame bgr(Frame frame) {
        return BgrConversion.isPlain(frame) ? frame : copy(frame);
    }

    /**
     * Draws boxes and labels into the frame itself.
     *
     * @throws IllegalArgumentException if the frame is not {@link PixelFormat#BGR}; {@link #annotate} takes any
     */
    public static void draw(Frame frame, Detections detections) {
        draw(frame, detections, DrawingStyle.DEFAULT);
    }

    /** As {@link #draw(Frame, Detections)} in that style. */
    public static void draw(Frame frame, Detections detections, DrawingStyle style) {
        live(frame);
        if (frame.format() != PixelFormat.BGR) {
            throw new IllegalArgumentException("boxes are drawn into BGR frames, this one is " + frame.format()
                    + ": annotate gives a BGR copy with them");
        }
        OpenCvLibrary.require();
        if (BgrConversion.isPlain(frame)) {
            Drawing.draw(frame, detections, style);
            return;
        }
        Frame plain = copy(frame);
        Drawing.draw(plain, detections, style);
        long row = 3L * frame.width();
        for (long y = 0; y < frame.height(); y++) {
            MemorySegment.copy(plain.pixels(), y * row, frame.pixels(), y * frame.stride(), row);
        }
    }

    /** A BGR copy of the frame with boxes and labels drawn; the frame itself stays as it is. */
    public static Frame annotate(Frame frame, Detections detections) {
        return annotate(frame, detections, DrawingStyle.DEFAULT);
    }

    /** As {@link #annotate(Frame, Detections)} in that style. */
    public static Frame annotate(Frame frame, Detections detections, DrawingStyle style) {
        Frame copy = copy(frame);
        draw(copy, detections, style);
        return copy;
    }

    /**
     * A BGR copy of the part of the frame between these corners, the first included, the second not.
     *
     * @throws IllegalArgumentException if the part is empty or reaches out of the frame
     */
    public static Frame crop(Frame frame, int x1, int y1, int x2, int y2) {
        if (x1 < 0 || y1 < 0 || x2 <= x1 || y2 <= y1 || x2 > frame.width() || y2 > frame.height()) {
            throw new IllegalArgumentException("part [" + x1 + ", " + y1 + ", " + x2 + ", " + y2 + "] of a frame of "
                    + frame.width() + "x" + frame.height());
        }
        Frame bgr = bgr(frame);
        Frame part = Frame.allocate(x2 - x1, y2 - y1);
        restamp(part, frame);
        long row = 3L * part.width();
        for (int y = 0; y < part.height(); y++) {
            long from = 3L * ((long) (y1 + y) * frame.width() + x1);
            MemorySegment.copy(live(bgr), from, part.pixels(), y * row, row);
        }
        return part;
    }

    /**
     * A BGR copy of the frame with memory of its own, rows without padding.
     *
     * @throws SourceException if the frame is {@link PixelFormat#MJPEG} and its bytes are no sound JPEG of its size
     */
    public static Frame copy(Frame frame) {
        if (frame.format() == PixelFormat.MJPEG) {
            return decodeJpeg(frame);
        }
        long bytes = 3L * frame.width() * frame.height();
        if (bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("a frame of " + frame.width() + "x" + frame.height()
                    + " is too large for BGR: it would have more than " + Integer.MAX_VALUE + " bytes");
        }
        MemorySegment pixels = Arena.ofAuto().allocate(bytes, 64);
        BgrConversion.convert(frame, pixels);
        Frame copy = new Frame(PixelFormat.BGR, frame.width(), frame.height(), 0, pixels, frame.camera());
        restamp(copy, frame);
        return copy;
    }

    private static Frame decodeJpeg(Frame frame) {
        String name = frame.camera().isEmpty() ? "frame " + frame.sequence()
                : "frame " + frame.sequence() + " of " + frame.camera();
        Frame decoded = decode(live(frame), name);
        if (decoded.width() != frame.width() || decoded.height() != frame.height()) {
            throw new SourceException(name + ": its JPEG is " + decoded.width() + "x" + decoded.height()
                    + ", the frame was said to be " + frame.width() + "x" + frame.height());
        }
        Frame named = new Frame(PixelFormat.BGR, frame.width(), frame.height(), 0, decoded.pixels(), frame.camera());
        restamp(named, frame);
        return named;
    }

    private static void restamp(Frame copy, Frame frame) {
        copy.stamp(frame.capturedNanos(), frame.capturedMicros(), frame.clockSynchronized(), frame.sequence());
    }

    /** The pixels of a frame whose memory still exists. */
    static MemorySegment live(Frame frame) {
        if (!frame.pixels().scope().isAlive()) {
            throw new IllegalStateException("the memory of the frame was freed");
        }
        return frame.pixels();
    }

    private static MemorySegment load(Path file, Arena arena) {
        if (Files.isDirectory(file)) {
            throw new SourceException(file + ": is a directory, not an image");
        }
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new SourceException(file + ": is no regular file: copy the image to one");
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long size = channel.size();
            if (size == 0) {
                throw new SourceException(file + ": is empty (0 bytes)");
            }
            // No image within the limit takes more than 8 bytes a pixel (RGBA of 16 bits).
            long limit = Math.min(Integer.MAX_VALUE, 8 * maxPixels() + METADATA_BYTES);
            if (size > limit) {
                throw new SourceException(file + ": " + size + " bytes are too many for an image, the limit is "
                        + limit);
            }
            MemorySegment memory = arena.allocate(size, 16);
            ByteBuffer buffer = memory.asByteBuffer();
            while (buffer.hasRemaining() && channel.read(buffer) >= 0) {
                // reads on: a channel may give less than was asked for
            }
            return memory.asSlice(0, buffer.position());
        } catch (IOException e) {
            Interrupts.require(file + ": reading it", e);
            throw new SourceException(file + ": cannot be read: " + reason(e), e);
        }
    }

    private static long maxPixels() {
        String text = System.getProperty(MAX_PIXELS_PROPERTY);
        if (text == null) {
            return DEFAULT_MAX_PIXELS;
        }
        try {
            long limit = Long.parseLong(text.strip());
            if (limit > 0) {
                return Math.min(limit, HARD_MAX_PIXELS);
            }
        } catch (NumberFormatException e) {
            // told below
        }
        throw new IllegalArgumentException(
                "system property " + MAX_PIXELS_PROPERTY + "=" + text + " is not a positive number of pixels");
    }

    private static String encoderFor(Path file) {
        String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
        if (name.endsWith(".jpg") || name.endsWith(".jpeg")) {
            return ".jpg";
        }
        if (name.endsWith(".png")) {
            return ".png";
        }
        throw new SourceException(file + ": images are written as .jpg, .jpeg or .png only");
    }

    private static String reason(IOException e) {
        return switch (e) {
            case NoSuchFileException _ -> "no such file or folder";
            case AccessDeniedException _ -> "permission denied";
            default -> String.valueOf(e.getMessage());
        };
    }
}
