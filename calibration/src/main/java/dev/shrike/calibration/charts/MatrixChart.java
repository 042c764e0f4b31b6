package dev.shrike.calibration.charts;

import dev.shrike.Frame;
import dev.shrike.vision.Canvas;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A confusion matrix as an image: a column for each true class, a row for each found one, the background last. A cell
 * is as dark as the share of its column, and says it where there is room.
 */
public final class MatrixChart {
    private static final int TOP = 70;
    private static final int RIGHT = 130;
    private static final int BODY = 1100;
    private static final int SMALLEST_CELL = 16;
    private static final int LARGEST_CELL = 90;
    private static final int NUMBER_ROOM = 44;
    private static final double LEAST_SHARE = 0.005;
    private static final int BAR_HEIGHT = 300;

    private static final int WHITE = 0xffffff;
    private static final int INK = 0x202020;
    private static final int GRID = 0xe4e8ee;
    private static final int DARKEST = 0x08306b;
    private static final double TITLE = 0.85;

    private final int[][] counts;
    private final List<String> names;
    private final int cell;
    private final double text;
    private final int left;
    private final int nameRoom;

    private MatrixChart(int[][] counts, List<String> labels) {
        this.counts = counts;
        this.names = new ArrayList<>(labels);
        names.add("background");
        cell = Math.clamp(BODY / counts.length, SMALLEST_CELL, LARGEST_CELL);
        text = cell < 24 ? 0.4 : cell < 40 ? 0.5 : 0.6;
        nameRoom = names.stream().mapToInt(name -> Canvas.textWidth(name, text, 1)).max().orElse(0) + 20;
        left = nameRoom + 50;
    }

    /**
     * The image.
     *
     * @param counts {@code counts[found][true]}, the background last
     * @param labels names of the classes, one less than there are rows
     */
    public static Frame draw(int[][] counts, List<String> labels) {
        if (counts.length != labels.size() + 1) {
            throw new IllegalArgumentException(counts.length + " rows for " + labels.size() + " classes");
        }
        return new MatrixChart(counts, labels).draw();
    }

    private Frame draw() {
        int side = cell * counts.length;
        Frame frame = Frame.allocate(left + side + RIGHT, Math.max(TOP + side + nameRoom + 60, TOP + BAR_HEIGHT + 60));
        try (Canvas canvas = new Canvas(frame)) {
            canvas.fill(0, 0, frame.width(), frame.height(), WHITE);
            String title = "Confusion matrix, share of each true class";
            canvas.text(title, Math.max(8, left + (side - Canvas.textWidth(title, TITLE, 1)) / 2), TOP - 28, TITLE, INK,
                    2);
            for (int column = 0; column < counts.length; column++) {
                drawColumn(canvas, column);
            }
            for (int i = 0; i < names.size(); i++) {
                int middle = i * cell + cell / 2 + 5;
                String name = names.get(i);
                canvas.text(name, left - 10 - Canvas.textWidth(name, text, 1), TOP + middle, text, INK, 1);
                canvas.textUpwards(name, left + middle,
                        TOP + side + 10 + Canvas.textWidth(name, text, 1), text, INK, 1, WHITE);
            }
            drawTitles(canvas, side);
            drawBar(canvas, left + side + 30);
        }
        return frame;
    }

    private void drawTitles(Canvas canvas, int side) {
        String across = "True";
        String up = "Predicted";
        canvas.text(across, left + (side - Canvas.textWidth(across, TITLE, 1)) / 2, TOP + side + nameRoom + 40, TITLE,
                INK,
                1);
        canvas.textUpwards(up, 36, TOP + (side + Canvas.textWidth(up, TITLE, 1)) / 2, TITLE, INK, 1, WHITE);
    }

    private void drawColumn(Canvas canvas, int column) {
        long sum = 0;
        for (int[] row : counts) {
            sum += row[column];
        }
        for (int row = 0; row < counts.length; row++) {
            double share = sum == 0 ? 0 : (double) counts[row][column] / sum;
            int x = left + column * cell;
            int y = TOP + row * cell;
            canvas.fill(x, y, x + cell - 1, y + cell - 1, GRID);
            canvas.fill(x + 1, y + 1, x + cell - 1, y + cell - 1, shade(share));
            if (share >= LEAST_SHARE && cell >= NUMBER_ROOM) {
                String number = String.format(Locale.ROOT, "%.2f", share);
                int width = Canvas.textWidth(number, 0.5, 1);
                canvas.text(number, x + (cell - width) / 2, y + cell / 2 + 5, 0.5, share > 0.45 ? WHITE : INK, 1);
            }
        }
    }

    private void drawBar(Canvas canvas, int x) {
        for (int i = 0; i < BAR_HEIGHT; i++) {
            canvas.fill(x, TOP + i, x + 20, TOP + i, shade(1 - (double) i / (BAR_HEIGHT - 1)));
        }
        for (int tick = 0; tick <= 5; tick++) {
            String label = String.format(Locale.ROOT, "%.1f", tick / 5.0);
            canvas.text(label, x + 28, TOP + BAR_HEIGHT - BAR_HEIGHT * tick / 5 + 6, 0.55, INK, 1);
        }
    }

    /** White for nothing, dark blue for all. */
    private static int shade(double share) {
        int colour = 0;
        for (int shift = 16; shift >= 0; shift -= 8) {
            int dark = DARKEST >> shift & 255;
            colour |= (int) Math.round(255 + (dark - 255) * share) << shift;
        }
        return colour;
    }
}
