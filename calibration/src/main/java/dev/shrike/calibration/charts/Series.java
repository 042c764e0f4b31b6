package dev.shrike.calibration.charts;

import java.util.Objects;

/**
 * A curve over 0 to 1.
 *
 * @param label what the legend calls it; empty leaves it out of the legend
 * @param values heights, 0 to 1, at equal distances
 * @param colour 0xRRGGBB
 * @param thickness in pixels
 */
public record Series(String label, double[] values, int colour, int thickness) {
    public Series {
        Objects.requireNonNull(label, "label");
        if (values.length < 2) {
            throw new IllegalArgumentException("a curve of " + values.length + " points");
        }
    }
}
