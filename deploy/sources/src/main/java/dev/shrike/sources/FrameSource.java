package dev.shrike.sources;

import dev.shrike.Frame;
import java.util.Optional;

/**
 * Gives frames, one after another, from one thread at a time.
 *
 * <p>A source that is lost comes back by itself: {@link #next} waits and meanwhile {@link #state} tells why. No frame
 * is
 * given twice, and none that the camera did not send.
 */
public interface FrameSource extends AutoCloseable {
    /**
     * Waits for the next frame. It may be read until the next call, or until the source is closed.
     *
     * @return nothing once the source has ended, which cameras and streams never do
     * @throws dev.shrike.SourceException if the source can never give a frame: a missing file, an unknown format
     * @throws InterruptedException if the thread was interrupted; the source can still be used
     */
    Optional<Frame> next() throws InterruptedException;

    /** What people call the source: its URI without user and password. */
    String name();

    /** How the source does; from any thread. */
    SourceState state();

    /** Ends the source, from any thread; a waiting {@link #next} returns nothing. */
    @Override
    void close();
}
