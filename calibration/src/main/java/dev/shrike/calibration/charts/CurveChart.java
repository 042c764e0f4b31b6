package dev.shrike.calibration.charts;

import dev.shrike.Frame;
import dev.shrike.vision.Canvas;
import java.util.List;
import java.util.Locale;

/** A chart of curves whose axes both go from 0 to 1, with a grid and, on the right, a legend. */
public final class CurveChart {
    private static final int LEFT = 110;
    private static final int TOP = 70;
    private static final int BOTTOM = 90;
    private static final int SIDE = 860;
    private static final int LEGEND_GAP = 24;
    private static final int LEGEND_ROW = 30;
    private static final int LEGEND_MARK = 34;
    private static final int TICKS = 10;

    private static final int WHITE = 0xffffff;
    private static final int INK = 0x202020;
    private static final int GRID = 0xdddddd;
    private static final double TEXT = 0.6;
    private static final double TITLE = 0.85;

    private CurveChart() {}

    /**
     * The chart as an image; later curves are drawn over earlier ones, the legend has them in reverse.
     *
     * @param title above it
     * @param across name of the horizontal axis
     * @param up name of the vertical axis
     */
    public static Frame draw(String title, String across, String up, List<Series> curves) {
        List<Series> named = curves.reversed().stream().filter(curve -> !curve.label().isEmpty()).toList();
        int widest = named.stream().mapToInt(curve -> Canvas.textWidth(curve.label(), TEXT, 1)).max().orElse(0);
        int legend = named.isEmpty() ? LEGEND_GAP : 2 * LEGEND_GAP + LEGEND_MARK + widest;
        int height = Math.max(TOP + SIDE + BOTTOM, TOP + named.size() * LEGEND_ROW + LEGEND_GAP);
        Frame frame = Frame.allocate(LEFT + SIDE + legend, height);
        try (Canvas canvas = new Canvas(frame)) {
            canvas.fill(0, 0, frame.width(), frame.height(), WHITE);
            drawAxes(canvas, title, across, up);
            for (Series curve : curves) {
                drawCurve(canvas, curve);
            }
            for (int i = 0; i < named.size(); i++) {
                drawLegend(canvas, named.get(i), TOP + i * LEGEND_ROW + LEGEND_ROW / 2);
            }
        }
        return frame;
    }

    private static void drawAxes(Canvas canvas, String title, String across, String up) {
        canvas.text(title, centred(title, TITLE, LEFT, SIDE), TOP - 28, TITLE, INK, 2);
        for (int tick = 0; tick <= TICKS; tick++) {
            double position = (double) tick / TICKS;
            String label = String.format(Locale.ROOT, "%.1f", position);
            canvas.line(x(position), y(0), x(position), y(1), GRID, 1);
            canvas.line(x(0), y(position), x(1), y(position), GRID, 1);
            canvas.text(label, (int) x(position) - Canvas.textWidth(label, TEXT, 1) / 2, TOP + SIDE + 28, TEXT, INK, 1);
            canvas.text(label, LEFT - 12 - Canvas.textWidth(label, TEXT, 1), (int) y(position) + 6, TEXT, INK, 1);
        }
        canvas.line(x(0), y(0), x(1), y(0), INK, 2);
        canvas.line(x(0), y(0), x(0), y(1), INK, 2);
        canvas.text(across, centred(across, TITLE, LEFT, SIDE), TOP + SIDE + 68, TITLE, INK, 1);
        int start = TOP + (SIDE + Canvas.textWidth(up, TITLE, 1)) / 2;
        canvas.textUpwards(up, LEFT - 66, start, TITLE, INK, 1, WHITE);
    }

    private static int centred(String text, double scale, int from, int room) {
        return from + (room - Canvas.textWidth(text, scale, 1)) / 2;
    }

    private static void drawCurve(Canvas canvas, Series curve) {
        double[] values = curve.values();
        for (int i = 1; i < values.length; i++) {
            canvas.line(
                    x((i - 1.0) / (values.length - 1)),
                    y(values[i - 1]),
                    x((double) i / (values.length - 1)),
                    y(values[i]),
                    curve.colour(),
                    curve.thickness());
        }
    }

    private static void drawLegend(Canvas canvas, Series curve, int middle) {
        int left = LEFT + SIDE + LEGEND_GAP;
        canvas.line(left, middle, left + LEGEND_MARK - 8, middle, curve.colour(), curve.thickness() + 1);
        canvas.text(curve.label(), left + LEGEND_MARK, middle + 6, TEXT, INK, 1);
    }

    private static double x(double position) {
        return LEFT + position * SIDE;
    }

    private static double y(double height) {
        return TOP + (1 - height) * SIDE;
    }
}
