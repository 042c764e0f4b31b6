package dev.shrike.vision;

import java.util.Arrays;

/**
 * Which coefficients of a JPEG its scans have brought, so that a file without its end marker can be told from one that
 * lacks whole scans (ITU-T T.81: a sequential image has each component in one scan; a progressive one, annex G, has
 * each coefficient bit by bit). Whether the last scan is whole is for {@link JpegEntropyCheck} to say.
 */
final class JpegScans {
    private static final int BLOCK = 64;
    private static final int MISSING = 16;
    private static final int PROGRESSIVE = 0xc2;
    private static final int PROGRESSIVE_ARITHMETIC = 0xca;

    private final EncodedBytes bytes;
    private final boolean progressive;
    private final int[] ids;
    /** By component and coefficient the bits that are still to come, {@link #MISSING} before the first scan. */
    private final int[][] missing;

    /**
     * No scans yet of the frame whose header is at the position.
     *
     * @throws dev.shrike.SourceException if the header is too short for its components
     */
    JpegScans(EncodedBytes bytes, long header, int length, int marker) {
        this.bytes = bytes;
        this.progressive = marker == PROGRESSIVE || marker == PROGRESSIVE_ARITHMETIC;
        int components = bytes.u8(header + 7);
        if (length < 8 + 3 * components) {
            throw bytes.damaged("JPEG frame header of " + length + " bytes for " + components + " components");
        }
        ids = new int[components];
        missing = new int[components][BLOCK];
        for (int i = 0; i < components; i++) {
            ids[i] = bytes.u8(header + 8 + 3L * i);
            Arrays.fill(missing[i], MISSING);
        }
    }

    /** Takes the scan whose header is at the position. */
    void add(long header, int length) {
        int components = bytes.u8(header + 2);
        if (length < 6 + 2 * components) {
            throw bytes.damaged("JPEG scan header of " + length + " bytes for " + components + " components");
        }
        long band = header + 3 + 2L * components;
        int first = progressive ? Math.min(bytes.u8(band), BLOCK) : 0;
        int last = progressive ? Math.min(bytes.u8(band + 1), BLOCK - 1) : BLOCK - 1;
        int bits = progressive ? bytes.u8(band + 2) & 15 : 0;
        for (int i = 0; i < components; i++) {
            int id = bytes.u8(header + 3 + 2L * i);
            for (int c = 0; c < ids.length; c++) {
                if (ids[c] == id && first <= last) {
                    Arrays.fill(missing[c], first, last + 1, bits);
                }
            }
        }
    }

    /** Whether every coefficient has all its bits. */
    boolean areComplete() {
        return Arrays.stream(missing).flatMapToInt(Arrays::stream).allMatch(bits -> bits == 0);
    }
}
