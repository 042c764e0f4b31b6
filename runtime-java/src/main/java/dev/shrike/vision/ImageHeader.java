package dev.shrike.vision;

import dev.shrike.SourceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What the structure of an encoded image says before any pixel is decoded.
 *
 * @param format the file format, told by its first bytes
 * @param width width in pixels as stored, before an EXIF orientation turns it
 * @param height height in pixels as stored
 * @param orientation how the decoded image is to be turned, as EXIF counts; 1 for JPEG, which OpenCV turns itself
 * @param pages pages or frames of which only the first is read
 * @param part which bytes of the file go to the decoder
 */
record ImageHeader(Format format, long width, long height, int orientation, int pages, Part part) {
    /** The formats that are read. */
    enum Format {
        JPEG,
        PNG,
        BMP,
        WEBP,
        TIFF;

        /** Name for people. */
        String title() {
            return this == WEBP ? "WebP" : name();
        }
    }

    /** Which bytes of a file go to the decoder. */
    sealed interface Part {}

    /** All of them. */
    record Whole() implements Part {}

    /** Bytes of the file that the decoder is not to see, from one to another position. */
    record Excess(long from, long to) {}

    /**
     * All of them but some, and the end marker of a JPEG if it lacks that. The decoder would pass over those bytes too,
     * but tell so on the process's error output.
     */
    record Mended(List<Excess> excess, boolean lacksEnd) implements Part {
        Mended {
            excess = List.copyOf(excess);
        }

        /** The bytes for the decoder. */
        MemorySegment bytes(MemorySegment encoded, Arena arena) {
            MemorySegment whole = arena.allocate(encoded.byteSize() + 2, 16);
            long kept = 0;
            long at = 0;
            for (Excess part : excess) {
                MemorySegment.copy(encoded, at, whole, kept, part.from() - at);
                kept += part.from() - at;
                at = part.to();
            }
            MemorySegment.copy(encoded, at, whole, kept, encoded.byteSize() - at);
            kept += encoded.byteSize() - at;
            if (lacksEnd) {
                whole.set(ValueLayout.JAVA_BYTE, kept, (byte) 0xff);
                whole.set(ValueLayout.JAVA_BYTE, kept + 1, (byte) 0xd9);
                kept += 2;
            }
            return whole.asSlice(0, kept);
        }
    }

    /**
     * The chunk of the first frame of a WebP animation.
     *
     * @param at position of the chunk
     * @param length its bytes, header and all
     * @param x where its left edge is on the canvas
     * @param y where its upper edge is on the canvas
     */
    record FirstFrame(long at, long length, int x, int y) implements Part {
        private static final int CONTAINER = 12;

        /** The frame as a file of its own: its chunk in the container of a still image. */
        MemorySegment still(MemorySegment encoded, Arena arena) {
            long padded = length + (length & 1);
            MemorySegment whole = arena.allocate(CONTAINER + padded, 16);
            MemorySegment.copy(MemorySegment.ofArray("RIFF____WEBP".getBytes(StandardCharsets.US_ASCII)), 0, whole, 0,
                    CONTAINER);
            whole.set(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 4,
                    (int) (CONTAINER - 8 + padded));
            MemorySegment.copy(encoded, at, whole, CONTAINER, length);
            return whole;
        }

        /** The decoded frame at its place; where it does not reach, an animation is transparent, so black here. */
        OpenCv.Decoded onCanvas(OpenCv.Decoded frame, int width, int height) {
            if (frame.width() == width && frame.height() == height) {
                return frame;
            }
            if (x + frame.width() > width || y + frame.height() > height) {
                return null;
            }
            MemorySegment pixels = Arena.ofAuto().allocate(3L * width * height, 64);
            for (int row = 0; row < frame.height(); row++) {
                MemorySegment.copy(frame.pixels(), 3L * row * frame.width(), pixels,
                        3L * ((long) (y + row) * width + x), 3L * frame.width());
            }
            return new OpenCv.Decoded(width, height, pixels);
        }
    }

    ImageHeader(Format format, long width, long height) {
        this(format, width, height, ExifOrientation.UPRIGHT, 1, new Whole());
    }

