package dev.shrike.app.prune;

import dev.shrike.calibration.prune.Budget;
import dev.shrike.calibration.prune.Criterion;
import dev.shrike.calibration.prune.LayerwiseReconstruction;
import dev.shrike.calibration.prune.Pruner;
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
 * @param repair how what is left is fitted to images; empty if it is not
 * @param seed of random choices
 * @param data where images are; empty for none
 * @param images most of them
 * @param strict whether an image that cannot be read ends the run
 * @param crop side of the window of each, 0 for all of it
 * @param width of the input, 0 for the model's own; likewise the height
 * @param threads worker threads, 0 for one per processor
 * @param val data set to measure mAP on
 * @param report file for JSON
 * @param chart file for an image
 * @param memory gigabytes to take
 * @param latencies file of the table of latencies
 * @param front file for the front of an evolution as JSON; likewise its image
 * @param verbose whether to print all layers
 * @param quiet whether to print nothing
 * @param progress whether to draw a progress bar
 */
record PruneRequest(String model, Path output, What what, Optional<LayerwiseReconstruction.Options> repair, long seed,
        List<String> data, int images, boolean strict, int crop, int width, int height, int threads, Optional<Path> val,
        Optional<Path> report, Optional<Path> chart, double memory, Optional<Path> latencies,
        Optional<Path> front, Optional<Path> frontChart, boolean verbose, boolean quiet, boolean progress) {

    /** What goes. */
    sealed interface What {
        /**
         * Channels.
         *
         * @param readers whether they are judged by the weights that read them
         */
        record Channels(Criterion criterion, boolean readers, Budget budget, UnitSelection.Scope scope, double keep,
                int steps, Pruner.Search search) implements What {}

        /** Weights, which become zero. */
        record Weights(WeightPruning.Pattern pattern) implements What {}

        /** That share of the residual branches. */
        record Branches(double share) implements What {}
    }
}
