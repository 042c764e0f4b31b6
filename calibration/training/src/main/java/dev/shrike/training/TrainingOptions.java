package dev.shrike.training;

import dev.shrike.training.data.Augmentation;
import java.util.Objects;

/**
 * How a network is trained.
 *
 * @param width columns of the input, 0 for the network's own; likewise the height
 * @param schedule how long and how fast
 * @param freeze number of modules at the beginning that do not learn
 * @param augmentation how images are changed
 * @param plainEpochs last epochs without mosaics
 * @param seed of everything random
 * @param threads worker threads
 * @param device {@code cpu} or {@code cuda}
 * @param resume whether a run that stopped goes on
 * @param fetch whether PyTorch may be fetched
 * @param methods what it does beside learning labels
 */
public record TrainingOptions(int width, int height, LearningSchedule schedule, int freeze, Augmentation augmentation,
        int plainEpochs, long seed, int threads, String device, boolean resume, boolean fetch,
        TrainingMethods methods) {
    public TrainingOptions {
        Objects.requireNonNull(schedule, "schedule");
        Objects.requireNonNull(augmentation, "augmentation");
        if (!device.equals("cpu") && !device.equals("cuda")) {
            throw new IllegalArgumentException("device '" + device + "' is neither cpu nor cuda");
        }
        if (threads < 1 || freeze < 0 || plainEpochs < 0) {
            throw new IllegalArgumentException(threads + " threads, " + freeze + " modules that do not learn, "
                    + plainEpochs + " epochs without mosaics");
        }
    }

    /** Options of a run that learns labels alone. */
    public TrainingOptions(int width, int height, LearningSchedule schedule, int freeze, Augmentation augmentation,
            int plainEpochs, long seed, int threads, String device, boolean resume, boolean fetch) {
        this(width, height, schedule, freeze, augmentation, plainEpochs, seed, threads, device, resume, fetch,
                TrainingMethods.NONE);
    }

    /** The same with other methods. */
    public TrainingOptions with(TrainingMethods other) {
        return new TrainingOptions(width, height, schedule, freeze, augmentation, plainEpochs, seed, threads, device,
                resume, fetch, other);
    }

    /** The same for a run that goes on, or does not. */
    TrainingOptions resuming(boolean on) {
        return new TrainingOptions(width, height, schedule, freeze, augmentation, plainEpochs, seed, threads, device,
                on,
                fetch, methods);
    }
}
