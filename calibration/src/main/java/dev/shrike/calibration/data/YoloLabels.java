package dev.shrike.calibration.data;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;

/**
 * What a YOLO label file says: a line per object, {@code class x y width height} with the centre of the box, or
 * {@code class x1 y1 x2 y2 x3 y3 …} with an outline; all in parts of the image's size. Lines that occur twice count
 * once, as in YOLOv5.
 *
 * @param exists whether there is a file
 * @param boxes the objects in parts of the image's size
 * @param problems what is wrong; with a broken line it is not known what is in the image
 */
record YoloLabels(boolean exists, List<GroundTruth> boxes, List<Problem> problems) {
    private static final int BOX_VALUES = 5;
    private static final int LEAST_OUTLINE_VALUES = 7;
    /** How far beyond the image's edge a rounded centre or size may lie. */
    private static final double SLACK = 1e-3;

    /** A line that is no object. */
    private static final class LineException extends Exception {
        private static final long serialVersionUID = 1L;

        private final Problem.Kind kind;

        LineException(Problem.Kind kind, String message) {
            super(message, null, false, false);
            this.kind = kind;
        }
    }

    /** The labels in the file, of this many classes; none if there is no file. */
    static YoloLabels read(Path file, int classes) {
        if (Files.notExists(file)) {
            return new YoloLabels(false, List.of(), List.of());
        }
        List<Problem> problems = new ArrayList<>();
        LinkedHashSet<GroundTruth> boxes = new LinkedHashSet<>();
        List<String> lines;
        try {
            lines = TextFile.lines(file);
        } catch (DataSetException e) {
            return new YoloLabels(true, List.of(), List.of(
                    new Problem(Problem.Kind.UNREADABLE_LABELS, e.getMessage())));
        }
        for (int i = 0; i < lines.size(); i++) {
            String place = file + ":" + (i + 1) + ": ";
            try {
                if (!lines.get(i).isEmpty() && !boxes.add(box(lines.get(i), classes))) {
                    problems.add(new Problem(Problem.Kind.DUPLICATE, place + "is there before"));
                }
            } catch (LineException e) {
                problems.add(new Problem(e.kind, place + e.getMessage()));
            }
        }
        return new YoloLabels(true, List.copyOf(boxes), List.copyOf(problems));
    }

    /** Whether the objects are all that are in the image, as far as the file says. */
    boolean areSound() {
        return problems.stream().noneMatch(problem -> problem.kind().isFatal());
    }

    private static GroundTruth box(String line, int classes) throws LineException {
        String[] texts = line.split("\\s+");
        boolean outline = texts.length >= LEAST_OUTLINE_VALUES && texts.length % 2 == 1;
        if (texts.length != BOX_VALUES && !outline) {
            throw new LineException(Problem.Kind.WRONG_COLUMNS, "has " + texts.length
                    + (texts.length == 1 ? " value" : " values")
                    + "; a box has 5: class, centre x and y, width, height"
                    + (texts.length == BOX_VALUES + 1 ? " (and no score)" : ""));
        }
        double[] values = new double[texts.length];
        for (int i = 0; i < texts.length; i++) {
            values[i] = value(texts[i], i);
        }
        if (values[0] != Math.rint(values[0]) || values[0] >= classes) {
            throw new LineException(Problem.Kind.UNKNOWN_CLASS,
                    "class " + texts[0] + " is none of the " + classes + " that 'names' has");
        }
        return outline ? enclosing((int) values[0], values) : centred((int) values[0], values);
    }

    private static double value(String text, int index) throws LineException {
        double value;
        try {
            value = Double.parseDouble(text);
        } catch (NumberFormatException e) {
            value = Double.NaN;
        }
        if (Double.isNaN(value)) {
            throw new LineException(Problem.Kind.NO_NUMBER, "'" + shortened(text) + "' is no number");
        }
        if (index == 0 && !(value >= 0 && Double.isFinite(value))) {
            throw new LineException(Problem.Kind.UNKNOWN_CLASS, shortened(text) + " is no class");
        }
        if (index > 0 && !(value >= -SLACK && value <= 1 + SLACK)) {
            throw new LineException(Problem.Kind.OUT_OF_RANGE,
                    shortened(text) + " is not within 0 to 1, the parts of the image's size");
        }
        return value;
    }

    private static String shortened(String text) {
        return text.length() <= 40 ? text : text.substring(0, 40) + "…";
    }

    private static GroundTruth centred(int classId, double[] values) {
        double width = Math.max(0, values[3]);
        double height = Math.max(0, values[4]);
        return GroundTruth.of(classId, values[1] - width / 2, values[2] - height / 2, width, height);
    }

    private static GroundTruth enclosing(int classId, double[] values) {
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
        return GroundTruth.of(classId, left, top, right - left, bottom - top);
    }
}
