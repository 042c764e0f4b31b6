package dev.shrike.app.bench;

import dev.shrike.app.bench.harness.Pace;
import dev.shrike.app.bench.harness.Stopping;
import dev.shrike.app.bench.rivals.Rival;
import dev.shrike.calibration.quantize.BitWidths;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What one run of {@code shrike bench} is to do.
 *
 * @param models files or names of the models
 * @param engines names of Shrike's engines; none for the best one
 * @param precisions such as {@code float} and {@code w8a8}; none for the model's own
 * @param sizes sizes of the input; none for the model's own
 * @param threads numbers of worker threads, at least 1 each
 * @param batches images of a run
 * @param rivals engines of others
 * @param image what is looked at
 * @param how how it is measured
 * @param output where results go
 */
record BenchRequest(List<String> models, List<String> engines, List<String> precisions, List<Size> sizes,
        List<Integer> threads, List<Integer> batches, List<Rival> rivals, Optional<Path> image, How how,
        Output output) {
    /** The precision of networks that are not quantised. */
    static final String FLOAT = "float";

    BenchRequest {
        models = List.copyOf(models);
        engines = List.copyOf(engines);
        precisions = List.copyOf(precisions);
        sizes = List.copyOf(sizes);
        threads = List.copyOf(threads);
        batches = List.copyOf(batches);
        rivals = List.copyOf(rivals);
        Objects.requireNonNull(image, "image");
        Objects.requireNonNull(how, "how");
        Objects.requireNonNull(output, "output");
    }

    /** Size of an input in pixels; 0 for the model's own. */
    record Size(int width, int height) {}

    /**
     * How it is measured.
     *
     * @param pace when runs begin
     * @param stopping when it is enough
     * @param coldStarts processes that are started for each model; 0 for none
     * @param layers whether parts of the network are timed
     * @param tune whether built models get the kernels that are quickest here
     * @param strict whether a disturbed run is an error
     * @param modelsInTurn whether all models take turns, not only the engines of each
     */
    record How(Pace pace, Stopping stopping, int coldStarts, boolean layers, boolean tune, boolean strict,
            boolean modelsInTurn) {}

    /**
     * Where results go.
     *
     * @param json file, if any
     * @param csv file, if any
     * @param markdown file, if any
     * @param html file, if any
     * @param imports results of other tools
     * @param accuracies results of {@code shrike val --json}
     * @param showLayers whether the terminal's table has layers
     * @param quiet whether to print errors only
     * @param progress whether a progress bar is wanted
     */
    record Output(Optional<Path> json, Optional<Path> csv, Optional<Path> markdown, Optional<Path> html,
            List<Path> imports, List<Path> accuracies, boolean showLayers, boolean quiet, boolean progress) {}

    /** Whether a text names a precision. */
    static boolean isPrecision(String text) {
        if (text.equals(FLOAT)) {
            return true;
        }
        try {
            widths(text);
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /** The widths of a precision that is not float. */
    static BitWidths widths(String precision) {
        return BitWidths.symmetric(precision);
    }
}
