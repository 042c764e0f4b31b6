package dev.shrike.app.detect;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.Frame;
import dev.shrike.files.PrintableText;
import dev.shrike.vision.Images;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Writes the part of an image around each object, {@code crops/CLASS/IMAGE.jpg}, {@code IMAGE2.jpg}, …, with the
 * margins of YOLOv5's {@code save_one_box}: 2 % and 10 pixels more than the box.
 */
final class Crops {
    private static final double GAIN = 1.02;
    private static final int MORE_PIXELS = 10;
    private static final int LONGEST_NAME = 200;

    private final RunFolder folder;
    private final Map<String, Integer> written = new HashMap<>();

    Crops(RunFolder folder) {
        this.folder = folder;
    }

    /** Writes those of one image, best first. */
    void write(Frame frame, Detections found, String stem) {
        for (Detection detection : found) {
            String name = folderName(detection);
            int number = written.merge(name + '/' + stem, 1, Integer::sum);
            Path file = folder.file("crops/" + name, stem + (number == 1 ? "" : Integer.toString(number)) + ".jpg");
            Images.write(crop(frame, detection), file);
        }
    }

    static Frame crop(Frame frame, Detection detection) {
        double halfWidth = (detection.width() * GAIN + MORE_PIXELS) / 2;
        double halfHeight = (detection.height() * GAIN + MORE_PIXELS) / 2;
        double x = (detection.x1() + detection.x2()) / 2.0;
        double y = (detection.y1() + detection.y2()) / 2.0;
        return Images.crop(
                frame,
                Math.clamp((int) (x - halfWidth), 0, frame.width() - 1),
                Math.clamp((int) (y - halfHeight), 0, frame.height() - 1),
                Math.clamp((int) (x + halfWidth), 1, frame.width()),
                Math.clamp((int) (y + halfHeight), 1, frame.height()));
    }

    /** A name of a folder for a class: whatever a model calls it, it is one folder below crops. */
    static String folderName(Detection detection) {
        String name = PrintableText.of(detection.label()).replace('/', '_').replace('\\', '_').strip();
        while (name.getBytes(StandardCharsets.UTF_8).length > LONGEST_NAME) {
            name = name.substring(0, name.offsetByCodePoints(name.length(), -1));
        }
        return name.isEmpty() || name.chars().allMatch(c -> c == '.') ? "class" + detection.classId() : name;
    }
}
