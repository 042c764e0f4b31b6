package dev.shrike.app.bench.statistics;

/**
 * Tells when an engine is warm: when the median of the latest runs is that of as many runs before, to within 2 %. The
 * first runs compile Java code, touch memory for the first time and wake the clock.
 */
public final class WarmUp {
    private static final int WINDOW = 5;
    private static final double TOLERANCE = 0.02;

    private final double[] latest = new double[2 * WINDOW];
    private int runs;

    /** Adds the time of a run. */
    public void add(double time) {
        latest[runs++ % latest.length] = time;
    }

    /** Runs so far. */
    public int runs() {
        return runs;
    }

    /** Whether later runs will be as long as the latest. */
    public boolean converged() {
        if (runs < latest.length) {
            return false;
        }
        double[] older = new double[WINDOW];
        double[] newer = new double[WINDOW];
        for (int i = 0; i < WINDOW; i++) {
            older[i] = latest[(runs + i) % latest.length];
            newer[i] = latest[(runs + WINDOW + i) % latest.length];
        }
        double before = Quantiles.median(older);
        return Math.abs(Quantiles.median(newer) - before) <= TOLERANCE * before;
    }
}
