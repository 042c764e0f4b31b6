package dev.shrike.app.bench.statistics;

/**
 * An estimate and the interval that it lies in with some confidence.
 *
 * @param estimate the estimate, positive
 * @param low lower end
 * @param high upper end
 */
public record Interval(double estimate, double low, double high) {
    public Interval {
        if (!(estimate > 0 && low > 0 && high >= low) || Double.isInfinite(high) || Double.isInfinite(estimate)) {
            throw new IllegalArgumentException("interval " + low + " to " + high + " about " + estimate);
        }
    }

    /** The larger distance from the estimate to an end, as a share of the estimate. */
    public double relativeHalfWidth() {
        return Math.max(high - estimate, estimate - low) / estimate;
    }

    /** Whether the value lies in it. */
    public boolean contains(double value) {
        return value >= low && value <= high;
    }
}
