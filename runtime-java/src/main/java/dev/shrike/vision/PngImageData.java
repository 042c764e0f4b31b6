package dev.shrike.vision;

import java.util.List;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * Proves that the IDAT chunks of a PNG unpack to the rows of its image, each with a filter that exists (ISO/IEC 15948,
 * clauses 7 to 10), so that the decoder inside OpenCV has nothing to complain of on the process's error output.
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
    private int pass = -1;
    private long rowsLeft;
    private long rowBytes;
    /** Of the present row, its filter among them. */
    private long bytesLeft;

    PngImageData(EncodedBytes bytes, ImageHeader image, int bitsPerPixel, boolean interlaced) {
        this.bytes = bytes;
        this.image = image;
        this.bitsPerPixel = bitsPerPixel;
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
            at += taken;
            bytesLeft -= taken;
            if (bytesLeft == 0) {
                rowsLeft--;
                nextRow();
            }
        }
    }

    /** Goes to the next row that has pixels; no rows are left behind the last. */
    private void nextRow() {
        while (rowsLeft == 0 && ++pass < passes.length) {
            int[] steps = passes[pass];
            long columns = Math.ceilDiv(image.width() - steps[0], steps[2]);
            long rows = Math.ceilDiv(image.height() - steps[1], steps[3]);
            if (columns > 0 && rows > 0) {
                rowsLeft = rows;
                rowBytes = (columns * bitsPerPixel + 7) / 8;
            }
        }
        bytesLeft = rowBytes + 1;
    }
}
