package dev.shrike.vision;

import dev.shrike.SourceException;
import java.util.Set;

/**
 * Reads the first page of a TIFF file (TIFF 6.0) and proves that the file holds all its strips or tiles. What goes on
 * to the decoder is what cameras, scanners and microscopes write for people to look at: 1 to 4 samples of 8 or 16 bits,
 * or 1 and 4 bits of grey or a palette.
 */
final class TiffStructure {
    private static final int MOST_PAGES = 10_000;
    private static final long MOST_PARTS = 1 << 20;
    private static final int NONE = 1;
    private static final int PACK_BITS = 32_773;
    private static final Set<Long> COMPRESSIONS = Set.of((long) NONE, 5L, 8L, 32_946L, (long) PACK_BITS);

    private static final int YCBCR = 6;

    private TiffStructure() {}

    static ImageHeader check(EncodedBytes bytes) {
        TiffDirectory page = TiffDirectory.first(bytes, 0);
        long width = page.value(TiffDirectory.WIDTH, 0);
        long height = page.value(TiffDirectory.HEIGHT, 0);
        ImageHeader header = bytes.header(ImageHeader.Format.TIFF, width, height);
        long samples = page.value(TiffDirectory.SAMPLES, 1);
        long bits = page.value(TiffDirectory.BITS, 1);
        checkKind(bytes, page, samples, bits);
        checkParts(bytes, page, width, height, samples * bits);
        return header.turned(ExifOrientation.of(page)).withPages(pages(page));
    }

    private static void checkKind(EncodedBytes bytes, TiffDirectory page, long samples, long bits) {
        boolean whole = page.value(TiffDirectory.SAMPLE_FORMAT, 1) == 1;
        boolean deep = bits == 8 || bits == 16;
        if (samples < 1 || samples > 4 || !whole || !(deep || (bits == 1 || bits == 4) && samples == 1)) {
            throw bytes.unsupported("TIFF of " + samples + " samples of " + bits + (whole ? " bits" : " bits in float")
                    + " is not supported: save it with 8 bits a sample");
        }
        for (long i = 1; i < Math.min(samples, page.count(TiffDirectory.BITS)); i++) {
            if (page.value(TiffDirectory.BITS, i, bits) != bits) {
                throw bytes
                        .unsupported("TIFF with samples of different depth is not supported: save it with 8 bits each");
            }
        }
        long compression = page.value(TiffDirectory.COMPRESSION, NONE);
        long photometric = page.value(TiffDirectory.PHOTOMETRIC, 1);
        if (page.value(TiffDirectory.FILL_ORDER, 1) != 1) {
            throw bytes.unsupported("TIFF with the lowest bit first is not supported: save it again");
        }
        if (photometric == 2 && samples < 3 || photometric == 3 && (samples != 1 || bits > 8)
                || page.value(TiffDirectory.PREDICTOR, 1) != 1 && bits < 8) {
            throw bytes.damaged("TIFF of " + samples + " samples of " + bits + " bits does not fit its photometric"
                    + " interpretation " + photometric + " and predictor");
        }
        boolean planar = samples > 1 && page.value(TiffDirectory.PLANES, 1) != 1;
        if (!COMPRESSIONS.contains(compression)) {
            throw bytes.unsupported("TIFF with compression " + compression
                    + " is not supported: save it with LZW, Deflate or PackBits, or without compression");
        }
        if (photometric >= YCBCR || photometric == 4 || planar || photometric == 5 && samples != 4) {
            throw bytes.unsupported("TIFF with " + (planar ? "colours in planes of their own"
                    : "photometric interpretation " + photometric) + " is not supported: save it as plain RGB");
        }
    }

    /** Every strip or tile must lie in the file, and without compression be as long as its pixels need. */
    private static void checkParts(EncodedBytes bytes, TiffDirectory page, long width, long height, long bits) {
        Parts parts = Parts.of(page, width, height);
        if (parts.width() <= 0 || parts.height() <= 0) {
            throw bytes.damaged("TIFF has strips or tiles of " + parts.width() + "x" + parts.height());
        }
        // Throws where tiles would be larger than any image.
        bytes.header(ImageHeader.Format.TIFF, parts.width(), parts.height());
        if (parts.count() > MOST_PARTS || parts.stored() < parts.count()) {
            throw bytes.damaged("TIFF of " + width + "x" + height + " has " + parts.stored()
                    + " strips or tiles instead of " + parts.count());
        }
        boolean plain = page.value(TiffDirectory.COMPRESSION, NONE) == NONE;
        long row = (parts.width() * bits + 7) / 8;
        if (row * parts.height() > Integer.MAX_VALUE) {
            throw bytes.damaged("TIFF has strips or tiles of " + parts.width() + "x" + parts.height()
                    + ", too large to be read: save it with smaller ones");
        }
        for (long i = 0; i < parts.count(); i++) {
            long length = parts.length(i);
            bytes.need(parts.offset(i), length);
            long needed = row * parts.rows(i, height);
            if (length == 0 || plain && length < needed) {
                throw bytes.truncated("TIFF strip or tile " + i + " has " + length + " bytes"
                        + (plain ? ", its pixels need " + needed : ""));
            }
        }
    }

    /**
     * The strips or tiles of a page, row by row.
     *
     * @param width pixels of one in a row; of a strip all
     * @param height rows of one
     * @param across how many lie side by side
     * @param count how many there are to be
     */
    record Parts(TiffDirectory page, boolean tiled, long width, long height, long across, long count) {
        static Parts of(TiffDirectory page, long width, long height) {
            boolean tiled = page.count(TiffDirectory.TILE_WIDTH) > 0;
            long partWidth = tiled ? page.value(TiffDirectory.TILE_WIDTH, 0) : width;
            long partHeight = tiled ? page.value(TiffDirectory.TILE_HEIGHT, 0)
                    : Math.min(height, page.value(TiffDirectory.ROWS_PER_STRIP, height));
            long across = partWidth <= 0 ? 0 : (width + partWidth - 1) / partWidth;
            long down = partHeight <= 0 ? 0 : (height + partHeight - 1) / partHeight;
            return new Parts(page, tiled, partWidth, partHeight, across, across * down);
        }

        /** How many the file says where they are. */
        long stored() {
            return Math.min(page.count(tiled ? TiffDirectory.TILE_OFFSETS : TiffDirectory.STRIP_OFFSETS),
                    page.count(tiled ? TiffDirectory.TILE_BYTES : TiffDirectory.STRIP_BYTES));
        }

        long offset(long index) {
            return page.value(tiled ? TiffDirectory.TILE_OFFSETS : TiffDirectory.STRIP_OFFSETS, index,
                    Integer.MAX_VALUE);
        }

        long length(long index) {
            return page.value(tiled ? TiffDirectory.TILE_BYTES : TiffDirectory.STRIP_BYTES, index, 0);
        }

        /** Rows of one of them: the last strip may be shorter, tiles are not. */
        long rows(long index, long all) {
            return tiled ? height : Math.min(height, all - index * height);
        }
    }

    private static int pages(TiffDirectory first) {
        int pages = 1;
        try {
            for (TiffDirectory page = first.following(); page != null && pages < MOST_PAGES; pages++) {
                page = page.following();
            }
        } catch (SourceException e) {
            // Only the first page is read; the others need not be whole.
        }
        return pages;
    }
}
