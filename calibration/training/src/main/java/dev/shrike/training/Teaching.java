package dev.shrike.training;

import dev.shrike.files.Range;
import java.util.Objects;

/**
 * A teacher.
 *
 * @param network ONNX file of a detector, or {@link #ITSELF}
 * @param head weight of what its head says
 * @param features weight of the values that its head reads
 * @param labels whether labels are learned besides
 */
public record Teaching(String network, double head, double features, boolean labels) {
    /** Stands for the float network itself that a run starts from. */
    public static final String ITSELF = "";
    /** Weights as tried on YOLOv5n with six classes. */
    public static final double HEAD = 1;
    /** Of values inside. */
    public static final double FEATURES = 0.5;

    public Teaching {
        Objects.requireNonNull(network, "network");
        if (!(head >= 0) || !(features >= 0) || !Double.isFinite(head + features) || head + features == 0) {
            throw new IllegalArgumentException("weights " + Range.text(head) + " and " + Range.text(features)
                    + " of a teacher are not finite, 0 or more and not both 0");
        }
    }

    /** The same teacher in another file. */
    Teaching in(String file) {
        return new Teaching(file, head, features, labels);
    }
}
