package dev.shrike.app.train;

import dev.shrike.training.PruneSchedule;
import dev.shrike.training.TrainingOptions;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What one run of {@code shrike train} is to do.
 *
 * @param model file or name
 * @param data images to learn
 * @param val images to measure with; empty for the part of {@code data} that is for that
 * @param output file for the best network
 * @param options how it is trained
 * @param schedule rounds of pruning; empty for none
 * @param labels whether labels are learned
 * @param quiet whether to print nothing
 * @param progress whether to draw a progress bar
 */
record TrainRequest(String model, Path data, Optional<Path> val, Path output, TrainingOptions options,
        Optional<PruneSchedule> schedule, boolean labels, boolean quiet, boolean progress) {}
