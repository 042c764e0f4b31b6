package dev.shrike.app.bench.report;

import dev.shrike.app.bench.statistics.Quantiles;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** The charts of a page, as SVG. */
final class Charts {
    private static final int WIDTH = 900;
    private static final int LEFT = 200;
    private static final int RIGHT = 60;
    private static final int ROW = 26;
    private static final int AXIS = 34;
    private static final int BINS = 120;
    private static final int POINTS = 500;
    private static final int LAYERS = 20;
    private static final double NANOS = 1e9;

    private Charts() {}

    /** A row for each named value, with the whiskers of its interval. */
    record Bar(String label, double value, double low, double high, String title) {}

    /** A point with a name. */
    record Point(String label, double x, double y) {}

    /** Horizontal bars from 0. */
    static String bars(String label, String unit, List<Bar> bars) {
        int height = bars.size() * ROW + AXIS;
        Svg svg = new Svg(WIDTH, height, label);
        Axis x = Axis.of(0, bars.stream().mapToDouble(Bar::high).max().orElse(1) * 1.05, LEFT, WIDTH - RIGHT);
        grid(svg, x, height, unit);
        for (int i = 0; i < bars.size(); i++) {
            Bar bar = bars.get(i);
            double y = i * (double) ROW;
            svg.bar(LEFT, y + 4, x.at(bar.value()) - LEFT, ROW - 8, "c" + i % Svg.COLOURS, bar.title());
            svg.line(x.at(bar.low()), y + ROW / 2.0, x.at(bar.high()), y + ROW / 2.0, "ink");
            svg.label(LEFT - 8, y + ROW / 2.0 + 4, "end", cut(bar.label(), 30));
            svg.label(x.at(bar.high()) + 6, y + ROW / 2.0 + 4, "start",
                    String.format(Locale.ROOT, "%.2f", bar.value()));
        }
        return svg.end();
    }

    /** The distribution of every result of a group: how many runs took how long, a row each; the line is the median. */
    static String distribution(List<BenchReport.Result> results) {
        int row = 2 * ROW;
        int height = results.size() * row + AXIS;
        Svg svg = new Svg(WIDTH, height, "distribution of latencies");
        double low = results.stream().mapToDouble(result -> result.latency().min()).min().orElse(0);
        double high = results.stream().mapToDouble(result -> result.latency().p99()).max().orElse(1);
        Axis x = Axis.of(low - 0.02 * (high - low), high + 0.02 * (high - low), LEFT, WIDTH - RIGHT);
        grid(svg, x, height, "ms");
        for (int i = 0; i < results.size(); i++) {
            BenchReport.Result result = results.get(i);
            double base = (i + 1.0) * row - 4;
            histogram(svg, result, x, base, row - 10, "c" + i % Svg.COLOURS);
            svg.line(x.at(result.latency().p50()), base, x.at(result.latency().p50()), base - row + 10, "ink");
            svg.label(LEFT - 8, base - row / 2.0 + 6, "end", cut(result.name(), 30));
        }
        return svg.end();
    }

    /** Runs beyond the axis, the slowest hundredth, are in the last bin. */
    private static void histogram(Svg svg, BenchReport.Result result, Axis x, double base, double room, String style) {
        int[] counts = new int[BINS];
        for (long nanos : result.samplesNs()) {
            double share = (nanos / 1e6 - x.low()) / (x.high() - x.low());
            counts[(int) Math.clamp(share * BINS, 0, BINS - 1)]++;
        }
        int most = Arrays.stream(counts).max().orElse(1);
        double width = (x.to() - x.from()) / BINS;
        for (int bin = 0; bin < BINS; bin++) {
            if (counts[bin] > 0) {
                double height = Math.max(1, room * counts[bin] / most);
                svg.bar(x.from() + bin * width, base - height, width + 0.3, height, style, counts[bin] + " runs");
            }
        }
    }

    /** Latency over the time of the bench, and the temperature where there is a sensor. */
    static String overTime(List<BenchReport.Result> results, List<BenchReport.Moment> timeline) {
        int height = 260;
        int bottom = height - AXIS;
        Svg svg = new Svg(WIDTH, height, "latency over time");
        double end = results.stream().mapToDouble(result -> Arrays.stream(result.startsNs()).max().orElse(0) / NANOS)
                .max().orElse(1);
        double begin = results.stream()
                .mapToDouble(result -> Arrays.stream(result.startsNs()).min().orElse(0) / NANOS).min().orElse(0);
        Axis x = Axis.of(begin, end, LEFT, WIDTH - RIGHT);
        grid(svg, x, height, "s");
        double top = results.stream().mapToDouble(result -> result.latency().p99()).max().orElse(1) * 1.05;
        Axis y = Axis.of(0, top, bottom, 8);
        for (double tick : y.ticks()) {
            svg.label(LEFT - 8, y.at(tick) + 4, "end", y.label(tick));
        }
        svg.label(LEFT - 60, 20, "end", "ms");
        for (int i = 0; i < results.size(); i++) {
            BenchReport.Result result = results.get(i);
            curve(svg, result, x, y, top, "line s" + i % Svg.COLOURS);
            svg.label(8, 44 + 18.0 * i, "start", cut(result.name(), 18));
            svg.bar(0, 35 + 18.0 * i, 5, 10, "c" + i % Svg.COLOURS, result.name());
        }
        temperature(svg, x, bottom, timeline.stream()
                .filter(moment -> moment.celsius() != null && moment.seconds() >= begin && moment.seconds() <= end)
                .toList());
        return svg.end();
    }

