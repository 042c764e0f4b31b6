package dev.shrike.app.prune;

import dev.shrike.calibration.prune.Budget;
import dev.shrike.calibration.prune.Criterion;
import dev.shrike.calibration.prune.LayerwiseReconstruction;
import dev.shrike.calibration.prune.UnitSelection;
import dev.shrike.calibration.prune.WeightPruning;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What one run of {@code shrike prune} is to do.
 *
 * @param model file or name
 * @param output file to write
 * @param what goes
 * @param repair how what is left is fitted to pictures; empty if it is not
 * @param seed of random choices
 * @param data where pictures are; empty for none
 * @param images most of them
 * @param strict whether a picture that cannot be read ends the run
 * @param crop side of the window of each, 0 for all of it
 * @param width of the input, 0 for the model's own; likewise the height
 * @param threads worker threads, 0 for one per processor
 * @param val data set to measure mAP on
 * @param report file for JSON
 * @param chart file for a picture
 * @param memory gigabytes to take
 * @param verbose whether to print all layers
 * @param quiet whether to print nothing
 * @param progress whether to draw a progress bar
 */
record PruneRequest(String model, Path output, What what, Optional<LayerwiseReconstruction.Options> repair, long seed,
        List<String> data, int images, boolean strict, int crop, int width, int height, int threads, Optional<Path> val,
        Optional<Path> report, Optional<Path> chart, double memory, boolean verbose, boolean quiet,
        boolean progress) {

    /** What goes. */
    sealed interface What {
        /**
         * Channels.
         *
         * @param readers whether they are judged by the weights that read them
         */
        record Channels(Criterion criterion, boolean readers, Budget budget, UnitSelection.Scope scope, double keep,
                int steps) implements What {}

        /** Weights, which become zero. */
        record Weights(WeightPruning.Pattern pattern) implements What {}

        /** That share of the residual branches. */
        record Branches(double share) implements What {}
    }
}
