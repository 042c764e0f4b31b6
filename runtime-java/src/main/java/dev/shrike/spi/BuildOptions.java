package dev.shrike.spi;

import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * How to build a file.
 *
 * @param tune whether to measure on this machine which kernel is quickest for each layer, and to keep that in the file
 * @param threads worker threads to tune for; 0 takes one per processor
 * @param kernel the one kernel to use wherever it can be used, of those that {@link Backend#kernels} names; empty for
 *     the engine's own choice. With a kernel nothing is measured
 * @param progress told how far tuning has come
 * @param batches sizes of the batch to build for, if the model leaves that open and the engine runs batches; empty for
 *     the engine's own
 * @param calibration images to find ranges on, for engines that do so while they build; empty for the engine's own
 */
public record BuildOptions(
        boolean tune,
        int threads,
        String kernel,
        Progress progress,
        Optional<BatchProfile> batches,
        Optional<Calibration> calibration) {
    /** The engine's own choice of kernels, nothing measured. */
    public static final BuildOptions UNTUNED =
            new BuildOptions(false, 0, "", Progress.NONE, Optional.empty(), Optional.empty());

    /** Measured on this machine for one thread per processor. */
    public static final BuildOptions TUNED =
            new BuildOptions(true, 0, "", Progress.NONE, Optional.empty(), Optional.empty());

    /** Hears how far something that takes seconds has come. */
    @FunctionalInterface
    public interface Progress {
        /** Nobody listens. */
        Progress NONE = (_, _, _) -> {};

        /** {@code done} of {@code total} parts of {@code what} are done. */
        void at(String what, int done, int total);
    }

    /**
     * Images to find ranges on.
     *
     * @param folder where they are
     * @param most most images to take, at least 1
     */
    public record Calibration(Path folder, int most) {
        public Calibration {
            Objects.requireNonNull(folder, "folder");
            if (most < 1) {
                throw new IllegalArgumentException("calibration with at most " + most + " images");
            }
        }
    }

    public BuildOptions {
        Objects.requireNonNull(batches, "batches");
        Objects.requireNonNull(calibration, "calibration");
        if (threads < 0 || threads > 256) {
            throw new IllegalArgumentException("number of threads " + threads + " is not within 0 to 256");
        }
        Objects.requireNonNull(kernel, "kernel");
        Objects.requireNonNull(progress, "progress");
    }

    /** The same for another number of threads. */
    public BuildOptions withThreads(int count) {
        return new BuildOptions(tune, count, kernel, progress, batches, calibration);
    }

    /** The same with one kernel wherever it can be used. */
    public BuildOptions withKernel(String name) {
        return new BuildOptions(tune, threads, name, progress, batches, calibration);
    }

    /** The same, telling somebody how far it has come. */
    public BuildOptions withProgress(Progress listener) {
        return new BuildOptions(tune, threads, kernel, listener, batches, calibration);
    }

    /** The same for batches of these sizes. */
    public BuildOptions withBatches(BatchProfile sizes) {
        return new BuildOptions(tune, threads, kernel, progress, Optional.of(sizes), calibration);
    }

    /** The same with ranges from these images. */
    public BuildOptions withCalibration(Calibration images) {
        return new BuildOptions(tune, threads, kernel, progress, batches, Optional.of(images));
    }
}
