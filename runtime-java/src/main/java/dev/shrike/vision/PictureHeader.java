package dev.shrike.vision;

import dev.shrike.SourceException;
import java.nio.charset.StandardCharsets;

/**
 * What the structure of an encoded picture says before any pixel is decoded.
 *
 * @param format the file format, told by its first bytes
 * @param width width in pixels as stored, before an EXIF orientation turns it
 * @param height height in pixels as stored
 */
record PictureHeader(Format format, long width, long height) {
    /** The formats that are read. */
    enum Format {
        JPEG,
        PNG,
        BMP,
        WEBP;

        /** Name for people. */
        String title() {
            return this == WEBP ? "WebP" : name();
        }
    }

    PictureHeader {
        if (width <= 0 || height <= 0) {
            throw new IllegalArgumentException("picture size " + width + "x" + height);
        }
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
     * The header of a picture whose structure is whole from the first byte to the last.
     *
     * @throws SourceException if it is empty, truncated, damaged, above the limit of pixels or no picture of a known
     *     format; names it
     */
    static PictureHeader check(EncodedBytes bytes) {
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
        throw new SourceException(bytes.name() + ": is not a JPEG, PNG, BMP or WebP picture" + guess(bytes));
    }

    private static String guess(EncodedBytes bytes) {
        String other = otherFormat(bytes);
        if (other != null) {
            return " but " + other + ": convert it first";
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
        if (bytes.startsWith(0, 'I', 'I', 42, 0) || bytes.startsWith(0, 'M', 'M', 0, 42)) {
            return "a TIFF";
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
