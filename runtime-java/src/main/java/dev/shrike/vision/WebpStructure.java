package dev.shrike.vision;

import java.nio.charset.StandardCharsets;

/** Reads the size from a WebP file (RFC 9649) and proves that its RIFF container is whole. */
final class WebpStructure {
    private static final int FIRST_CHUNK = 12;
    private static final int ANIMATION_FLAG = 2;

    /** OpenCV reads no larger WebP file. */
    private static final long MAX_BYTES = 64L << 20;

    private WebpStructure() {}

    static PictureHeader check(EncodedBytes bytes) {
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
            case "VP8X" -> extended(bytes, body);
            default -> throw bytes.damaged("WebP holds no picture at byte " + FIRST_CHUNK);
        };
    }

    /** Three bytes of frame tag, the start code, then 14 bits each. */
    private static PictureHeader lossy(EncodedBytes bytes, long body) {
        bytes.need(body, 10);
        if ((bytes.u8(body) & 1) != 0 || !bytes.startsWith(body + 3, 0x9d, 0x01, 0x2a)) {
            throw bytes.damaged("WebP has no key frame at byte " + body);
        }
        return bytes.header(PictureHeader.Format.WEBP, bytes.u16Little(body + 6) & 0x3fff,
                bytes.u16Little(body + 8) & 0x3fff);
    }

    /** The signature 0x2f, then both sides less one as 14 bits. */
    private static PictureHeader lossless(EncodedBytes bytes, long body) {
        bytes.need(body, 5);
        if (bytes.u8(body) != 0x2f) {
            throw bytes.damaged("WebP has no lossless signature at byte " + body);
        }
        long bits = bytes.u32Little(body + 1);
        return bytes.header(PictureHeader.Format.WEBP, (bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1);
    }

    /** Flags, then both sides of the canvas less one as 24 bits. */
    private static PictureHeader extended(EncodedBytes bytes, long body) {
        bytes.need(body, 10);
        if ((bytes.u8(body) & ANIMATION_FLAG) != 0) {
            throw bytes.damaged("WebP is an animation: save one frame of it as a picture");
        }
        long width = bytes.u16Little(body + 4) | (long) bytes.u8(body + 6) << 16;
        long height = bytes.u16Little(body + 7) | (long) bytes.u8(body + 9) << 16;
        return bytes.header(PictureHeader.Format.WEBP, width + 1, height + 1);
    }
}
