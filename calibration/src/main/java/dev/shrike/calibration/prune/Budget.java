package dev.shrike.calibration.prune;

/**
 * How much of a network may remain.
 *
 * @param measure of what
 * @param share whether {@code amount} is a share of the network as it is, 0 to 1; else it is absolute
 * @param amount what may remain
 */
public record Budget(Measure measure, boolean share, double amount) {
    /** What is counted. */
    public enum Measure {
        /** Multiplications with additions of one picture. */
        MACS,
        /** Parameters. */
        PARAMETERS,
        /** Units that can be removed; always a share. */
        CHANNELS
    }

    public Budget {
        if (!(amount > 0) || share && amount > 1 || !Double.isFinite(amount)) {
            throw new IllegalArgumentException("a budget of " + amount + (share ? " is no share between 0 and 1"
                    : " is not positive"));
        }
        if (measure == Measure.CHANNELS && !share) {
            throw new IllegalArgumentException("channels are given as a share between 0 and 1");
        }
    }

    /** The amount in absolute terms. */
    double absolute(double whole) {
        return share ? amount * whole : amount;
    }
}
