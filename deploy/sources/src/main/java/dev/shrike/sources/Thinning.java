package dev.shrike.sources;

/** Leaves frames out so that no more than so many a second remain. */
final class Thinning {
    private final long period;
    private long due = Long.MIN_VALUE;

    /** @param rate most frames a second; 0 for all */
    Thinning(double rate) {
        period = rate == 0 ? 0 : Math.round(1e9 / rate);
    }

    /** Whether the frame of that time is to be given. */
    boolean takes(long nanos) {
        if (period == 0) {
            return true;
        }
        // A tenth of a period of leave, since cameras do not come to the nanosecond.
        if (due != Long.MIN_VALUE && nanos < due - period / 10 && nanos > due - 2 * period) {
            return false;
        }
        due = due == Long.MIN_VALUE || Math.abs(nanos - due) > period ? nanos + period : due + period;
        return true;
    }
}
