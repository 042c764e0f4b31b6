package dev.shrike.tracking;

import java.util.Objects;

/**
 * Something happened to a track that has been seen often enough.
 *
 * @param kind what happened
 * @param camera id of the camera
 * @param track the track as of then
 * @param nanos when, on the clock of {@link System#nanoTime}
 */
public record TrackEvent(Kind kind, String camera, Track track, long nanos) {
    /** What happened. Each track has one NEW, any number of UPDATE, one END. */
    public enum Kind {
        NEW,
        UPDATE,
        END
    }

    public TrackEvent {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(camera, "camera");
        Objects.requireNonNull(track, "track");
    }
}
