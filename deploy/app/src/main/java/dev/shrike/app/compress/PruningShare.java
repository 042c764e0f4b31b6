package dev.shrike.app.compress;

import java.util.List;

/**
 * How much of the float layers' time a pruning is to leave, by what came of those before it. The layers' times do not
 * add up to the network's, and codes gain less on narrow layers, so what the quantised network takes falls more slowly
 * than what was asked for.
 */
final class PruningShare {
    /** Nothing shorter is worth trying: what is left of the network finds nothing. */
    static final double LEAST = 0.05;
    /** What is aimed at is below the target, so that the network does not end just above. */
    static final double MARGIN = 0.97;
    /**
     * How many times the step that proportion asks for is taken at most. The first channels that go bring less than
     * those after them, so a line asks for too much, and two prunings of one share differ as well.
     */
    private static final double REACH = 1.5;
    /** The same after three prunings, when there is little time left to come near. */
    private static final double LAST_REACH = 3;
    private static final int PATIENCE = 3;
    private static final double STEPS = 1000;

    private PruningShare() {}

    /**
     * A network that was tried.
     *
     * @param share of the float layers' time that was asked for; 1 for the network that was not pruned
     * @param found what it takes once quantised, in the unit of the target
     */
    record Tried(double share, double found) {}

    /**
     * The share to ask for, below that of the last one, which took too long.
     *
     * @param tried what was tried, by falling shares
     * @param target what it may take
     */
    static double next(List<Tried> tried, double target) {
        Tried last = tried.getLast();
        double aim = MARGIN * target;
        double proportional = last.share() * aim / last.found();
        double reach = tried.size() <= PATIENCE ? REACH : LAST_REACH;
        double share = tried.size() == 1 ? proportional
                : Math.max(secant(tried.get(tried.size() - 2), last, aim),
                        last.share() - reach * (last.share() - proportional));
        double rounded = Math.round(STEPS * share) / STEPS;
        return Math.max(LEAST, Math.min(rounded, last.share() - 1 / STEPS));
    }

    /** Where the line through both meets the aim; as far as may be if pruning has not made it quicker. */
    private static double secant(Tried before, Tried last, double aim) {
        double slope = (before.found() - last.found()) / (before.share() - last.share());
        return slope > 0 ? last.share() - (last.found() - aim) / slope : Double.NEGATIVE_INFINITY;
    }
}
