package dev.shrike.jetson.kernels;

import dev.shrike.spi.LetterboxParams;

/**
 * Places and weights of OpenCV's bilinear resizing of bytes ({@code resize}, {@code INTER_LINEAR}): fixed point with 11
 * bits, pixel centres aligned, edges repeated. {@code letterbox.cu} computes with them what the CPU's letterbox gives.
 *
 * @param columns for each column of the image in the input, in columns of the frame: the first source
 *     column, the second, weight of the first, of the second
 * @param rows for each row of the image the same
 * @param halves whether the image is exactly halved, which OpenCV does by averaging four pixels
 */
record LetterboxTables(int[] columns, int[] rows, boolean halves) {
    private static final int ONE = 1 << 11;

    static LetterboxTables of(LetterboxParams how) {
        boolean halves = how.regionWidth() == 2L * how.width() && how.regionHeight() == 2L * how.height();
        return new LetterboxTables(
                halves ? halves(how.regionX(), how.width()) : columns(how.regionX(), how.regionWidth(), how.width()),
                halves ? halves(how.regionY(), how.height()) : rows(how.regionY(), how.regionHeight(), how.height()),
                halves);
    }

    /** Two neighbours each. */
    private static int[] halves(int start, int to) {
        int[] table = new int[4 * to];
        for (int i = 0; i < to; i++) {
            put(table, i, start + 2 * i, start + 2 * i + 1, 0);
        }
        return table;
    }

    private static float position(int index, double scale) {
        return (float) ((index + 0.5) * scale - 0.5);
    }

    /** Beyond the edge the last column counts whole. */
    private static int[] columns(int start, int from, int to) {
        double scale = 1 / ((double) to / from);
        int[] table = new int[4 * to];
        for (int i = 0; i < to; i++) {
            float position = position(i, scale);
            int first = (int) Math.floor(position);
            boolean inside = first >= 0 && first < from - 1;
            put(table, i, start + Math.clamp(first, 0, from - 1), start + Math.clamp(first + 1, 0, from - 1),
                    inside ? position - first : 0);
        }
        return table;
    }

    /** Beyond the edge the last row counts twice with the weights of both, whose products are cut off one by one. */
    private static int[] rows(int start, int from, int to) {
        double scale = 1 / ((double) to / from);
        int[] table = new int[4 * to];
        for (int i = 0; i < to; i++) {
            float position = position(i, scale);
            int first = (int) Math.floor(position);
            put(table, i, start + Math.clamp(first, 0, from - 1), start + Math.clamp(first + 1, 0, from - 1),
                    position - first);
        }
        return table;
    }

    private static void put(int[] table, int index, int first, int second, float fraction) {
        table[4 * index] = first;
        table[4 * index + 1] = second;
        table[4 * index + 2] = (int) Math.rint((1f - fraction) * ONE);
        table[4 * index + 3] = (int) Math.rint(fraction * ONE);
    }
}
