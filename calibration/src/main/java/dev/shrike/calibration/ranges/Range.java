package dev.shrike.calibration.ranges;

/**
 * Floats from {@code low} to {@code high}.
 *
 * @param low finite, at most {@code high}
 * @param high finite
 */
public record Range(double low, double high) {
    public Range {
        if (!Double.isFinite(low) || !Double.isFinite(high) || low > high) {
            throw new IllegalArgumentException("range from " + low + " to " + high);
        }
    }

    /** The smallest range that holds both. */
    public Range union(Range other) {
        return new Range(Math.min(low, other.low), Math.max(high, other.high));
    }

    /** The range widened so that it holds 0. */
    public Range withZero() {
        return new Range(Math.min(0, low), Math.max(0, high));
    }
}
