package dev.shrike.vision;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Walks the chunks of a PNG file (ISO/IEC 15948) and proves their checksums and their data. */
final class PngStructure {
    private static final int SIGNATURE = 8;
    private static final int HEADER_LENGTH = 13;

    private static final int INDEXED = 3;

    private final EncodedBytes bytes;
    private final List<PngImageData.Range> data = new ArrayList<>();
    private final List<ImageHeader.Excess> excess = new ArrayList<>();
    private ImageHeader header;
    private String last = "";
    /** Colours of the palette, 0 without one. */
    private int colours;
    private int orientation = ExifOrientation.UPRIGHT;
    private int frames = 1;

    private PngStructure(EncodedBytes bytes) {
        this.bytes = bytes;
    }

    static ImageHeader check(EncodedBytes bytes) {
        PngStructure png = new PngStructure(bytes);
        long at = SIGNATURE;
        String type = "";
        while (!type.equals("IEND")) {
            if (at == bytes.size()) {
                throw bytes.truncated("PNG ends without its IEND chunk");
            }
            long length = bytes.u32Big(at);
            type = type(bytes, at + 4);
            if (length > Integer.MAX_VALUE) {
                throw bytes.damaged("PNG chunk " + type + " at byte " + at + " has the length " + length);
            }
            bytes.need(at + 8, length + 4);
            if (bytes.crc32(at + 4, length + 4) != bytes.u32Big(at + 8 + length)) {
                throw bytes.damaged("PNG chunk " + type + " at byte " + at + " fails its checksum");
            }
            png.add(type, at, (int) length);
            at += length + 12;
        }
        return png.image();
    }

    /** Takes a chunk whose checksum fits. */
    private void add(String type, long at, int length) {
        if (header == null) {
            header = header(bytes, at, length, type);
            return;
        }
        boolean needed = true;
        switch (type) {
            case "IDAT" -> {
                if (!data.isEmpty() && !last.equals(type)) {
                    throw bytes.damaged("PNG chunk IDAT at byte " + at + " does not follow the others");
                }
                data.add(new PngImageData.Range(at + 8, length));
            }
            case "PLTE" -> {
                boolean indexed = bytes.u8(SIGNATURE + 17) == INDEXED;
                if (colours > 0 || !data.isEmpty() || indexed && (length % 3 != 0 || length == 0 || length > 3 * 256)) {
                    throw bytes.damaged("PNG chunk PLTE of " + length + " bytes at byte " + at);
                }
                colours = Math.max(1, length / 3);
                needed = indexed;
            }
            case "IEND" -> {
            }
            case "eXIf" -> {
                orientation = ExifOrientation.read(bytes, at + 8, length);
                needed = false;
            }
            case "acTL" -> {
                frames = length < 4 ? frames : Math.clamp(bytes.u32Big(at + 8), 1, Integer.MAX_VALUE);
                needed = false;
            }
            default -> {
                if (Character.isUpperCase(type.charAt(0))) {
                    throw bytes.damaged("PNG has a second header or the unknown chunk " + type + " at byte " + at);
                }
                needed = type.equals("tRNS");
            }
        }
        last = type;
        if (!needed) {
            // The decoder would complain of some of them, and uses none.
            excess.add(new ImageHeader.Excess(at, at + length + 12L));
        }
    }

    private ImageHeader image() {
        if (data.isEmpty()) {
            throw bytes.damaged("PNG holds no image data (no IDAT chunk)");
        }
        int colour = bytes.u8(SIGNATURE + 17);
        if (colour == INDEXED && colours == 0) {
            throw bytes.damaged("PNG holds no palette (no PLTE chunk)");
        }
        int samples = switch (colour) {
            case 2 -> 3;
            case 4 -> 2;
            case 6 -> 4;
            default -> 1;
        };
        new PngImageData(bytes, header, samples * bytes.u8(SIGNATURE + 16), bytes.u8(SIGNATURE + 20) == 1,
                colour == INDEXED ? colours : 0).check(data);
        ImageHeader found = header.turned(orientation).withPages(frames);
        return excess.isEmpty() ? found : found.of(new ImageHeader.Mended(excess, false));
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
