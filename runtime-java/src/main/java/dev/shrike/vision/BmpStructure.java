package dev.shrike.vision;

/** Reads the headers of a Windows or OS/2 bitmap and proves that the file holds all its rows. */
final class BmpStructure {
    private static final int FILE_HEADER = 14;
    private static final int CORE_HEADER = 12;
    private static final int INFO_HEADER = 40;
    private static final int RUN_LENGTH_8 = 1;
    private static final int RUN_LENGTH_4 = 2;
    private static final int BIT_FIELDS = 3;

    private BmpStructure() {}

    static ImageHeader check(EncodedBytes bytes) {
        long offset = bytes.u32Little(10);
        long headerSize = bytes.u32Little(FILE_HEADER);
        boolean core = headerSize == CORE_HEADER;
        if (!core && (headerSize < INFO_HEADER || headerSize > 1024)) {
            throw bytes.damaged("BMP has a header of " + headerSize + " bytes");
        }
        bytes.need(FILE_HEADER, headerSize);
        long width = core ? bytes.u16Little(18) : bytes.s32Little(18);
        // A negative height means that the top row comes first.
        long height = core ? bytes.u16Little(20) : Math.abs((long) bytes.s32Little(22));
        ImageHeader header = bytes.header(ImageHeader.Format.BMP, width, height);
        int bits = bytes.u16Little(core ? 24 : 28);
        long compression = core ? 0 : bytes.u32Little(30);
        if (!isAllowed(bits, compression)) {
            throw bytes.unsupported("BMP with " + bits + " bits a pixel and compression " + compression
                    + " is not supported: save it as 24 bits without compression");
        }
        checkPalette(bytes, headerSize, bits, core);
        if (offset < FILE_HEADER + headerSize) {
            throw bytes.damaged("BMP says its pixels start at byte " + offset + ", inside its header");
        }
        if (compression == RUN_LENGTH_8 || compression == RUN_LENGTH_4) {
            checkRuns(bytes, offset, compression == RUN_LENGTH_4);
        } else {
            checkRows(bytes, offset, width, height, bits);
        }
        return header;
    }

    /** Up to 8 bits a pixel are indices into colours of 4 bytes, of 3 in an OS/2 file. */
    private static void checkPalette(EncodedBytes bytes, long headerSize, int bits, boolean core) {
        if (bits > 8) {
            return;
        }
        long stated = core ? 0 : bytes.u32Little(46);
        if (stated > 256) {
            throw bytes.damaged("BMP says it has " + stated + " colours for " + bits + " bits a pixel");
        }
        long colours = stated == 0 ? 1L << bits : stated;
        bytes.need(FILE_HEADER + headerSize, colours * (core ? 3 : 4));
    }

    private static boolean isAllowed(int bits, long compression) {
        return switch (bits) {
            case 1, 24 -> compression == 0;
            case 4 -> compression == 0 || compression == RUN_LENGTH_4;
            case 8 -> compression == 0 || compression == RUN_LENGTH_8;
            case 16, 32 -> compression == 0 || compression == BIT_FIELDS;
            default -> false;
        };
    }

    private static void checkRows(EncodedBytes bytes, long offset, long width, long height, int bits) {
        long row = (width * bits + 31) / 32 * 4;
        long needed = row * height;
        if (needed > bytes.size() - offset) {
            throw bytes.truncated("BMP of " + width + "x" + height + " needs " + needed + " bytes of pixels, has "
                    + Math.max(0, bytes.size() - offset));
        }
    }

    /** Follows the runs to the end-of-bitmap mark, which is the escape 0, 1. */
    private static void checkRuns(EncodedBytes bytes, long offset, boolean nibbles) {
        long at = offset;
        while (true) {
            int count = bytes.u8(at);
            int value = bytes.u8(at + 1);
            at += 2;
            if (count != 0) {
                continue;
            }
            switch (value) {
                case 0 -> {
                    // end of line
                }
                case 1 -> {
                    return;
                }
                case 2 -> at += 2;
                default -> {
                    int packed = nibbles ? (value + 1) / 2 : value;
                    at += packed + (packed & 1);
                }
            }
        }
    }
}
