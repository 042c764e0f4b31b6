package dev.shrike.training;

import java.util.Locale;
import java.util.Objects;

/**
 * How a network learns to be rounded.
 *
 * @param scheme widths of weights and activations, such as {@code w2a2}, or {@code auto}
 * @param averageBits bits a weight on the average, for {@code auto}; else 0
 * @param method how it is learned through roundings
 * @param network file of the quantised network to start from; null before there is one
 * @param calibration most images that the network to start from is fitted on
 * @param correction whether the codes of weights stay as they are in the last epoch, in which their scales, the biases
 *     and the steps of values are corrected (Gupta et al. 2024)
 */
public record QuantizedTraining(String scheme, double averageBits, Method method, String network, int calibration,
        boolean correction) {
    /** Ways through roundings. */
    public enum Method {
        /** Learned steps, straight through (Esser et al. 2020). */
        LSQ,
        /**
         * As LSQ, but gradients of weights are scaled by the rounding error (Lee et al. 2021, EWGS) and a weight near
         * the
         * border of two codes is rounded to where its last update led.
         */
        DRGS;

        /** The method of a name such as {@code lsq}. */
        public static Method of(String name) {
            for (Method method : values()) {
                if (method.name().equalsIgnoreCase(name)) {
                    return method;
                }
            }
            throw new IllegalArgumentException("'" + name + "' is none of lsq, drgs");
        }

        /** Its name: {@code lsq}. */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public QuantizedTraining {
        Objects.requireNonNull(scheme, "scheme");
        Objects.requireNonNull(method, "method");
        if (calibration < 1) {
            throw new IllegalArgumentException(calibration + " images to calibrate with");
        }
    }

    /** The same that starts from this file. */
    QuantizedTraining from(String file) {
        return new QuantizedTraining(scheme, averageBits, method, file, calibration, correction);
    }
}
