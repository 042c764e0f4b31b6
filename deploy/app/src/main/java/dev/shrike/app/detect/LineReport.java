package dev.shrike.app.detect;

import dev.shrike.Detections;
import dev.shrike.app.Console;
import java.nio.file.Path;
import java.util.Locale;

/** One line an image in the manner of YOLOv5: number, name, size of the image, objects, time of all stages. */
record LineReport(Console console) implements Report {
    @Override
    public void image(int index, int count, Path image, Detections found) {
        console.line(String.format(
                Locale.ROOT,
                "image %d/%d %s: %dx%d %s, %.1fms",
                index + 1,
                count,
                image,
                found.width(),
                found.height(),
                Report.describe(found),
                found.times().total() / 1e6));
    }

    @Override
    public void summary(Totals totals) {
        console.line(speed(totals));
    }

    static String speed(Totals totals) {
        double each = 1e6 * Math.max(1, totals.images());
        return String.format(
                Locale.ROOT,
                "Speed: %.1fms pre-process, %.1fms inference, %.1fms NMS per image",
                totals.times().letterbox() / each,
                totals.times().network() / each,
                totals.times().decode() / each);
    }
}
