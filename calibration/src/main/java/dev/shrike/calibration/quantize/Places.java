package dev.shrike.calibration.quantize;

import dev.shrike.calibration.ranges.Histogram;
import java.util.Optional;

/**
 * Places of a picture at which a layer is fitted.
 *
 * @param indices of places, counted row by row
 * @param weights what an error at each of them counts, about 1 in the mean
 */
public record Places(int[] indices, float[] weights) {
    public Places {
        if (indices.length != weights.length) {
            throw new IllegalArgumentException(indices.length + " places and " + weights.length + " weights");
        }
    }

    /** Chooses the places of a picture at which a layer is fitted. */
    @FunctionalInterface
    public interface Choice {
        /**
         * At most {@code most} places, all of them if there are no more.
         *
         * @param layer name of its node
         * @param picture index of the picture
         * @param count places that there are
         */
        Places of(String layer, int picture, int count, int most);

        /**
         * How much an error of each output channel of a layer counts: sums over all places of all pictures, in units
         * that are the same for all layers; empty if that is not known.
         */
        default double[] importance(String layer) {
            return new double[0];
        }

        /**
         * How much errors of the output channels of a layer count together: sums over all pictures of the products of
         * their gradients, {@code channels x channels}; empty if that is not known.
         */
        default double[] coupling(String layer) {
            return new double[0];
        }

        /**
         * The elements of a value on all pictures, each counted as often as an error of it counts; empty if that is not
         * known.
         */
        default Optional<Histogram> weighted(String value) {
            return Optional.empty();
        }
    }
}
