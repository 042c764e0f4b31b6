package dev.shrike.oracle;

import java.util.HashSet;
import java.util.Set;

/**
 * How many roundings to codes were so near to a tie that float32 may end on either side, and how many are to be
 * expected. An interval of width {@code d} about a position, in codes, holds one of the points half-way between two
 * codes with probability {@code d} if the position's fraction is uniform; equal positions are counted once, as they are
 * no independent draws.
 */
public final class NearTies {
    private final Set<Double> seen = new HashSet<>();
    private int found;
    private double expected;

    void add(double position, double low, double high, boolean either) {
        if (seen.add(position)) {
            expected += Math.min(1, high - low);
            found += either ? 1 : 0;
        }
    }

    /** Of other networks, whose positions are other draws. */
    public void add(NearTies other) {
        found += other.found;
        expected += other.expected;
        seen.addAll(other.seen);
    }

    /** Different positions. */
    public int positions() {
        return seen.size();
    }

    /** Those near a tie. */
    public int found() {
        return found;
    }

    /** Those near a tie on average. */
    public double expected() {
        return expected;
    }

    /** What a sum of independent draws of that mean does not exceed in a hundred million runs. */
    public double bound() {
        return expected + 6 * Math.sqrt(expected) + 6;
    }
}
