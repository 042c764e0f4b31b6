package dev.shrike.calibration.metrics;

import dev.shrike.calibration.data.Prediction;
import dev.shrike.calibration.data.GroundTruth;
import java.util.List;

/**
 * One image: what is in it and what was found.
 *
 * @param truth the objects
 * @param found the detections; between equal scores the earlier one counts as the better
 */
public record ImageResult(List<GroundTruth> truth, List<Prediction> found) {
    public ImageResult {
        truth = List.copyOf(truth);
        found = List.copyOf(found);
    }
}
