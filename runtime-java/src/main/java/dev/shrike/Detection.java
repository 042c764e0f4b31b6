package dev.shrike;

import java.util.Objects;

/**
 * One object found in a frame.
 *
 * @param classId index of the class in the model, from 0
 * @param label name of the class, or {@code "class<id>"} when the model names none
 * @param score confidence, 0 to 1
 * @param x1 left edge in pixels of the original frame
 * @param y1 top edge
 * @param x2 right edge, {@code x2 >= x1}
 * @param y2 bottom edge, {@code y2 >= y1}
 */
public record Detection(int classId, String label, float score, float x1, float y1, float x2, float y2) {
    public Detection {
        Objects.requireNonNull(label, "label");
        if (classId < 0) {
            throw new IllegalArgumentException("classId " + classId + " is negative");
        }
        if (!(score >= 0 && score <= 1)) {
            throw new IllegalArgumentException("score " + score + " is not within 0 to 1");
        }
        if (!(x2 >= x1) || !(y2 >= y1)) {
            throw new IllegalArgumentException("box [" + x1 + ", " + y1 + ", " + x2 + ", " + y2 + "] is inside out");
        }
    }

    /** Width of the box in pixels. */
    public float width() {
        return x2 - x1;
    }

    /** Height of the box in pixels. */
    public float height() {
        return y2 - y1;
    }

    /** Horizontal centre of the box in pixels of the frame. */
    public float centerX() {
        return (x1 + x2) / 2;
    }

    /** Vertical centre of the box in pixels of the frame. */
    public float centerY() {
        return (y1 + y2) / 2;
    }

    /**
     * Intersection over union with the other box, 0 to 1; 0 where they do not overlap or both are empty. Classes do
     * not matter.
     */
    public float iou(Detection other) {
        return iou(x1, y1, x2, y2, other.x1, other.y1, other.x2, other.y2);
    }

    static float iou(float ax1, float ay1, float ax2, float ay2, float bx1, float by1, float bx2, float by2) {
        float width = Math.min(ax2, bx2) - Math.max(ax1, bx1);
        float height = Math.min(ay2, by2) - Math.max(ay1, by1);
        if (!(width > 0 && height > 0)) {
            return 0;
        }
        float intersection = width * height;
        return intersection / ((ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - intersection);
    }
}
