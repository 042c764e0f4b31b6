package dev.shrike.calibration.data;

/**
 * One object that is known to be in an image, in pixels of the image.
 *
 * @param classId position of its category in {@link DataSet#categories()}
 * @param x left edge
 * @param y top edge
 * @param width width, not negative
 * @param height height, not negative
 * @param area area by which COCO calls it small, medium or large: of the outline where there is one, else of the box
 * @param crowd whether it stands for a group: what is found in it is neither right nor wrong
 */
public record GroundTruth(int classId, double x, double y, double width, double height, double area, boolean crowd) {
    public GroundTruth {
        boolean finite = Double.isFinite(x) && Double.isFinite(y);
        boolean sized = width >= 0 && height >= 0 && area >= 0 && Double.isFinite(width * height + area);
        if (classId < 0 || !finite || !sized) {
            throw new IllegalArgumentException(
                    "class " + classId + ", box [" + x + ", " + y + ", " + width + ", " + height + "], area " + area);
        }
    }

    /** A single object whose area is that of its box. */
    public static GroundTruth of(int classId, double x, double y, double width, double height) {
        return new GroundTruth(classId, x, y, width, height, width * height, false);
    }
}
