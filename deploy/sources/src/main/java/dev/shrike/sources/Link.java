package dev.shrike.sources;

/** How to reach a camera or stream. Used by one thread, but for {@link #stop}. */
interface Link {
    /**
     * Connects.
     *
     * @throws LostException if that cannot be done now
     * @throws dev.shrike.SourceException if it never can
     */
    Connection connect() throws LostException, InterruptedException;

    /** Whether the other side is there as far as that can be told without connecting, within a second or so. */
    Presence presence();

    /** What can be told without connecting. */
    enum Presence {
        THERE,
        AWAY,
        UNKNOWN
    }

    /** Lets a connect that waits fail soon, for good. */
    void stop();

    /** Frees what {@link #connect} does not. */
    void free();
}
