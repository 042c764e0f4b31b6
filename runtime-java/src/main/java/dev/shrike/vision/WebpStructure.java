package dev.shrike.vision;

import java.nio.charset.StandardCharsets;

/** Reads the size from a WebP file (RFC 9649) and proves that its RIFF container is whole. */
final class WebpStructure {
    private static final int FIRST_CHUNK = 12;
    private static final int ANIMATION_FLAG = 2;
    private static final int FRAME_HEADER = 16;

    /** OpenCV reads no larger WebP file. */
    private static final long MAX_BYTES = 64L << 20;

    private WebpStructure() {}

    static ImageHeader check(EncodedBytes bytes) {
        if (bytes.size() > MAX_BYTES) {
            throw bytes.damaged("WebP file of " + bytes.size() + " bytes, at most " + MAX_BYTES + " are read");
        }
        long riff = bytes.u32Little(4) + 8;
        if (riff > bytes.size()) {
            throw bytes.truncated("WebP says it has " + riff + " bytes, the file has " + bytes.size());
        }
        String type = new String(bytes.copy(FIRST_CHUNK, 4), StandardCharsets.ISO_8859_1);
        long length = bytes.u32Little(FIRST_CHUNK + 4);
        long body = FIRST_CHUNK + 8;
        bytes.need(body, length);
        return switch (type) {
            case "VP8 " -> lossy(bytes, body);
            case "VP8L" -> lossless(bytes, body);
            case "VP8X" -> extended(bytes, body, riff);
            default -> throw bytes.damaged("WebP holds no image at byte " + FIRST_CHUNK);
        };
    }

    /** Three bytes of frame tag, the start code, then 14 bits each. */
    private static ImageHeader lossy(EncodedBytes bytes, long body) {
        bytes.need(body, 10);
        if ((bytes.u8(body) & 1) != 0 || !bytes.startsWith(body + 3, 0x9d, 0x01, 0x2a)) {
            throw bytes.damaged("WebP has no key frame at byte " + body);
        }
        return bytes.header(ImageHeader.Format.WEBP, bytes.u16Little(body + 6) & 0x3fff,
                bytes.u16Little(body + 8) & 0x3fff);
    }

    /** The signature 0x2f, then both sides less one as 14 bits. */
    private static ImageHeader lossless(EncodedBytes bytes, long body) {
        bytes.need(body, 5);
        if (bytes.u8(body) != 0x2f) {
            throw bytes.damaged("WebP has no lossless signature at byte " + body);
        }
        long bits = bytes.u32Little(body + 1);
        return bytes.header(ImageHeader.Format.WEBP, (bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1);
    }

    /** Flags, then both sides of the canvas less one as 24 bits, then further chunks. */
    private static ImageHeader extended(EncodedBytes bytes, long body, long end) {
        bytes.need(body, 10);
        boolean animated = (bytes.u8(body) & ANIMATION_FLAG) != 0;
        ImageHeader header = bytes.header(
                ImageHeader.Format.WEBP, u24(bytes, body + 4) + 1, u24(bytes, body + 7) + 1);
        int orientation = ExifOrientation.UPRIGHT;
        int frames = 0;
        ImageHeader.FirstFrame first = null;
        for (long at = body + 10; at + 8 <= end;) {
            String type = new String(bytes.copy(at, 4), StandardCharsets.ISO_8859_1);
            long length = bytes.u32Little(at + 4);
            if (length > end - at - 8) {
                break;
            }
            if (type.equals("EXIF")) {
                orientation = ExifOrientation.read(bytes, at + 8, length);
            } else if (type.equals("ANMF")) {
                first = first == null ? frame(bytes, at + 8, length, header) : first;
                frames++;
            }
            at += 8 + length + (length & 1);
        }
        if (!animated) {
            return header.turned(orientation);
        }
        if (first == null) {
            throw bytes.truncated("WebP is an animation without a whole frame");
        }
        return header.turned(orientation).withPages(frames).of(first);
    }

    /**
     * The bytes of the first frame of an animation: its place on the canvas in units of two pixels, its sides less one,
     * how long it is shown, flags, then the chunks of a still image.
     */
    private static ImageHeader.FirstFrame frame(EncodedBytes bytes, long body, long length, ImageHeader canvas) {
        bytes.need(body, Math.max(FRAME_HEADER, length));
        long x = 2 * u24(bytes, body);
        long y = 2 * u24(bytes, body + 3);
        long width = u24(bytes, body + 6) + 1;
        long height = u24(bytes, body + 9) + 1;
        if (x + width > canvas.width() || y + height > canvas.height()) {
            throw bytes.damaged("WebP has a first frame of " + width + "x" + height + " at " + x + ", " + y
                    + ", beyond its canvas of " + canvas.width() + "x" + canvas.height());
        }
        for (long at = body + FRAME_HEADER; at + 8 <= body + length;) {
            String type = new String(bytes.copy(at, 4), StandardCharsets.ISO_8859_1);
            long chunk = bytes.u32Little(at + 4);
            bytes.need(at + 8, chunk);
            if (type.equals("VP8 ") || type.equals("VP8L")) {
                ImageHeader still = type.equals("VP8 ") ? lossy(bytes, at + 8) : lossless(bytes, at + 8);
                if (still.width() != width || still.height() != height) {
                    throw bytes.damaged("WebP says its first frame has " + width + "x" + height + " pixels, but it has "
                            + still.width() + "x" + still.height());
                }
                return new ImageHeader.FirstFrame(at, 8 + chunk, (int) x, (int) y);
            }
            at += 8 + chunk + (chunk & 1);
        }
        throw bytes.damaged("WebP has a first frame without an image");
    }

    private static long u24(EncodedBytes bytes, long at) {
        return bytes.u16Little(at) | (long) bytes.u8(at + 2) << 16;
    }
}
