package dev.shrike.app.detect;

import dev.shrike.Detection;
import dev.shrike.Detections;
import java.util.Locale;

/** The text form in which YOLO keeps the boxes of one image. */
final class LabelFile {
    private LabelFile() {}

    /**
     * One line a detection, {@code class centre-x centre-y width height [score]}, boxes as shares of the image's
     * width and height; empty if nothing was seen.
     */
    static String text(Detections found, boolean withScore) {
        StringBuilder text = new StringBuilder();
        for (Detection d : found) {
            text.append(String.format(
                    Locale.ROOT,
                    "%d %.6f %.6f %.6f %.6f",
                    d.classId(),
                    (d.x1() + d.x2()) / 2.0 / found.width(),
                    (d.y1() + d.y2()) / 2.0 / found.height(),
                    d.width() / (double) found.width(),
                    d.height() / (double) found.height()));
            if (withScore) {
                text.append(String.format(Locale.ROOT, " %.6f", d.score()));
            }
            text.append('\n');
        }
        return text.toString();
    }
}
