package dev.shrike.jetson;

/**
 * Places and weights of OpenCV's bilinear resizing of bytes ({@code resize}, {@code INTER_LINEAR}): fixed point with 11
 * bits, pixel centres aligned, edges repeated. {@code letterbox.cu} computes with them what the CPU's letterbox gives.
 *
 * @param left columns of the input left of the image
 * @param top rows of the input above the image
 * @param width columns of the image in the input
 * @param height rows of the image in the input
 * @param columns for each of these columns: the first source column, the second, weight of the first, of the second
 * @param rows for each of these rows the same
 * @param halves whether the image is exactly halved, which OpenCV does by averaging four pixels
 */
record LetterboxTables(int left, int top, int width, int height, int[] columns, int[] rows, boolean halves) {
    private static final int ONE = 1 << 11;

    static LetterboxTables of(int frameWidth, int frameHeight, int inputWidth, int inputHeight) {
        double ratio = Math.min((double) inputHeight / frameHeight, (double) inputWidth / frameWidth);
        int width = Math.clamp((int) Math.rint(frameWidth * ratio), 1, inputWidth);
        int height = Math.clamp((int) Math.rint(frameHeight * ratio), 1, inputHeight);
        int left = (int) Math.rint((inputWidth - width) / 2.0 - 0.1);
        int top = (int) Math.rint((inputHeight - height) / 2.0 - 0.1);
        return new LetterboxTables(left, top, width, height, columns(frameWidth, width),
                rows(frameHeight, height),
                frameWidth == 2 * width && frameHeight == 2 * height);
    }

    private static float position(int index, double scale) {
        return (float) ((index + 0.5) * scale - 0.5);
    }

    /** Beyond the edge the last column counts whole. */
    private static int[] columns(int from, int to) {
        double scale = (double) from / to;
        int[] table = new int[4 * to];
        for (int i = 0; i < to; i++) {
            float position = position(i, scale);
            int first = (int) Math.floor(position);
            boolean inside = first >= 0 && first < from - 1;
            put(table, i, Math.clamp(first, 0, from - 1), Math.clamp(first + 1, 0, from - 1),
                    inside ? position - first : 0);
        }
        return table;
    }

    /** Beyond the edge the last row counts twice with the weights of both, whose products are cut off one by one. */
    private static int[] rows(int from, int to) {
        double scale = (double) from / to;
        int[] table = new int[4 * to];
        for (int i = 0; i < to; i++) {
            float position = position(i, scale);
            int first = (int) Math.floor(position);
            put(table, i, Math.clamp(first, 0, from - 1), Math.clamp(first + 1, 0, from - 1), position - first);
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
