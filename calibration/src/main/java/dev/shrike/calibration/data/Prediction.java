package dev.shrike.calibration.data;

import dev.shrike.Detection;

/**
 * One object that a model claims to have found, in pixels of the image.
 *
 * @param classId position of its category in {@link DataSet#categories()}
 * @param score confidence
 * @param x left edge
 * @param y top edge
 * @param width width, not negative
 * @param height height, not negative
 */
public record Prediction(int classId, double score, double x, double y, double width, double height) {
    private static final double BOX_UNIT = 1e3;
    private static final double SCORE_UNIT = 1e6;

    public Prediction {
        boolean sized = width >= 0 && height >= 0 && Double.isFinite(width * height);
        if (classId < 0 || !Double.isFinite(score) || !Double.isFinite(x + y) || !sized) {
            throw new IllegalArgumentException("class " + classId + ", score " + score + ", box [" + x + ", " + y + ", "
                    + width + ", " + height + "]");
        }
    }

    /**
     * A detection as a results file holds it, boxes to a thousandth of a pixel and scores to a millionth: measuring it
     * at once or reading it back from the file gives the same figures.
     */
    public static Prediction of(Detection found, int classId) {
        double x = rounded(found.x1(), BOX_UNIT);
        double y = rounded(found.y1(), BOX_UNIT);
        return new Prediction(
                classId,
                rounded(found.score(), SCORE_UNIT),
                x,
                y,
                rounded((double) found.x2() - found.x1(), BOX_UNIT),
                rounded((double) found.y2() - found.y1(), BOX_UNIT));
    }

    private static double rounded(double value, double unit) {
        return Math.rint(value * unit) / unit;
    }
}
