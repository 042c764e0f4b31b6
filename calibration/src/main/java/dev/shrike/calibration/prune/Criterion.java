package dev.shrike.calibration.prune;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** What a channel is worth. */
public enum Criterion {
    /** Sum of the absolute weights of the filter (Li et al. 2017). */
    L1,
    /** Euclidean norm of the filter. */
    L2,
    /**
     * Distance of the filter from the others of its layer: near their geometric median is redundant (He et al. 2019).
     */
    FPGM,
    /**
     * Absolute scale of the batch normalisation behind the filter (network slimming, Liu et al. 2017); without one, the
     * norm of the filter, into which the scale was folded.
     */
    BN_SCALE,
    /** Root mean square of the channel on images. */
    ACTIVATION_MEAN,
    /** Standard deviation of the channel on images: what is constant can go into the next bias. */
    ACTIVATION_DEVIATION,
    /** Mean rank of the feature map (HRank, Lin et al. 2020). */
    HRANK,
    /** Mean absolute first-order change of the loss without the channel (Molchanov et al. 2017). */
    TAYLOR,
    /**
     * Second-order change of the loss if the channel becomes its mean, by the Fisher information (Theis et al. 2018).
     */
    FISHER,
    /** Mutual information of the channel's mean and the objects found on an image. */
    MUTUAL_INFORMATION,
    /**
     * The Fisher change of the part of the channel that the other channels of its layer do not predict: the optimal
     * brain surgeon on channels (Hassibi and Stork 1993; Kronecker form as in Wang et al. 2019, "EigenDamage").
     */
    OBS,
    /** None: the floor that others must beat. */
    RANDOM;

    /** Whether it takes images to tell. */
    public boolean needsImages() {
        return switch (this) {
            case L1, L2, FPGM, BN_SCALE, RANDOM -> false;
            case ACTIVATION_MEAN, ACTIVATION_DEVIATION, HRANK, TAYLOR, FISHER, MUTUAL_INFORMATION, OBS -> true;
        };
    }

    /** As options name it: {@code "bn-scale"}. */
    public String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * The criterion of that name.
     *
     * @throws IllegalArgumentException if there is none; names all
     */
    public static Criterion parse(String text) {
        for (Criterion criterion : values()) {
            if (criterion.text().equalsIgnoreCase(text.strip())) {
                return criterion;
            }
        }
        throw new IllegalArgumentException("'" + text + "' is no criterion; there are "
                + Arrays.stream(values()).map(Criterion::text).collect(Collectors.joining(", ")));
    }
}
