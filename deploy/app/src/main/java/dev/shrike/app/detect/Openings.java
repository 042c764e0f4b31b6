package dev.shrike.app.detect;

import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.Detectors;
import dev.shrike.app.UsageException;
import dev.shrike.vision.Letterbox;
import java.nio.file.Path;

/** Opens detectors as command lines ask for them. */
public final class Openings {
    private Openings() {}

    /**
     * A detector for the model.
     *
     * @param file of the model
     * @param weights name or file of the model, as it was given
     * @param augment whether to run on each image in three sizes
     */
    public static Detector open(Path file, String weights, DetectorOptions options, boolean augment, ModelStore store) {
        try {
            return Letterbox.whileLoading(() -> augment
                    ? Detectors.openAugmented((width, height) -> Weights.resolve(weights, width, height, store),
                            options)
                    : Detectors.open(file, options));
        } catch (IllegalArgumentException e) {
            throw new UsageException(e.getMessage(), e);
        }
    }
}
