package dev.shrike.training;

import java.util.List;

/**
 * How much of a network is left after each round of pruning and fine-tuning (Han et al. 2015; Zhang et al. 2019).
 *
 * @param shares of the parameters of the given network, falling
 */
public record PruneSchedule(List<Double> shares) {
    public PruneSchedule {
        shares = List.copyOf(shares);
        double before = 1;
        for (double share : shares) {
            if (!(share > 0 && share < before)) {
                throw new IllegalArgumentException("shares must fall from below 1 to above 0, found " + shares);
            }
            before = share;
        }
        if (shares.isEmpty()) {
            throw new IllegalArgumentException("at least one share is needed");
        }
    }

    /** A schedule of these shares. */
    public static PruneSchedule of(Double... shares) {
        return new PruneSchedule(List.of(shares));
    }
}
