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
        return text(TrackIds.Followed.none(found), withScore);
    }

    /** The same with the id of its track last in a line, if objects are followed. */
    static String text(TrackIds.Followed followed, boolean withScore) {
        Detections found = followed.found();
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < found.size(); i++) {
            Detection d = found.list().get(i);
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
            if (!followed.ids().isEmpty()) {
                text.append(' ').append(followed.ids().get(i));
            }
            text.append('\n');
        }
        return text.toString();
    }
}
