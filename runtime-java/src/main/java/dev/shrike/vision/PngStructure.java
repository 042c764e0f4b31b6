package dev.shrike.vision;

import java.nio.charset.StandardCharsets;

/** Walks the chunks of a PNG file (ISO/IEC 15948) and proves their checksums. */
final class PngStructure {
    private static final int SIGNATURE = 8;
    private static final int HEADER_LENGTH = 13;

    private PngStructure() {}

    static ImageHeader check(EncodedBytes bytes) {
        ImageHeader header = null;
        boolean data = false;
        int orientation = ExifOrientation.UPRIGHT;
        int frames = 1;
        long at = SIGNATURE;
        while (true) {
            if (at == bytes.size()) {
                throw bytes.truncated("PNG ends without its IEND chunk");
            }
            long length = bytes.u32Big(at);
            String type = type(bytes, at + 4);
            if (length > Integer.MAX_VALUE) {
                throw bytes.damaged("PNG chunk " + type + " at byte " + at + " has the length " + length);
            }
            bytes.need(at + 8, length + 4);
            if (bytes.crc32(at + 4, length + 4) != bytes.u32Big(at + 8 + length)) {
                throw bytes.damaged("PNG chunk " + type + " at byte " + at + " fails its checksum");
            }
            if (header == null) {
                header = header(bytes, at, length, type);
            }
            data |= type.equals("IDAT");
            if (type.equals("eXIf")) {
                orientation = ExifOrientation.read(bytes, at + 8, length);
            } else if (type.equals("acTL") && length >= 4) {
                frames = (int) Math.clamp(bytes.u32Big(at + 8), 1, Integer.MAX_VALUE);
            }
            at += length + 12;
            if (type.equals("IEND")) {
                break;
            }
        }
        if (!data) {
            throw bytes.damaged("PNG holds no image data (no IDAT chunk)");
        }
        return header.turned(orientation).withPages(frames);
    }

    private static String type(EncodedBytes bytes, long at) {
        byte[] name = bytes.copy(at, 4);
        for (byte b : name) {
            if (!(b >= 'A' && b <= 'Z' || b >= 'a' && b <= 'z')) {
                throw bytes.damaged("PNG has no chunk name at byte " + at);
            }
        }
        return new String(name, StandardCharsets.US_ASCII);
    }

    private static ImageHeader header(EncodedBytes bytes, long at, long length, String type) {
        if (!type.equals("IHDR") || length != HEADER_LENGTH) {
            throw bytes.damaged("PNG starts with chunk " + type + " of " + length + " bytes instead of IHDR");
        }
        long width = bytes.u32Big(at + 8);
        long height = bytes.u32Big(at + 12);
        // The standard bounds both sides by 2^31 - 1, so their product fits a long.
        if (width > Integer.MAX_VALUE || height > Integer.MAX_VALUE) {
            throw bytes.damaged("PNG says its size is " + width + "x" + height);
        }
        int depth = bytes.u8(at + 16);
        int colour = bytes.u8(at + 17);
        if (!isAllowed(depth, colour) || bytes.u8(at + 18) != 0 || bytes.u8(at + 19) != 0 || bytes.u8(at + 20) > 1) {
            throw bytes.damaged("PNG has the unknown colour type " + colour + " with " + depth + " bits");
        }
        return bytes.header(ImageHeader.Format.PNG, width, height);
    }

    private static boolean isAllowed(int depth, int colour) {
        return switch (colour) {
            case 0 -> depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
            case 3 -> depth == 1 || depth == 2 || depth == 4 || depth == 8;
            case 2, 4, 6 -> depth == 8 || depth == 16;
            default -> false;
        };
    }
}
