package dev.shrike.vision;

/**
 * How boxes are drawn.
 *
 * @param lineThickness thickness of a box's line in pixels; 0 takes 0.3 % of the image's mean side, at least 2
 * @param labels whether a box has the name of its class
 * @param scores whether the name has the score beside it
 */
public record DrawingStyle(int lineThickness, boolean labels, boolean scores) {
    /** Thickest line in pixels. */
    public static final int THICKEST = 100;

    /** Lines by the size of the image, names and scores. */
    public static final DrawingStyle DEFAULT = new DrawingStyle(0, true, true);

    public DrawingStyle {
        if (lineThickness < 0 || lineThickness > THICKEST) {
            throw new IllegalArgumentException("line thickness " + lineThickness + " is not within 0 to " + THICKEST);
        }
    }
}
