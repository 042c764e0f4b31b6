package dev.shrike.app.detect;

import dev.shrike.DetectorOptions;
import dev.shrike.sources.SourceOptions;
import dev.shrike.vision.DrawingStyle;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/**
 * What one run of {@code shrike detect} is to do.
 *
 * @param weights file or name of the model
 * @param sources images, folders and globs; none means the sample photographs
 * @param options how to detect; classes by name are not among them, and the score is that to report
 * @param reading what to make of the model
 * @param moving how videos, cameras and streams are read
 * @param saving what to write to disk
 * @param showing what to print
 */
record DetectRequest(
        String weights,
        List<String> sources,
        DetectorOptions options,
        ModelReading reading,
        Moving moving,
        Saving saving,
        Showing showing) {
    DetectRequest {
        Objects.requireNonNull(weights, "weights");
        sources = List.copyOf(sources);
        Objects.requireNonNull(options, "options");
        Objects.requireNonNull(reading, "reading");
        Objects.requireNonNull(moving, "moving");
        Objects.requireNonNull(saving, "saving");
        Objects.requireNonNull(showing, "showing");
    }

    /**
     * How videos, cameras and streams are read.
     *
     * @param options of the sources; credentials among them
     * @param stride every how many frames one is looked at
     * @param track whether objects are followed
     * @param view whether a page shows what is seen
     * @param viewPort TCP port of that page; 0 for a free one
     */
    record Moving(SourceOptions options, int stride, boolean track, boolean view, int viewPort) {
        Moving {
            Objects.requireNonNull(options, "options");
        }
    }

    /**
     * What to print.
     *
     * @param json whether to print JSON lines
     * @param quiet whether to print errors only
     * @param progress whether a progress bar is wanted
     * @param notes what to say about options that change nothing, by the engine that runs
     */
    record Showing(boolean json, boolean quiet, boolean progress, Function<String, List<String>> notes) {
        Showing {
            Objects.requireNonNull(notes, "notes");
        }
    }

    /**
     * What to write, and where.
     *
     * @param images whether to write images with the boxes drawn
     * @param style how boxes are drawn
     * @param labels whether to write label files
     * @param scores whether label files have scores
     * @param crops whether to write the part of the image around each object
     * @param csv whether to write predictions.csv
     * @param folder where to
     */
    record Saving(boolean images, DrawingStyle style, boolean labels, boolean scores, boolean crops, boolean csv,
            Folder folder) {
        Saving {
            Objects.requireNonNull(style, "style");
            Objects.requireNonNull(folder, "folder");
        }

        /** Whether the run needs a folder. */
        boolean any() {
            return images || labels || crops || csv;
        }
    }

    /**
     * The folder of a run.
     *
     * @param project the folder that it is in
     * @param name its name
     * @param reuse whether it may exist
     */
    record Folder(Path project, String name, boolean reuse) {
        Folder {
            Objects.requireNonNull(project, "project");
            Objects.requireNonNull(name, "name");
        }
    }
}
