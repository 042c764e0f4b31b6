package dev.shrike.training;

import java.util.List;
import java.util.Objects;

/**
 * The head of a detection network before any decoding: what a loss reads.
 *
 * <p>{@link Family#YOLOV5}: one value per stride, {@code [batch, anchors * (5 + classes), height, width]}, whose
 * channel
 * {@code a * (5 + classes) + v} is x, y, w, h, objectness or class {@code v - 5} of anchor {@code a}, before the
 * sigmoid.
 * {@link Family#YOLOV8}: two values per stride, first {@code [batch, 4 * bins, height, width]} with the distributions
 * of
 * left, top, right and bottom, then {@code [batch, classes, height, width]} with the classes, before the sigmoid.
 *
 * @param family how its values are read
 * @param classes number of classes
 * @param strides pixels of the input per cell, smallest first
 * @param anchors width and height in pixels of the input, stride by stride, w, h, w, h …; empty for YOLOv8
 * @param outputs names of the values: of each stride one (YOLOv5), or its boxes, then its classes (YOLOv8)
 */
public record DetectHead(
        Family family, int classes, List<Integer> strides, List<Float> anchors, List<String> outputs) {
    /** The families that can be trained. */
    public enum Family {
        /** With anchors and objectness. */
        YOLOV5(1),
        /** Without anchors; boxes are distributions over {@link #BINS} distances (DFL). */
        YOLOV8(2);

        private final int outputsPerStride;

        Family(int outputsPerStride) {
            this.outputsPerStride = outputsPerStride;
        }
    }

    /** Distances that a side of a YOLOv8 box is a distribution over, in cells: 0 to 15. */
    public static final int BINS = 16;

    public DetectHead {
        Objects.requireNonNull(family, "family");
        strides = List.copyOf(strides);
        anchors = List.copyOf(anchors);
        outputs = List.copyOf(outputs);
        if (classes < 1) {
            throw new IllegalArgumentException(classes + " classes");
        }
        if (strides.isEmpty() || outputs.size() != strides.size() * family.outputsPerStride) {
            throw new IllegalArgumentException(outputs.size() + " outputs for the strides " + strides);
        }
        boolean fits = family == Family.YOLOV8 ? anchors.isEmpty()
                : !anchors.isEmpty() && anchors.size() % (2 * strides.size()) == 0;
        if (!fits) {
            throw new IllegalArgumentException(anchors.size() + " sizes of anchors for the strides " + strides);
        }
    }

    /** Anchors of each stride; 0 for YOLOv8. */
    public int anchorsPerStride() {
        return anchors.size() / 2 / strides.size();
    }

    /** Whether both say the same in the same form, so that one can learn from the other value by value. */
    public boolean isLike(DetectHead other) {
        return family == other.family && classes == other.classes && strides.equals(other.strides)
                && anchors.equals(other.anchors);
    }
}
