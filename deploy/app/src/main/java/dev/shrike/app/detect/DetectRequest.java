package dev.shrike.app.detect;

import dev.shrike.DetectorOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * What one run of {@code shrike detect} is to do.
 *
 * @param weights file or name of the model
 * @param sources pictures, folders and globs; none means the sample photographs
 * @param options how to detect
 * @param saving what to write to disk
 * @param json whether to print JSON lines
 * @param quiet whether to print errors only
 * @param progress whether a progress bar is wanted
 */
record DetectRequest(
        String weights,
        List<String> sources,
        DetectorOptions options,
        Saving saving,
        boolean json,
        boolean quiet,
        boolean progress) {
    DetectRequest {
        Objects.requireNonNull(weights, "weights");
        sources = List.copyOf(sources);
        Objects.requireNonNull(options, "options");
        Objects.requireNonNull(saving, "saving");
    }

    /**
     * What to write, and where.
     *
     * @param pictures whether to write pictures with the boxes drawn
     * @param labels whether to write label files
     * @param scores whether label files have scores
     * @param project folder of the run's folder
     * @param name name of the run's folder
     * @param reuse whether the run's folder may exist
     */
    record Saving(boolean pictures, boolean labels, boolean scores, Path project, String name, boolean reuse) {
        /** Whether the run needs a folder. */
        boolean any() {
            return pictures || labels;
        }
    }
}
