package dev.shrike.vision;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.Frame;
import java.util.Locale;

/** Boxes and labels on an image: a box in the colour of its class and a filled label with class and score. */
final class Drawing {
    private static final int WHITE = 0xffffff;
    private static final int BLACK = 0x000000;
    private static final int LONGEST_LABEL = 64;

    private Drawing() {}

    /** Draws into the frame, weakest first, so that the best stays on top. */
    static void draw(Frame frame, Detections detections, DrawingStyle style) {
        try (OpenCv.Canvas canvas = new OpenCv.Canvas(frame.pixels(), frame.width(), frame.height())) {
            int line = style.lineThickness() > 0
                    ? style.lineThickness()
                    : lineWidth(frame.width(), frame.height());
            for (Detection detection : detections.list().reversed()) {
                draw(canvas, frame, detection, line, style);
            }
        }
    }

    /** Line width in pixels: 0.3 % of the mean side, at least 2. */
    static int lineWidth(int width, int height) {
        return Math.max(2, (int) Math.rint((width + height + 3) / 2.0 * 0.003));
    }

    /** Colour of a class as 0xRRGGBB. Neighbouring ids lie a golden angle apart on the colour circle. */
    static int colour(int classId) {
        double hue = (0.02 + classId * 0.6180339887498949) % 1.0;
        double value = classId / 7 % 2 == 0 ? 0.95 : 0.72;
        double saturation = classId / 14 % 2 == 0 ? 0.85 : 0.6;
        return fromHsv(hue, saturation, value);
    }

    private static void draw(OpenCv.Canvas canvas, Frame frame, Detection found, int line, DrawingStyle style) {
        int colour = colour(found.classId());
        int x1 = within(found.x1(), frame.width());
        int y1 = within(found.y1(), frame.height());
        int x2 = within(found.x2(), frame.width());
        int y2 = within(found.y2(), frame.height());
        canvas.rectangle(x1, y1, x2, y2, colour, line);

        if (!style.labels()) {
            return;
        }
        String label = shortened(found.label());
        String text = style.scores() ? String.format(Locale.ROOT, "%s %.2f", label, found.score()) : label;
        double scale = line / 3.0;
        int thickness = Math.max(1, line - 1);
        int[] size = Lettering.size(text, scale, thickness);
        int height = size[1] + 3;
        boolean above = y1 - height >= 0;
        // A label that would leave the image on the right is moved back in.
        int left = Math.max(0, Math.min(x1, frame.width() - 1 - size[0]));
        canvas.rectangle(left, y1, left + size[0], above ? y1 - height : y1 + height, colour, -1);
        int baseline = above ? y1 - 2 : y1 + size[1] + 2;
        Lettering.write(canvas, frame, text, left, baseline, scale, isBright(colour) ? BLACK : WHITE, thickness);
    }

    /** No more letters than a label has room for; a character of two units is not cut in half. */
    private static String shortened(String label) {
        return label.codePointCount(0, label.length()) <= LONGEST_LABEL
                ? label
                : label.substring(0, label.offsetByCodePoints(0, LONGEST_LABEL));
    }

    private static int within(float coordinate, int size) {
        return Math.clamp((int) coordinate, 0, size - 1);
    }

    /** Rec. 601 luma above 60 %. */
    private static boolean isBright(int colour) {
        return 299 * (colour >> 16 & 255) + 587 * (colour >> 8 & 255) + 114 * (colour & 255) > 153_000;
    }

    private static int fromHsv(double hue, double saturation, double value) {
        return channel(5, hue, saturation, value) << 16
                | channel(3, hue, saturation, value) << 8
                | channel(1, hue, saturation, value);
    }

    /** One channel of HSV to RGB: {@code v - v s max(0, min(k, 4 - k, 1))}, {@code k = (n + 6 h) mod 6}. */
    private static int channel(int n, double hue, double saturation, double value) {
        double k = (n + 6 * hue) % 6;
        return (int) Math.round(255 * (value - value * saturation * Math.max(0, Math.min(Math.min(k, 4 - k), 1))));
    }
}
