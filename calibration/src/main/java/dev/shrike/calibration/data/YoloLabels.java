package dev.shrike.calibration.data;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;

/**
 * Reads YOLO label files: a line per object, {@code class x y width height} with the centre of the box, or
 * {@code class x1 y1 x2 y2 x3 y3 …} with an outline; all in parts of the picture's size. Lines that occur twice count
 * once, as in YOLOv5.
 */
final class YoloLabels {
    private static final int BOX_VALUES = 5;
    private static final int LEAST_OUTLINE_VALUES = 7;
    /** How far beyond the picture's edge a rounded centre or size may lie. */
    private static final double SLACK = 1e-3;

    private YoloLabels() {}

    /**
     * The objects of the file in parts of the picture's size; none if there is no file.
     *
     * @throws DataSetException if a line is broken; names the file and the line
     */
    static List<TrueBox> read(Path file, int classes) {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (CharacterCodingException e) {
            throw new DataSetException(file + ": is no text in UTF-8", e);
        } catch (IOException e) {
            throw new DataSetException(file + ": cannot be read: " + e, e);
        }
        LinkedHashSet<TrueBox> boxes = new LinkedHashSet<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (!line.isEmpty()) {
                boxes.add(box(line, file + ":" + (i + 1), classes));
            }
        }
        return new ArrayList<>(boxes);
    }

    private static TrueBox box(String line, String place, int classes) {
        String[] texts = line.split("\\s+");
        boolean outline = texts.length >= LEAST_OUTLINE_VALUES && texts.length % 2 == 1;
        if (texts.length != BOX_VALUES && !outline) {
            throw new DataSetException(place + ": has " + texts.length
                    + " values; a box has 5: class, centre x and y, width, height");
        }
        double[] values = new double[texts.length];
        for (int i = 0; i < texts.length; i++) {
            values[i] = value(texts[i], i, place);
        }
        if (values[0] != Math.rint(values[0]) || values[0] >= classes) {
            throw new DataSetException(
                    place + ": class " + texts[0] + " is none of the " + classes + " that 'names' has");
        }
        return outline ? enclosing((int) values[0], values) : centred((int) values[0], values);
    }

    private static double value(String text, int index, String place) {
        double value;
        try {
            value = Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw new DataSetException(place + ": '" + text + "' is no number", e);
        }
        if (index == 0 ? !(value >= 0 && Double.isFinite(value)) : !(value >= -SLACK && value <= 1 + SLACK)) {
            throw new DataSetException(place + ": " + text
                    + (index == 0 ? " is no class" : " is not within 0 to 1, the parts of the picture's size"));
        }
        return value;
    }

    private static TrueBox centred(int classId, double[] values) {
        double width = Math.max(0, values[3]);
        double height = Math.max(0, values[4]);
        return TrueBox.of(classId, values[1] - width / 2, values[2] - height / 2, width, height);
    }

    private static TrueBox enclosing(int classId, double[] values) {
        double left = Double.POSITIVE_INFINITY;
        double top = Double.POSITIVE_INFINITY;
        double right = Double.NEGATIVE_INFINITY;
        double bottom = Double.NEGATIVE_INFINITY;
        for (int i = 1; i < values.length; i += 2) {
            left = Math.min(left, values[i]);
            right = Math.max(right, values[i]);
            top = Math.min(top, values[i + 1]);
            bottom = Math.max(bottom, values[i + 1]);
        }
        return TrueBox.of(classId, left, top, right - left, bottom - top);
    }
}
