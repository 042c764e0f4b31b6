package dev.shrike.app.bench.harness;

/**
 * When enough was measured.
 *
 * @param runsPerRound runs of each engine before the next has its turn, at least 1
 * @param leastRounds rounds that there are at least, at least 1
 * @param mostSeconds time from the beginning of the warm-up after which no further round begins, for one group of
 *     engines
 * @param precision half width of the 95 % intervals that is wanted, as a share of their estimate
 */
public record Stopping(int runsPerRound, int leastRounds, double mostSeconds, double precision) {
    /** A week. */
    public static final double MOST_SECONDS = 604_800;

    public Stopping {
        if (runsPerRound < 1 || runsPerRound > 1000) {
            throw new IllegalArgumentException(runsPerRound + " runs of a round are not within 1 to 1000");
        }
        if (leastRounds < 1 || leastRounds > 1_000_000) {
            throw new IllegalArgumentException(leastRounds + " rounds are not within 1 to 1000000");
        }
        if (!(mostSeconds > 0 && mostSeconds <= MOST_SECONDS)) {
            throw new IllegalArgumentException(mostSeconds + " seconds are not within 0 to a week");
        }
        if (!(precision > 0 && precision < 1)) {
            throw new IllegalArgumentException("a precision of " + precision + " is not within 0 to 1");
        }
    }
}
