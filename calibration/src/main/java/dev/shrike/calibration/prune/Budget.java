package dev.shrike.calibration.prune;

import java.util.Locale;

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
        /** Multiplications with additions of one image. */
        MACS,
        /** Parameters. */
        PARAMETERS,
        /** Bytes of the parameters as 32-bit floats. */
        BYTES,
        /** Nanoseconds of one image by a table of {@link ChannelLatencies}. */
        LATENCY,
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

    /** An amount of what is counted, for people. */
    String text(double value) {
        return switch (measure) {
            case MACS -> number(value) + " MACs";
            case PARAMETERS -> number(value) + " parameters";
            case BYTES -> String.format(Locale.ROOT, "%.3f MB", value / 1e6);
            case LATENCY -> String.format(Locale.ROOT, "%.3f ms", value / 1e6);
            case CHANNELS -> number(value) + " channels";
        };
    }

    private static String number(double value) {
        return value < 1e5 ? String.format(Locale.ROOT, "%.0f", value)
                : value < 1e9 ? String.format(Locale.ROOT, "%.3f million", value / 1e6)
                        : String.format(Locale.ROOT, "%.3f billion", value / 1e9);
    }
}
