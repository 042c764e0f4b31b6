package dev.shrike.tracking;

import dev.shrike.Detection;

/**
 * An object followed over frames.
 *
 * @param id number of the track, from 1, never used again by its tracker
 * @param box where the object is, from all its detections: nearer to the truth than the newest alone. Where it is
 *     expected, if this frame has none. Score of the newest detection, class of most of them
 * @param firstNanos capture time of the first frame with it, on the clock of {@link System#nanoTime}
 * @param lastNanos capture time of the last frame that it was detected in
 * @param hits frames that it was detected in
 * @param velocityX pixels a second of the centre of the box, to the right
 * @param velocityY the same downwards
 */
public record Track(long id, Detection box, long firstNanos, long lastNanos, long hits, float velocityX,
        float velocityY) {
    /** Whether the object was detected in the frame captured then; else it is lost and its box is a guess. */
    public boolean isDetected(long nanos) {
        return lastNanos == nanos;
    }
}
