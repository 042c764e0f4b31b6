package dev.shrike.calibration.metrics;

import java.util.List;

/**
 * What YOLOv5's {@code val.py} prints and draws. Means are over the classes that have objects; a class of which nothing
 * was found counts with 0. Crowds are left out, as in the label files that YOLOv5 made of COCO.
 *
 * @param images number of images
 * @param objects number of objects
 * @param confidence the score threshold with the best mean F1, which precision and recall are for
 * @param precision mean precision at IoU 0.5
 * @param recall mean recall at IoU 0.5
 * @param map50 mean AP at IoU 0.5
 * @param map mean AP over the IoU thresholds 0.50, 0.55 … 0.95
 * @param classes figures of the classes that have objects, by ascending class id
 */
public record YoloMetrics(
        int images,
        int objects,
        double confidence,
        double precision,
        double recall,
        double map50,
        double map,
        List<OfClass> classes) {
    public YoloMetrics {
        classes = List.copyOf(classes);
    }

    /**
     * Figures of one class.
     *
     * @param classId its id
     * @param images images with such an object
     * @param objects number of such objects
     * @param precision precision at IoU 0.5 and the common confidence threshold
     * @param recall recall, likewise
     * @param ap50 AP at IoU 0.5
     * @param ap AP over the IoU thresholds
     * @param curves its curves at IoU 0.5; null if nothing was found of it
     */
    public record OfClass(
            int classId,
            int images,
            int objects,
            double precision,
            double recall,
            double ap50,
            double ap,
            Curves curves) {}

    /**
     * Curves of one class at IoU 0.5, each sampled at {@link #POINTS} positions from 0 to 1.
     *
     * @param precisionByRecall best precision at that recall or a higher one
     * @param precision precision of the detections with at least that score
     * @param recall recall of the detections with at least that score
     */
    public record Curves(double[] precisionByRecall, double[] precision, double[] recall) {
        /** Number of samples of each curve. */
        public static final int POINTS = 1000;

        /** The harmonic mean of precision and recall, by score. */
        public double[] f1() {
            double[] f1 = new double[POINTS];
            for (int i = 0; i < POINTS; i++) {
                f1[i] = 2 * precision[i] * recall[i] / (precision[i] + recall[i] + 1e-16);
            }
            return f1;
        }
    }
}
