package dev.shrike.files;

import java.math.BigDecimal;

/** Checks of numbers that people give, in words for people. */
public final class Range {
    private Range() {}

    /**
     * Returns if the value is within.
     *
     * @throws IllegalArgumentException otherwise; names the value and both ends
     */
    public static void require(String name, double value, double least, double most) {
        if (!(value >= least && value <= most)) {
            throw new IllegalArgumentException(
                    name + " " + text(value) + " is not within " + text(least) + " to " + text(most));
        }
    }

    /** As {@link #require}, for values above 0. */
    public static void requireAboveZero(String name, double value, double most) {
        if (!(value >= Double.MIN_NORMAL && value <= most)) {
            throw new IllegalArgumentException(name + " " + text(value) + " is not above 0 and at most " + text(most));
        }
    }

    /** The number as people write it: {@code -1} and {@code 0.0005}. */
    public static String text(double value) {
        return Double.isFinite(value) ? BigDecimal.valueOf(value).stripTrailingZeros().toPlainString()
                : Double.toString(value);
    }
}
