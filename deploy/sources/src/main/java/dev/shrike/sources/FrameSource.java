package dev.shrike.sources;

import dev.shrike.Frame;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Gives frames, one after another, from one thread at a time.
 *
 * <ol>
 *   <li>Open one with {@link Sources#open}.
 *   <li>Call {@link #next} until it returns nothing. The frame may be read until the next call; {@link #retain} keeps
 *   one longer, until {@link #release}.
 *   <li>Close it, from any thread. Frames that were retained stay readable until they are released.
 * </ol>
 *
 * <p>A source that is lost comes back by itself: {@link #next} waits and meanwhile {@link #state} tells why. No frame
 * is given twice, and none that the camera did not send.
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

    /**
     * Keeps a frame readable beyond the next call of {@link #next} and beyond {@link #close}, until {@link #release}.
     * From the thread that calls {@link #next}. A source keeps at least three at a time, or none at all.
     *
     * @return whether it does; if not, the frame may be read until the next call, as always
     */
    default boolean retain(Frame frame) {
        return false;
    }

    /** Gives back a frame that {@link #retain} kept; from any thread, once for each. */
    default void release(Frame frame) {
        throw new IllegalArgumentException("a frame is released that was not retained");
    }

    /**
     * Whether frames come at their own time, as those of cameras and streams do: who is too slow misses some. Others,
     * files among them, wait to be asked.
     */
    default boolean live() {
        return true;
    }

    /** Frames that were left out so far since they came damaged; from any thread. */
    default long damaged() {
        return 0;
    }

    /**
     * Frames that a file says it has and that lie behind its end, as it was cut off; 0 until the end, and where nothing
     * tells. From any thread.
     */
    default long missing() {
        return 0;
    }

    /** What people call the source: its URI without user and password. */
    String name();

    /** How the source does; from any thread. */
    SourceState state();

    /**
     * Calls the listener at each change of phase or reason, from the thread that calls {@link #next}, and not after a
     * close; it must return soon. One listener, set before the first frame.
     */
    default void listen(Consumer<SourceState> listener) {
        // A source without changes has nothing to tell.
    }

    /** Ends the source, from any thread; a waiting {@link #next} returns nothing. */
    @Override
    void close();
}
