package dev.shrike.sources;

/** When frames are due that come at a steady rate; who is late is not given the missed ones in a burst. */
final class Pace {
    private final double periodNanos;
    private long start;
    private long count;

    /** @param rate frames a second; 0 for no waiting */
    Pace(double rate) {
        periodNanos = rate == 0 ? 0 : 1e9 / rate;
    }

    /** Nanoseconds to wait, from now, for the next frame. */
    long untilNext(long now) {
        if (periodNanos == 0) {
            return 0;
        }
        if (count == 0) {
            start = now;
        }
        long due = start + Math.round(count++ * periodNanos);
        if (now - due > periodNanos) {
            start = now;
            count = 1;
        }
        return Math.max(0, due - now);
    }
}
