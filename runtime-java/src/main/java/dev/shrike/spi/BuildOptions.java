package dev.shrike.spi;

import java.util.Objects;

/**
 * How to build a file.
 *
 * @param tune whether to measure on this machine which kernel is quickest for each layer, and to keep that in the file
 * @param threads worker threads to tune for; 0 takes one per processor
 * @param kernel the one kernel to use wherever it can be used, of those that {@link Backend#kernels} names; empty for
 *     the engine's own choice. With a kernel nothing is measured
 * @param progress told how far tuning has come
 */
public record BuildOptions(boolean tune, int threads, String kernel, Progress progress) {
    /** The engine's own choice of kernels, nothing measured. */
    public static final BuildOptions UNTUNED = new BuildOptions(false, 0, "", Progress.NONE);

    /** Measured on this machine for one thread per processor. */
    public static final BuildOptions TUNED = new BuildOptions(true, 0, "", Progress.NONE);

    /** Hears how far something that takes seconds has come. */
    @FunctionalInterface
    public interface Progress {
        /** Nobody listens. */
        Progress NONE = (_, _, _) -> {};

        /** {@code done} of {@code total} parts of {@code what} are done. */
        void at(String what, int done, int total);
    }

    public BuildOptions {
        if (threads < 0 || threads > 256) {
            throw new IllegalArgumentException("number of threads " + threads + " is not within 0 to 256");
        }
        Objects.requireNonNull(kernel, "kernel");
        Objects.requireNonNull(progress, "progress");
    }

    /** The same for another number of threads. */
    public BuildOptions withThreads(int count) {
        return new BuildOptions(tune, count, kernel, progress);
    }

    /** The same with one kernel wherever it can be used. */
    public BuildOptions withKernel(String name) {
        return new BuildOptions(tune, threads, name, progress);
    }

    /** The same, telling somebody how far it has come. */
    public BuildOptions withProgress(Progress listener) {
        return new BuildOptions(tune, threads, kernel, listener);
    }
}
