package dev.shrike.app.quantize;

/**
 * When a pass of hours is to save what it has: at once, and then so often that little is lost when it is cut off, and
 * saving takes a small part of the time.
 */
final class SavePace {
    /** Of the time that passes, one part goes into saving. */
    private static final long SHARE = 20;

    private long saved;
    private long cost;
    private boolean begun;

    /** Whether it is time to save, by a clock in nanoseconds. */
    boolean isDue(long now) {
        return !begun || now - saved >= SHARE * cost;
    }

    /** Notes that saving began and ended at these times. */
    void saved(long from, long to) {
        begun = true;
        saved = to;
        cost = to - from;
    }
}
