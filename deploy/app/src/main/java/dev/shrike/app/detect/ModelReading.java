package dev.shrike.app.detect;

import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * What to make of a model.
 *
 * @param classes classes to report
 * @param data the data.yaml with names for a model that has none
 * @param augment whether to run on each image in three sizes
 */
record ModelReading(ClassChoice classes, Optional<Path> data, boolean augment) {
    ModelReading {
        Objects.requireNonNull(classes, "classes");
        Objects.requireNonNull(data, "data");
    }
}
