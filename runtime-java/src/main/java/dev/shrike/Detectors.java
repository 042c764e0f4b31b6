package dev.shrike;

import java.nio.file.Path;

/** Opens detectors. */
public final class Detectors {
    private Detectors() {}

    /** A detector for the model file with default options. */
    public static Detector open(Path model) {
        return open(model, DetectorOptions.DEFAULT);
    }

    /** A detector for the model file. */
    public static Detector open(Path model, DetectorOptions options) {
        throw new UnsupportedOperationException("placeholder until the detector lands: " + model + options);
    }
}
