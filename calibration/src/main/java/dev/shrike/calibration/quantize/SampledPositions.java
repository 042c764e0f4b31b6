package dev.shrike.calibration.quantize;

import dev.shrike.calibration.ranges.Histogram;
import java.util.Optional;

/**
 * Positions of an image at which a layer is fitted.
 *
 * @param indices of positions, counted row by row
 * @param weights what an error at each of them counts, about 1 in the mean
 */
public record SampledPositions(int[] indices, float[] weights) {
    public SampledPositions {
        if (indices.length != weights.length) {
            throw new IllegalArgumentException(indices.length + " positions and " + weights.length + " weights");
        }
    }

    /** Chooses the positions of an image at which a layer is fitted. */
    @FunctionalInterface
    public interface Choice {
        /**
         * At most {@code most} positions, all of them if there are no more.
         *
         * @param layer name of its node
         * @param image index of the image
         * @param count positions that there are
         */
        SampledPositions of(String layer, int image, int count, int most);

        /**
         * How much an error of each output channel of a layer counts: sums over all positions of all images, in units
         * that are the same for all layers; empty if that is not known.
         */
        default double[] importance(String layer) {
            return new double[0];
        }

        /**
         * How much errors of the output channels of a layer count together: sums over all images of the products of
         * their gradients, {@code channels x channels}; empty if that is not known.
         */
        default double[] coupling(String layer) {
            return new double[0];
        }

        /**
         * The elements of a value on all images, each counted as often as an error of it counts; empty if that is not
         * known.
         */
        default Optional<Histogram> weighted(String value) {
            return Optional.empty();
        }
    }
}
