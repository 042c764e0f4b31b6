package dev.shrike.app.val;

import dev.shrike.DetectorOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/**
 * What one run of {@code shrike val} is to do.
 *
 * @param data where the data set is
 * @param results file of detections to measure, or null to run a model
 * @param weights file or name of the model
 * @param options how to detect
 * @param saving what to write to disk
 * @param showing what to print
 * @param augment whether to run on each image in three sizes
 */
record ValRequest(
        Data data,
        Path results,
        String weights,
        DetectorOptions options,
        Saving saving,
        Showing showing,
        boolean augment) {
    ValRequest {
        Objects.requireNonNull(data, "data");
        Objects.requireNonNull(weights, "weights");
        Objects.requireNonNull(options, "options");
        Objects.requireNonNull(saving, "saving");
        Objects.requireNonNull(showing, "showing");
    }

    /**
     * What to print.
     *
     * @param verbose whether to tell about each class
     * @param json whether to print JSON
     * @param progress whether a progress bar is wanted
     * @param notes what to say about options that change nothing, by the engine that runs
     */
    record Showing(boolean verbose, boolean json, boolean progress, Function<String, List<String>> notes) {
        Showing {
            Objects.requireNonNull(notes, "notes");
        }
    }

    /**
     * Where the data set is.
     *
     * @param path a folder, COCO JSON or data.yaml
     * @param images folder of the images, or null to look for it
     * @param split part of a data.yaml
     * @param strict whether anything broken ends the run
     * @param classesByOrder whether classes are matched by order, not by name
     */
    record Data(Path path, Path images, String split, boolean strict, boolean classesByOrder) {}

    /**
     * What to write, and where.
     *
     * @param images whether to write curves and matrix
     * @param results whether to write the detections
     * @param project folder of the run's folder
     * @param name name of the run's folder
     * @param reuse whether the run's folder may exist
     */
    record Saving(boolean images, boolean results, Path project, String name, boolean reuse) {
        /** Whether the run needs a folder. */
        boolean any() {
            return images || results;
        }
    }
}
