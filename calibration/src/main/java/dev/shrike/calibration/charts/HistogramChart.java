package dev.shrike.calibration.charts;

import dev.shrike.Frame;
import dev.shrike.vision.Canvas;
import java.util.List;
import java.util.Locale;

/**
 * Histograms side by side, such as one for each epoch: the darker a cell, the larger the share of values in its bin.
 */
public final class HistogramChart {
    private static final int LEFT = 90;
    private static final int TOP = 70;
    private static final int BOTTOM = 70;
    private static final int RIGHT = 30;
    private static final int ROW = 12;
    private static final int LEAST_WIDTH = 480;
    private static final int LARGEST_COLUMN = 48;
    private static final int TICKS = 4;
    private static final int WHITE = 0xffffff;
    private static final int INK = 0x202020;
    private static final double TEXT = 0.45;
    private static final double TITLE = 0.7;

    private HistogramChart() {}

    /**
     * The chart as an image.
     *
     * @param title above it
     * @param across name of the horizontal axis, whose columns are counted from 1
     * @param up name of the vertical axis
     * @param limit upper end of the vertical axis; the last bin holds what is above it too
     * @param columns counts of each bin, from 0 up, all of the same length
     */
    public static Frame draw(String title, String across, String up, double limit, List<long[]> columns) {
        int bins = columns.getFirst().length;
        if (columns.stream().anyMatch(column -> column.length != bins)) {
            throw new IllegalArgumentException("histograms of different lengths");
        }
        int column = Math.clamp(LEAST_WIDTH / columns.size(), 2, LARGEST_COLUMN);
        int width = Math.max(LEAST_WIDTH, column * columns.size());
        Frame frame = Frame.allocate(LEFT + width + RIGHT, TOP + ROW * bins + BOTTOM);
        try (Canvas canvas = new Canvas(frame)) {
            canvas.fill(0, 0, frame.width(), frame.height(), WHITE);
            canvas.text(title, LEFT, TOP - 30, TITLE, INK, 2);
            for (int i = 0; i < columns.size(); i++) {
                column(canvas, columns.get(i), LEFT + i * column, column);
            }
            axes(canvas, across, up, limit, bins, width);
            String last = Integer.toString(columns.size());
            canvas.text("1", LEFT, TOP + ROW * bins + 20, TEXT, INK, 1);
            canvas.text(last, LEFT + column * columns.size() - Canvas.textWidth(last, TEXT, 1), TOP + ROW * bins + 20,
                    TEXT, INK, 1);
        }
        return frame;
    }

    private static void column(Canvas canvas, long[] counts, int left, int width) {
        long all = 0;
        for (long count : counts) {
            all += count;
        }
        for (int bin = 0; bin < counts.length; bin++) {
            // The root lets small shares be seen beside large ones.
            double share = all == 0 ? 0 : Math.sqrt((double) counts[bin] / all);
            int light = 255 - (int) Math.round(235 * share);
            int top = TOP + ROW * (counts.length - 1 - bin);
            canvas.fill(left, top, left + width, top + ROW, light << 16 | light << 8 | Math.min(255, light + 40));
        }
    }

    private static void axes(Canvas canvas, String across, String up, double limit, int bins, int width) {
        int bottom = TOP + ROW * bins;
        canvas.line(LEFT, bottom, LEFT + width, bottom, INK, 1);
        canvas.line(LEFT, bottom, LEFT, TOP, INK, 1);
        for (int tick = 0; tick <= TICKS; tick++) {
            String label = String.format(Locale.ROOT, "%.2f", limit * tick / TICKS);
            canvas.text(label, LEFT - 10 - Canvas.textWidth(label, TEXT, 1), bottom - ROW * bins * tick / TICKS + 5,
                    TEXT,
                    INK, 1);
        }
        canvas.text(across, LEFT + (width - Canvas.textWidth(across, TEXT, 1)) / 2, bottom + 45, TEXT, INK, 1);
        canvas.textUpwards(up, 12, TOP + (ROW * bins + Canvas.textWidth(up, TEXT, 1)) / 2, TEXT, INK, 1, WHITE);
    }
}
