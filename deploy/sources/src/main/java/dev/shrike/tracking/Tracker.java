package dev.shrike.tracking;

import dev.shrike.Detection;
import dev.shrike.Detections;
import java.util.List;

/**
 * Follows objects over the frames of one camera. Confined to one thread at a time.
 *
 * <p>The same detections at the same times always give the same tracks.
 */
public interface Tracker {
    /**
     * The tracks that live after this frame, by id: those detected in it, whose {@link Track#lastNanos} is
     * {@code nanos}, and those that are lost, with the box where they are expected, until their lifetime is over.
     *
     * @param detections of one frame, best score first; those without area or with coordinates that cannot be are
     *     ignored, and so are more than the tracker can follow
     * @param nanos when the frame was captured, on the clock of {@link System#nanoTime}; the time since the last frame
     *     is what objects moved in, so frames may be left out. An earlier time than that of the last frame begins a new
     *     sequence: all tracks end
     */
    List<Track> update(List<Detection> detections, long nanos);

    /** The same for what a detector gives. */
    default List<Track> update(Detections detections, long nanos) {
        return update(detections.list(), nanos);
    }

    /** Ends all tracks. Their ids are not used again. */
    void clear();
}
