package dev.shrike.training.torch;

import org.bytedeco.pytorch.Tensor;

/**
 * Batches of images with their boxes. Which images a batch has, and how they are changed, follows from the seed, the
 * epoch and the number of the batch alone, so that a run can resume anywhere.
 */
public interface BatchSource extends AutoCloseable {
    /** Batches of an epoch. */
    int batches();

    /**
     * A batch, whose tensors become the caller's.
     *
     * @param epoch from 0
     * @param batch from 0 to {@link #batches} - 1
     */
    Batch batch(int epoch, int batch);

    @Override
    default void close() {}

    /**
     * A batch.
     *
     * @param images {@code [batch, 3, height, width]}: uint8, or floats from 0 to 1; red, green, blue
     * @param targets as {@link Loss#of} takes them
     */
    record Batch(Tensor images, Tensor targets) {}
}