    ImageHeader {
        if (width <= 0 || height <= 0) {
            throw new IllegalArgumentException("image size " + width + "x" + height);
        }
    }

    /** The same image that is to be turned. */
    ImageHeader turned(int way) {
        return new ImageHeader(format, width, height, way, pages, part);
    }

    /** The same image in front of others. */
    ImageHeader withPages(int count) {
        return new ImageHeader(format, width, height, orientation, count, part);
    }

    /** The same image made of a part of the file. */
    ImageHeader of(Part other) {
        return new ImageHeader(format, width, height, orientation, pages, other);
    }

    /** Number of pixels. */
    long pixels() {
        return Math.multiplyExact(width, height);
    }

    @Override
    public String toString() {
        return format.title() + " of " + width + "x" + height;
    }

    /**
     * The header of an image whose structure is whole from the first byte to the last.
     *
     * @throws SourceException if it is empty, truncated, damaged, above the limit of pixels or no image of a known
     *     format; names it
     */
    static ImageHeader check(EncodedBytes bytes) {
        if (bytes.size() == 0) {
            throw new SourceException(bytes.name() + ": is empty (0 bytes)");
        }
        if (bytes.startsWith(0, 0xff, 0xd8, 0xff)) {
            return JpegStructure.check(bytes);
        }
        if (bytes.startsWith(0, 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n')) {
            return PngStructure.check(bytes);
        }
        if (bytes.startsWith(0, 'R', 'I', 'F', 'F') && bytes.startsWith(8, 'W', 'E', 'B', 'P')) {
            return WebpStructure.check(bytes);
        }
        if (bytes.startsWith(0, 'B', 'M')) {
            return BmpStructure.check(bytes);
        }
        if (TiffDirectory.isHeader(bytes, 0)) {
            return TiffStructure.check(bytes);
        }
        throw new SourceException(bytes.name() + ": is not a JPEG, PNG, BMP, WebP or TIFF image" + guess(bytes));
    }

    private static String guess(EncodedBytes bytes) {
        String other = otherFormat(bytes);
        if (other != null) {
            return " but " + other + (other.startsWith("what") ? ": delete it" : ": convert it first, to PNG or JPEG");
        }
        byte[] head = bytes.copy(0, (int) Math.min(16, bytes.size()));
        for (byte b : head) {
            if (b < ' ' && b != '\n' && b != '\r' && b != '\t') {
                StringBuilder hex = new StringBuilder();
                for (byte each : head) {
                    hex.append(String.format(" %02x", each));
                }
                return " (it starts with the bytes" + hex + ")";
            }
        }
        String text = new String(head, StandardCharsets.US_ASCII).replaceAll("\\s+", " ");
        return " (it starts with the text \"" + text + "\")";
    }

    private static String otherFormat(EncodedBytes bytes) {
        if (bytes.startsWith(0, 'G', 'I', 'F', '8')) {
            return "a GIF";
        }
        if (bytes.startsWith(0, 'I', 'I', 43, 0) || bytes.startsWith(0, 'M', 'M', 0, 43)) {
            return "a BigTIFF";
        }
        if (bytes.startsWith(0, 0, 5, 0x16, 7) || bytes.startsWith(0, 0, 5, 0x16, 0)) {
            return "what macOS keeps beside a file of another volume (._NAME), without an image";
        }
        if (bytes.startsWith(0, 0, 0, 0, 12, 'j', 'P') || bytes.startsWith(0, 0xff, 0x4f, 0xff, 0x51)) {
            return "a JPEG 2000 file";
        }
        if (bytes.startsWith(0, 0xff, 0x0a) || bytes.startsWith(0, 0, 0, 0, 12, 'J', 'X', 'L')) {
            return "a JPEG XL file";
        }
        if (bytes.startsWith(0, '8', 'B', 'P', 'S')) {
            return "a Photoshop file";
        }
        if (bytes.startsWith(4, 'f', 't', 'y', 'p')) {
            return "a HEIF, AVIF or MP4 file";
        }
        if (bytes.startsWith(0, '%', 'P', 'D', 'F')) {
            return "a PDF";
        }
        return null;
    }
}