    /** Medians of equal stretches of time, where there are more runs than the image has points. */
    private static void curve(Svg svg, BenchReport.Result result, Axis x, Axis y, double top, String style) {
        int runs = result.samplesNs().length;
        int points = Math.min(POINTS, runs);
        double[] xs = new double[points];
        double[] ys = new double[points];
        for (int i = 0; i < points; i++) {
            int from = (int) ((long) runs * i / points);
            int to = (int) ((long) runs * (i + 1) / points);
            double[] part = Arrays.stream(result.samplesNs(), from, to).mapToDouble(nanos -> nanos / 1e6).toArray();
            xs[i] = x.at(result.startsNs()[from] / NANOS);
            ys[i] = y.at(Math.min(top, Quantiles.median(part)));
        }
        svg.path(xs, ys, style);
    }

    private static void temperature(Svg svg, Axis x, int bottom, List<BenchReport.Moment> moments) {
        if (moments.size() < 2) {
            return;
        }
        double low = moments.stream().mapToDouble(BenchReport.Moment::celsius).min().orElse(0) - 2;
        double high = moments.stream().mapToDouble(BenchReport.Moment::celsius).max().orElse(0) + 2;
        Axis y = Axis.of(low, high, bottom, 8);
        double[] xs = moments.stream().mapToDouble(moment -> x.at(moment.seconds())).toArray();
        double[] ys = moments.stream().mapToDouble(moment -> y.at(moment.celsius())).toArray();
        svg.path(xs, ys, "line heat");
        for (double tick : y.ticks()) {
            svg.label(WIDTH - RIGHT + 6, y.at(tick) + 4, "start", y.label(tick) + " °C");
        }
    }

    /** The layers that take longest. */
    static String layers(BenchReport.Result result) {
        List<Bar> bars = result.layers().stream().sorted(Comparator.comparingDouble(BenchReport.Layer::ms).reversed())
                .limit(LAYERS).map(layer -> new Bar(layer.node(), layer.ms(), layer.ms(), layer.ms(),
                        String.format(Locale.ROOT, "%s: %.3f ms, %d MACs, %.1f GMAC/s", layer.kernel(), layer.ms(),
                                layer.macs(), layer.gmacs())))
                .toList();
        return bars("layers of " + result.name(), "ms", bars);
    }

    /** Points with names, such as accuracy against latency. */
    static String scatter(String label, String across, String up, List<Point> points) {
        int height = 380;
        int bottom = height - AXIS;
        Svg svg = new Svg(WIDTH, height, label);
        Axis x = Axis.of(0, points.stream().mapToDouble(Point::x).max().orElse(1) * 1.1, LEFT, WIDTH - RIGHT);
        double low = points.stream().mapToDouble(Point::y).min().orElse(0);
        double high = points.stream().mapToDouble(Point::y).max().orElse(1);
        Axis y = Axis.of(Math.max(0, low - 0.05), high + 0.02, bottom, 8);
        grid(svg, x, height, across);
        for (double tick : y.ticks()) {
            svg.line(LEFT, y.at(tick), WIDTH - RIGHT, y.at(tick), "grid");
            svg.label(LEFT - 8, y.at(tick) + 4, "end", y.label(tick));
        }
        svg.label(8, 20, "start", up);
        List<Double> taken = new ArrayList<>();
        for (int i = 0; i < points.size(); i++) {
            Point point = points.get(i);
            double at = y.at(point.y());
            svg.dot(x.at(point.x()), at, 5, "c" + i % Svg.COLOURS, point.label());
            double free = at + 4;
            for (double other : taken.stream().sorted().toList()) {
                free = Math.abs(other - free) < 14 ? other + 14 : free;
            }
            taken.add(free);
            boolean right = x.at(point.x()) < WIDTH * 0.7;
            svg.label(x.at(point.x()) + (right ? 9 : -9), free, right ? "start" : "end", point.label());
        }
        return svg.end();
    }

    private static void grid(Svg svg, Axis x, int height, String unit) {
        for (double tick : x.ticks()) {
            svg.line(x.at(tick), 0, x.at(tick), height - AXIS + 4.0, "grid");
            svg.label(x.at(tick), height - AXIS + 20.0, "middle", x.label(tick));
        }
        svg.label(WIDTH - RIGHT + 24.0, height - AXIS + 20.0, "start", unit);
    }

    private static String cut(String text, int most) {
        return text.length() > most ? "…" + text.substring(text.length() - most + 1) : text;
    }
}
