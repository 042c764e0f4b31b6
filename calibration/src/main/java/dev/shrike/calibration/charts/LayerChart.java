package dev.shrike.calibration.charts;

import dev.shrike.Frame;
import dev.shrike.vision.Canvas;
import java.util.List;
import java.util.Locale;

/** Horizontal bars, two for each layer of a network, from 0 to 1. */
public final class LayerChart {
    private static final int TOP = 70;
    private static final int ROW = 22;
    private static final int BAR = 7;
    private static final int WIDTH = 700;
    private static final int MARGIN = 24;
    private static final int WHITE = 0xffffff;
    private static final int INK = 0x202020;
    private static final int GRID = 0xdddddd;
    private static final int CHANNELS = 0x1f77b4;
    private static final int MACS = 0xff7f0e;
    private static final double TEXT = 0.45;
    private static final double TITLE = 0.7;

    private LayerChart() {}

    /**
     * A layer.
     *
     * @param name of its node
     * @param channels share of the channels that are left
     * @param macs share of the multiplications that are left
     */
    public record Bar(String name, double channels, double macs) {}

    /** The chart as an image. */
    public static Frame draw(String title, List<Bar> bars) {
        int names = bars.stream().mapToInt(bar -> Canvas.textWidth(bar.name(), TEXT, 1)).max().orElse(0);
        int left = names + 2 * MARGIN;
        Frame frame = Frame.allocate(left + WIDTH + 2 * MARGIN, TOP + ROW * bars.size() + 2 * MARGIN);
        try (Canvas canvas = new Canvas(frame)) {
            canvas.fill(0, 0, frame.width(), frame.height(), WHITE);
            canvas.text(title, MARGIN, 30, TITLE, INK, 2);
            canvas.fill(left, 42, left + 14, 52, CHANNELS);
            canvas.text("channels", left + 20, 52, TEXT, INK, 1);
            canvas.fill(left + 140, 42, left + 154, 52, MACS);
            canvas.text("MACs", left + 160, 52, TEXT, INK, 1);
            for (int tick = 0; tick <= 10; tick += 2) {
                int x = left + WIDTH * tick / 10;
                canvas.line(x, TOP, x, TOP + ROW * bars.size(), GRID, 1);
                canvas.text(String.format(Locale.ROOT, "%.1f", tick / 10.0), x - 10, TOP + ROW * bars.size() + 20,
                        TEXT, INK, 1);
            }
            for (int i = 0; i < bars.size(); i++) {
                int y = TOP + ROW * i;
                Bar bar = bars.get(i);
                canvas.text(bar.name(), MARGIN, y + 14, TEXT, INK, 1);
                canvas.fill(left, y + 2, left + (int) Math.round(WIDTH * bar.channels()), y + 2 + BAR, CHANNELS);
                canvas.fill(left, y + 2 + BAR, left + (int) Math.round(WIDTH * bar.macs()), y + 2 + 2 * BAR, MACS);
            }
        }
        return frame;
    }
}
