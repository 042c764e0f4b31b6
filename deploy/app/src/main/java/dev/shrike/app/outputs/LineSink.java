package dev.shrike.app.outputs;

import java.io.IOException;

/** Where lines go. Used by one thread. */
interface LineSink {
    /**
     * Writes the line, which ends in a line feed.
     *
     * @throws IOException if it was not written, or the reader may have got a part of it
     */
    void write(byte[] line) throws IOException;

    /** Whether to try the same line again after a failure, as on a full disk; else nobody will ever read on. */
    boolean isWorthRetrying();

    /** Closes what it writes to. */
    void close() throws IOException;
}
