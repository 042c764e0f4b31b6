package dev.shrike.vision;

import java.util.List;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Proves that the IDAT chunks of a PNG unpack to the rows of its image, each with a filter that exists (ISO/IEC 15948,
 * clauses 7 to 10), and that a palette has the colours that pixels ask for, so that the decoder inside OpenCV has
 * nothing to complain of on the process's error output.
 */
final class PngImageData {
    private static final int LAST_FILTER = 4;
    private static final int BUFFER = 1 << 16;
    /** By pass of interlaced images: first column, first row, column step, row step. */
    private static final int[][] PASSES = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4},
            {1, 0, 2, 2}, {0, 1, 1, 2}};
    private static final int[][] ONE_PASS = {{0, 0, 1, 1}};

    private final EncodedBytes bytes;
    private final ImageHeader image;
    private final int bitsPerPixel;
    private final int[][] passes;
    private final int colours;
    private int pass = -1;
    private long rowsLeft;
    private long rowBytes;
    /** Of the present row, its filter among them. */
    private long bytesLeft;
    private int columns;
    /** The present row as it is packed, its filter first, and the one above it unpacked; of images with a palette. */
    private byte[] row;
    private byte[] above;

    /** Of an image with a palette of so many colours, or none. */
    PngImageData(EncodedBytes bytes, ImageHeader image, int bitsPerPixel, boolean interlaced, int colours) {
        this.bytes = bytes;
        this.image = image;
        this.bitsPerPixel = bitsPerPixel;
        this.colours = colours;
        this.passes = interlaced ? PASSES : ONE_PASS;
        nextRow();
    }

    /** Bytes of the file. */
    record Range(long at, int length) {}

    /**
     * Unpacks the data.
     *
     * @param chunks the bodies of the IDAT chunks
     * @throws dev.shrike.SourceException if they are damaged or end early
     */
    void check(List<Range> chunks) {
        byte[] unpacked = new byte[BUFFER];
        Inflater inflater = new Inflater();
        try {
            int next = 0;
            while (!inflater.finished()) {
                int count = inflater.inflate(unpacked);
                rows(unpacked, count);
                if (count == 0 && !inflater.finished()) {
                    if (inflater.needsDictionary()) {
                        throw bytes.damaged(image + " has data that cannot be decoded");
                    }
                    if (next == chunks.size()) {
                        break;
                    }
                    Range chunk = chunks.get(next++);
                    inflater.setInput(bytes.buffer(chunk.at(), chunk.length()));
                }
            }
        } catch (DataFormatException e) {
            throw bytes.damaged(image + " has data that cannot be decoded");
        } finally {
            inflater.end();
        }
        if (rowsLeft > 0) {
            throw bytes.damaged(image + " lacks a part of its data");
        }
    }

    private void rows(byte[] unpacked, int count) {
        int at = 0;
        while (at < count && rowsLeft > 0) {
            if (bytesLeft == rowBytes + 1 && (unpacked[at] & 0xff) > LAST_FILTER) {
                throw bytes.damaged(image + " has data that cannot be decoded");
            }
            int taken = (int) Math.min(count - at, bytesLeft);
            if (colours > 0) {
                System.arraycopy(unpacked, at, row, row.length - (int) bytesLeft, taken);
            }
            at += taken;
            bytesLeft -= taken;
            if (bytesLeft == 0) {
                if (colours > 0) {
                    requireColours();
                }
                rowsLeft--;
                nextRow();
            }
        }
    }

    /** Goes to the next row that has pixels; no rows are left behind the last. */
    private void nextRow() {
        while (rowsLeft == 0 && ++pass < passes.length) {
            int[] steps = passes[pass];
            // Sides are bounded far below what an int holds.
            columns = (int) Math.ceilDiv(image.width() - steps[0], steps[2]);
            long rows = Math.ceilDiv(image.height() - steps[1], steps[3]);
            if (columns > 0 && rows > 0) {
                rowsLeft = rows;
                rowBytes = ((long) columns * bitsPerPixel + 7) / 8;
                if (colours > 0) {
                    row = new byte[(int) rowBytes + 1];
                    above = new byte[(int) rowBytes + 1];
                }
            }
        }
        bytesLeft = rowBytes + 1;
    }

    /** Undoes the filter of a row of indices (clause 9), which are a byte apart or less, and looks at each of them. */
    private void requireColours() {
        int filter = row[0];
        row[0] = 0;
        for (int i = 1; i < row.length; i++) {
            int left = row[i - 1] & 0xff;
            int up = above[i] & 0xff;
            row[i] += (byte) switch (filter) {
                case 1 -> left;
                case 2 -> up;
                case 3 -> (left + up) / 2;
                case 4 -> paeth(left, up, above[i - 1] & 0xff);
                default -> 0;
            };
        }
        int mask = (1 << bitsPerPixel) - 1;
        for (int x = 0; x < columns; x++) {
            long bit = (long) x * bitsPerPixel;
            int index = (row[1 + (int) (bit >>> 3)] & 0xff) >>> 8 - bitsPerPixel - (int) (bit & 7) & mask;
            if (index >= colours) {
                throw bytes.damaged(image + " has pixels of colour " + index + ", and a palette of " + colours);
            }
        }
        byte[] free = above;
        above = row;
        row = free;
    }

    private static int paeth(int left, int up, int corner) {
        int toLeft = Math.abs(up - corner);
        int toUp = Math.abs(left - corner);
        int toCorner = Math.abs(left + up - 2 * corner);
        return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner;
    }
}
