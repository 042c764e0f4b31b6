package dev.shrike.heads;

import java.util.Arrays;
import java.util.Locale;

/** What a better box does to those that it overlaps (Bodla et al. 2017, "Soft-NMS: Improving Object Detection"). */
public enum SoftNms {
    /** Drops them beyond the IoU threshold: plain non-maximum suppression. */
    OFF,
    /** Beyond the IoU threshold, multiplies their scores by 1 - IoU. */
    LINEAR,
    /** Multiplies their scores by exp(-IoU² / 0.5). */
    GAUSSIAN;

    /**
     * The kind of a name: {@code linear}, {@code gaussian} or {@code off}.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static SoftNms of(String name) {
        for (SoftNms kind : values()) {
            if (kind.name().equalsIgnoreCase(name.strip())) {
                return kind;
            }
        }
        throw new IllegalArgumentException("there is no Soft-NMS '" + name + "', but "
                + Arrays.toString(values()).toLowerCase(Locale.ROOT).replaceAll("[\\[\\]]", ""));
    }
}
