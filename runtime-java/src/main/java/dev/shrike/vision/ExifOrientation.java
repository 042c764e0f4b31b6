package dev.shrike.vision;

import dev.shrike.SourceException;

/** How an image is to be turned to stand upright: 1 to 8 as EXIF 2.3 counts, 1 for not at all. */
final class ExifOrientation {
    static final int UPRIGHT = 1;

    private static final int LAST = 8;
    private static final int PREFIX = 6;

    private ExifOrientation() {}

    /** The orientation in an EXIF block; upright where the block says nothing that can be understood. */
    static int read(EncodedBytes bytes, long at, long length) {
        long header = bytes.startsWith(at, 'E', 'x', 'i', 'f', 0, 0) ? at + PREFIX : at;
        if (length < 8 || !TiffDirectory.isHeader(bytes, header)) {
            return UPRIGHT;
        }
        try {
            return of(TiffDirectory.first(bytes, header));
        } catch (SourceException e) {
            // Metadata that broke is no reason to refuse a sound image.
            return UPRIGHT;
        }
    }

    static int of(TiffDirectory directory) {
        long value = directory.value(TiffDirectory.ORIENTATION, UPRIGHT);
        return value >= UPRIGHT && value <= LAST ? (int) value : UPRIGHT;
    }
}
