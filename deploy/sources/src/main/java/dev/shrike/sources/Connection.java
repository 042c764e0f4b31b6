package dev.shrike.sources;

import dev.shrike.Frame;
import java.util.Optional;

/**
 * One life of a camera or stream, from its opening to its loss. {@link #read}, {@link #retain} and {@link #close} come
 * from one thread at a time, {@link #release} and {@link #stop} from any.
 */
interface Connection extends AutoCloseable {
    /** Waits for the next frame; nothing after {@link #stop}. */
    Optional<Frame> read() throws LostException, InterruptedException;

    /** As {@link FrameSource#retain}. */
    boolean retain(Frame frame);

    /** Gives back one of this connection's frames, also after {@link #close}; false if it is none of them. */
    boolean release(Frame frame);

    /** Frames that it left out since they were damaged. */
    default long damaged() {
        return 0;
    }

    /** Lets a read that waits return soon. */
    void stop();

    /** Frees all but the frames that are retained. */
    @Override
    void close();
}
