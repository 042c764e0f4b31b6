package dev.shrike.app.serve;

import dev.shrike.Detection;
import dev.shrike.app.serve.config.ServiceConfig;
import dev.shrike.tracking.ByteTracker;
import dev.shrike.tracking.EventOptions;
import dev.shrike.tracking.Track;
import dev.shrike.tracking.TrackEvent;
import dev.shrike.tracking.TrackEvents;
import dev.shrike.tracking.TrackerOptions;
import java.util.ArrayList;
import java.util.List;

/**
 * The tracks of one camera: frames drive them, and while there are none, time does. All times are of a clock that never
 * steps. Use from any thread.
 */
final class ObjectTracks {
    private final double lostSeconds;
    private final TrackEvents tracks;
    private final List<TrackEvent> told = new ArrayList<>();

    ObjectTracks(ServiceConfig.Camera camera) {
        ServiceConfig.Tracking wanted = camera.tracking();
        lostSeconds = wanted.lostSeconds();
        TrackerOptions options = TrackerOptions.DEFAULT.withConfirmHits(Math.min(wanted.hits(),
                TrackerOptions.DEFAULT.confirmHits())).withLostSeconds(lostSeconds)
                .withAcrossClasses(wanted.acrossClasses())
                .withScores(wanted.highScore(), wanted.lowScore(), wanted.newScore());
        EventOptions events = new EventOptions(wanted.hits(), EventOptions.DEFAULT.change(),
                EventOptions.DEFAULT.updateSeconds(), EventOptions.DEFAULT.repeatSeconds());
        tracks = new TrackEvents(camera.id(), new ByteTracker(options), events, told::add);
    }

    /**
     * What became of the tracks.
     *
     * @param tracks those that live
     * @param events what is to be told
     */
    record Update(List<Track> tracks, List<TrackEvent> events) {}

    /** The tracks after a frame. */
    synchronized Update update(List<Detection> detections, long nanos) {
        List<Track> living = tracks.update(detections, nanos);
        return new Update(List.copyOf(living), drain());
    }

    /** Ends all. */
    synchronized List<TrackEvent> end(long nanos) {
        tracks.lost(nanos);
        return drain();
    }

    /** Ends those that no frame has come for. */
    synchronized List<TrackEvent> endUnseen(long nanos) {
        tracks.expire(nanos, lostSeconds);
        return drain();
    }

    private List<TrackEvent> drain() {
        List<TrackEvent> events = List.copyOf(told);
        told.clear();
        return events;
    }
}
