package dev.shrike.app.bench.statistics;

/** What a comparison can tell. */
public enum Verdict {
    /** The first is quicker. */
    FASTER,
    /** The first is slower. */
    SLOWER,
    /** Nothing can be told. */
    UNDECIDED;

    /** One run in a hundred may say that two names for one engine differ. */
    private static final double ERROR = 0.01;

    /**
     * Of two engines that ran in turn: decided where the 99 % interval of their ratio leaves 1 out.
     *
     * @param a a positive value of each round
     * @param b the same of the other engine in the same rounds
     */
    public static Verdict ofRounds(double[] a, double[] b) {
        if (a.length < 6) {
            return UNDECIDED;
        }
        Interval ratio = Bootstrap.ratio(a, b, 1 - ERROR);
        return ratio.contains(1) ? UNDECIDED : ratio.estimate() < 1 ? FASTER : SLOWER;
    }

    /**
     * Of two runs of their own, by the test of {@link MannWhitney} on the medians of their rounds.
     *
     * @param a a value of each round of the one
     * @param b a value of each round of the other; the number of rounds may differ
     */
    public static Verdict ofRuns(double[] a, double[] b) {
        double p = MannWhitney.pValue(a, b);
        double ratio = a.length == 0 || b.length == 0 ? 1 : Quantiles.median(a) / Quantiles.median(b);
        return !(p < ERROR) || ratio == 1 ? UNDECIDED : ratio < 1 ? FASTER : SLOWER;
    }
}
