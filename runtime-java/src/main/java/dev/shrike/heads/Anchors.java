package dev.shrike.heads;

import dev.shrike.ModelException;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Widths and heights of anchor boxes in pixels of the input, smallest stride first: w, h, w, h … */
public final class Anchors {
    private static final Pattern NUMBER = Pattern.compile("[-+]?\\d+(\\.\\d*)?([eE][-+]?\\d+)?");

    /** The anchors of the YOLOv5 models trained on COCO with strides 8, 16, 32. */
    private static final float[] COCO_P5 = {
            10, 13, 16, 30, 33, 23,
            30, 61, 62, 45, 59, 119,
            116, 90, 156, 198, 373, 326
    };

    /** The anchors of the YOLOv5 models trained on COCO with strides 8, 16, 32, 64. */
    private static final float[] COCO_P6 = {
            19, 27, 44, 40, 38, 94,
            96, 68, 86, 152, 180, 137,
            140, 301, 303, 264, 238, 542,
            436, 615, 739, 380, 925, 792
    };

    private Anchors() {}

    /** The anchors of a model that says nothing about them, if its strides are those of the models of YOLOv5. */
    public static Optional<float[]> standard(List<Integer> strides) {
        if (strides.equals(List.of(8, 16, 32))) {
            return Optional.of(COCO_P5.clone());
        }
        return strides.equals(List.of(8, 16, 32, 64)) ? Optional.of(COCO_P6.clone()) : Optional.empty();
    }

    /**
     * The numbers of a list of any nesting.
     *
     * @throws ModelException if they are not positive, or another number than that of so many anchors
     */
    public static float[] parse(String text, int anchors) {
        float[] values = new float[2 * anchors];
        int count = 0;
        Matcher matcher = NUMBER.matcher(text);
        while (matcher.find()) {
            if (count == values.length) {
                throw wrong(text, anchors);
            }
            values[count++] = Float.parseFloat(matcher.group());
        }
        if (count != values.length || !allPositive(values)) {
            throw wrong(text, anchors);
        }
        return values;
    }

    private static boolean allPositive(float[] values) {
        for (float value : values) {
            if (!(value > 0 && value <= Short.MAX_VALUE)) {
                return false;
            }
        }
        return true;
    }

    private static ModelException wrong(String text, int anchors) {
        String shown = text.length() > 200 ? text.substring(0, 200) + "…" : text;
        return new ModelException("'anchors' must hold " + anchors + " pairs of positive numbers, found: "
                + shown);
    }
}
