package dev.shrike.vision;

import java.util.HashMap;
import java.util.Map;

/**
 * One directory of tags in the manner of TIFF 6.0, section 2: those of a TIFF file, and of the EXIF block that JPEG,
 * PNG and WebP carry.
 */
final class TiffDirectory {
    static final int WIDTH = 0x100;
    static final int HEIGHT = 0x101;
    static final int BITS = 0x102;
    static final int COMPRESSION = 0x103;
    static final int PHOTOMETRIC = 0x106;
    static final int FILL_ORDER = 0x10a;
    static final int STRIP_OFFSETS = 0x111;
    static final int ORIENTATION = 0x112;
    static final int SAMPLES = 0x115;
    static final int ROWS_PER_STRIP = 0x116;
    static final int STRIP_BYTES = 0x117;
    static final int PLANES = 0x11c;
    static final int PREDICTOR = 0x13d;
    static final int COLOUR_MAP = 0x140;
    static final int TILE_WIDTH = 0x142;
    static final int TILE_HEIGHT = 0x143;
    static final int TILE_OFFSETS = 0x144;
    static final int TILE_BYTES = 0x145;
    static final int SAMPLE_FORMAT = 0x153;

    private static final int ENTRY = 12;
    private static final int SHORT = 3;
    private static final int LONG = 4;

    /** Where the values of a tag are. */
    private record Entry(int type, long count, long at) {}

    private final EncodedBytes bytes;
    private final long base;
    private final boolean little;
    private final Map<Integer, Entry> entries = new HashMap<>();
    private long next;

    private TiffDirectory(EncodedBytes bytes, long base, boolean little) {
        this.bytes = bytes;
        this.base = base;
        this.little = little;
    }

    /** Whether a TIFF header stands at the position. */
    static boolean isHeader(EncodedBytes bytes, long at) {
        return bytes.startsWith(at, 'I', 'I', 42, 0) || bytes.startsWith(at, 'M', 'M', 0, 42);
    }

    /**
     * The first directory behind the TIFF header at the position, which offsets count from.
     *
     * @throws dev.shrike.SourceException if the file ends inside the directory
     */
    static TiffDirectory first(EncodedBytes bytes, long base) {
        boolean little = bytes.u8(base) == 'I';
        long offset = little ? bytes.u32Little(base + 4) : bytes.u32Big(base + 4);
        return new TiffDirectory(bytes, base, little).read(base + offset);
    }

    private TiffDirectory read(long at) {
        int count = u16(at);
        bytes.need(at + 2, (long) count * ENTRY);
        for (int i = 0; i < count; i++) {
            long entry = at + 2 + (long) i * ENTRY;
            int type = u16(entry + 2);
            long values = u32(entry + 4);
            boolean inside = values * size(type) <= 4;
            // The first of several is what libtiff takes as well.
            entries.putIfAbsent(u16(entry), new Entry(type, values, inside ? entry + 8 : base + u32(entry + 8)));
        }
        long end = at + 2 + (long) count * ENTRY;
        // Some writers of EXIF leave the last four bytes out.
        next = end + 4 <= bytes.size() ? u32(end) : 0;
        return this;
    }

    /** The directory after this one, or null; a chain may be a circle, so the caller counts. */
    TiffDirectory following() {
        return next == 0 ? null : new TiffDirectory(bytes, base, little).read(base + next);
    }

    /** Number of values of a tag, 0 without it. */
    long count(int tag) {
        Entry entry = entries.get(tag);
        return entry == null ? 0 : entry.count();
    }

    /** The first value of a tag of whole numbers, or the other number where there is none. */
    long value(int tag, long otherwise) {
        return count(tag) == 0 ? otherwise : value(tag, 0, otherwise);
    }

    /** One value of a tag of whole numbers of 16 or 32 bits; the other number if it is of another type. */
    long value(int tag, long index, long otherwise) {
        Entry entry = entries.get(tag);
        if (entry == null || index >= entry.count()) {
            return otherwise;
        }
        return switch (entry.type()) {
            case SHORT -> u16(entry.at() + 2 * index);
            case LONG -> u32(entry.at() + 4 * index);
            default -> otherwise;
        };
    }

    private int u16(long at) {
        return little ? bytes.u16Little(at) : bytes.u16Big(at);
    }

    private long u32(long at) {
        return little ? bytes.u32Little(at) : bytes.u32Big(at);
    }

    private static int size(int type) {
        return switch (type) {
            case 3, 8 -> 2;
            case 4, 9, 11, 13 -> 4;
            case 5, 10, 12 -> 8;
            default -> 1;
        };
    }
}
