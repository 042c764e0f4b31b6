package dev.shrike.app.bench.report;

import java.util.Locale;

/** Builds one SVG image whose colours come from the page around it, so that it is right in the dark as well. */
final class Svg {
    /** Classes {@code c0} to {@code c7} of the page's style. */
    static final int COLOURS = 8;

    private final StringBuilder text = new StringBuilder();

    /**
     * An image.
     *
     * @param label what it shows, for readers who do not see it
     */
    Svg(int width, int height, String label) {
        text.append(
                String.format(Locale.ROOT, "<svg viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\" aria-label=\"%s\">",
                        width, height, width, escape(label)));
    }

    /** Text that HTML shows as it is; what would do something to a terminal or a page is left out. */
    static String escape(String text) {
        return text.replaceAll("[\\p{Cc}\\p{Cf}]", " ").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
                .replace("\"", "&quot;").replace("'", "&#39;");
    }

    /** A line. */
    Svg line(double x1, double y1, double x2, double y2, String style) {
        text.append(String.format(Locale.ROOT,
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>", x1, y1, x2, y2, style));
        return this;
    }

    /** A filled rectangle that says something when it is pointed at. */
    Svg bar(double x, double y, double width, double height, String style, String title) {
        text.append(String.format(Locale.ROOT,
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\"><title>%s</title></rect>", x,
                y, Math.max(0, width), height, style, escape(title)));
        return this;
    }

    /** A filled circle that says something when it is pointed at. */
    Svg dot(double x, double y, double radius, String style, String title) {
        text.append(String.format(Locale.ROOT,
                "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" class=\"%s\"><title>%s</title></circle>", x, y, radius,
                style, escape(title)));
        return this;
    }

    /**
     * Text.
     *
     * @param anchor start, middle or end
     */
    Svg label(double x, double y, String anchor, String label) {
        text.append(String.format(Locale.ROOT, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>", x, y, anchor,
                escape(label)));
        return this;
    }

    /** A line through points, or an area of them if the style fills. */
    Svg path(double[] xs, double[] ys, String style) {
        text.append("<polyline class=\"").append(style).append("\" points=\"");
        for (int i = 0; i < xs.length; i++) {
            text.append(String.format(Locale.ROOT, "%.1f,%.1f ", xs[i], ys[i]));
        }
        text.append("\"/>");
        return this;
    }

    /** The image. */
    String end() {
        return text + "</svg>";
    }
}
