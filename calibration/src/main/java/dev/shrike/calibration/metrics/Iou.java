package dev.shrike.calibration.metrics;

import dev.shrike.calibration.data.Prediction;
import dev.shrike.calibration.data.GroundTruth;

/** Overlap of two boxes. */
final class Iou {
    private Iou() {}

    /**
     * Intersection over union, 0 to 1; with a crowd, intersection over the area of the found box, so that one member of
     * the crowd is wholly within it (COCO's definition).
     */
    static double of(Prediction found, GroundTruth truth) {
        double width = Math.min(found.x() + found.width(), truth.x() + truth.width()) - Math.max(found.x(), truth.x());
        double height =
                Math.min(found.y() + found.height(), truth.y() + truth.height()) - Math.max(found.y(), truth.y());
        if (width <= 0 || height <= 0) {
            return 0;
        }
        double intersection = width * height;
        double foundArea = found.width() * found.height();
        double union = truth.crowd() ? foundArea : foundArea + truth.width() * truth.height() - intersection;
        return intersection / union;
    }
}
