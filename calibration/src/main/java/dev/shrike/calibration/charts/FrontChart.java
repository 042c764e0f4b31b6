package dev.shrike.calibration.charts;

import dev.shrike.Frame;
import dev.shrike.vision.Canvas;
import java.util.List;
import java.util.Locale;

/** Points joined by lines over a share from 0 to 1, such as a front of cost and accuracy. */
public final class FrontChart {
    private static final int LEFT = 120;
    private static final int TOP = 70;
    private static final int BOTTOM = 90;
    private static final int SIDE = 700;
    private static final int MARGIN = 40;
    private static final int TICKS = 10;
    private static final int MARK = 4;
    private static final int WHITE = 0xffffff;
    private static final int INK = 0x202020;
    private static final int GRID = 0xdddddd;
    private static final int LINE = 0x1f77b4;
    private static final double TEXT = 0.55;
    private static final double TITLE = 0.8;

    private FrontChart() {}

    /**
     * A point.
     *
     * @param across 0 to 1
     * @param up 0 or more
     */
    public record Point(double across, double up) {}

    /**
     * The chart as an image; the vertical axis ends at the highest point.
     *
     * @param title above it
     * @param across name of the horizontal axis
     * @param up name of the vertical axis
     * @param points from left to right
     */
    public static Frame draw(String title, String across, String up, List<Point> points) {
        double top = points.stream().mapToDouble(Point::up).max().orElse(1);
        double height = top > 0 ? top : 1;
        Frame frame = Frame.allocate(LEFT + SIDE + MARGIN, TOP + SIDE + BOTTOM);
        try (Canvas canvas = new Canvas(frame)) {
            canvas.fill(0, 0, frame.width(), frame.height(), WHITE);
            drawAxes(canvas, title, across, up, height);
            for (int i = 0; i < points.size(); i++) {
                double x = x(points.get(i).across());
                double y = y(points.get(i).up() / height);
                if (i > 0) {
                    canvas.line(x(points.get(i - 1).across()), y(points.get(i - 1).up() / height), x, y, LINE, 2);
                }
                canvas.fill((int) x - MARK, (int) y - MARK, (int) x + MARK, (int) y + MARK, LINE);
            }
        }
        return frame;
    }

    private static void drawAxes(Canvas canvas, String title, String across, String up, double height) {
        canvas.text(title, LEFT, TOP - 28, TITLE, INK, 2);
        for (int tick = 0; tick <= TICKS; tick++) {
            double position = (double) tick / TICKS;
            String share = String.format(Locale.ROOT, "%.1f", position);
            String value = String.format(Locale.ROOT, "%.3g", position * height);
            canvas.line(x(position), y(0), x(position), y(1), GRID, 1);
            canvas.line(x(0), y(position), x(1), y(position), GRID, 1);
            canvas.text(share, (int) x(position) - Canvas.textWidth(share, TEXT, 1) / 2, TOP + SIDE + 28, TEXT, INK, 1);
            canvas.text(value, LEFT - 10 - Canvas.textWidth(value, TEXT, 1), (int) y(position) + 6, TEXT, INK, 1);
        }
        canvas.line(x(0), y(0), x(1), y(0), INK, 2);
        canvas.line(x(0), y(0), x(0), y(1), INK, 2);
        canvas.text(across, LEFT + (SIDE - Canvas.textWidth(across, TITLE, 1)) / 2, TOP + SIDE + 66, TITLE, INK, 1);
        canvas.textUpwards(up, LEFT - 90, TOP + (SIDE + Canvas.textWidth(up, TITLE, 1)) / 2, TITLE, INK, 1, WHITE);
    }

    private static double x(double position) {
        return LEFT + position * SIDE;
    }

    private static double y(double position) {
        return TOP + (1 - position) * SIDE;
    }
}
