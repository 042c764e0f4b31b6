package dev.shrike.calibration.metrics;

import dev.shrike.calibration.data.FoundBox;
import dev.shrike.calibration.data.TrueBox;
import java.util.List;

/**
 * One picture: what is in it and what was found.
 *
 * @param truth the objects
 * @param found the detections; between equal scores the earlier one counts as the better
 */
public record Scene(List<TrueBox> truth, List<FoundBox> found) {
    public Scene {
        truth = List.copyOf(truth);
        found = List.copyOf(found);
    }
}
