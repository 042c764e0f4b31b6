package dev.shrike.app.outputs;

import dev.shrike.Detections;
import dev.shrike.sources.SourceState;
import dev.shrike.tracking.Track;
import dev.shrike.tracking.TrackEvent;
import java.util.List;

/** What the service tells its outputs. */
public sealed interface Message {
    /** Id of the camera that it is about. */
    String camera();

    /**
     * One frame was looked through.
     *
     * @param sequence number of the frame
     * @param capturedNanos when it was captured, on the clock of {@link System#nanoTime}
     * @param clockSynchronized whether the wall clock of the detections can be trusted
     * @param ageNanos from its capture to the end of its detection
     * @param dropped frames that were replaced by newer ones since the source was opened
     * @param detections what was seen
     * @param tracks the tracks after this frame
     */
    record FrameResult(String camera, long sequence, long capturedNanos, boolean clockSynchronized, long ageNanos,
            long dropped, Detections detections, List<Track> tracks) implements Message {
        public FrameResult {
            tracks = List.copyOf(tracks);
        }
    }

    /** Something happened to a track; the identity of the event is the camera, the run of the service and the track. */
    record Tracked(TrackEvent event) implements Message {
        @Override
        public String camera() {
            return event.camera();
        }
    }

    /** A source runs, is lost or has ended. */
    record SourceChanged(String camera, SourceState state) implements Message {}
}
