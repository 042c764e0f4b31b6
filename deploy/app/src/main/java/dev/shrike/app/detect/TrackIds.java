package dev.shrike.app.detect;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.tracking.ByteTracker;
import dev.shrike.tracking.Track;
import dev.shrike.tracking.TrackerOptions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Follows the objects of one video, camera or stream, for {@code --track}. As in Ultralytics' track mode the score
 * that is asked for is that from which an object begins a track, and weaker detections go on with one. Confined to one
 * thread.
 */
final class TrackIds {
    private final ByteTracker tracker;

    /** @param confidence lowest score that begins a track */
    TrackIds(float confidence) {
        tracker = new ByteTracker(TrackerOptions.DEFAULT.withScores(confidence, least(confidence), confidence));
    }

    /** Lowest score that the detector has to be asked for. */
    static float least(float confidence) {
        return (float) Math.min(confidence, TrackerOptions.DEFAULT.lowScore());
    }

    /**
     * Objects that are followed.
     *
     * @param found those detected in the frame, best first
     * @param ids number of each; empty if objects are not followed
     */
    record Followed(Detections found, List<Long> ids) {
        Followed {
            ids = List.copyOf(ids);
            if (!ids.isEmpty() && ids.size() != found.size()) {
                throw new IllegalArgumentException(ids.size() + " ids of " + found.size() + " objects");
            }
        }

        /** Detections without ids. */
        static Followed none(Detections found) {
            return new Followed(found, List.of());
        }

        /** The same with the id before each label, as Ultralytics draws it. */
        Detections labelled() {
            if (ids.isEmpty()) {
                return found;
            }
            List<Detection> named = new ArrayList<>();
            for (int i = 0; i < ids.size(); i++) {
                Detection one = found.list().get(i);
                named.add(new Detection(one.classId(), "id:" + ids.get(i) + " " + one.label(), one.score(), one.x1(),
                        one.y1(), one.x2(), one.y2()));
            }
            return with(found, named);
        }
    }

    /** The tracks that were detected in a frame; one that is lost is not reported. */
    Followed update(Detections found, long nanos) {
        List<Track> seen = tracker.update(found, nanos).stream().filter(track -> track.isDetected(nanos))
                .sorted(Comparator.comparingDouble((Track track) -> -track.box().score()).thenComparing(Track::id))
                .toList();
        List<Detection> boxes = new ArrayList<>();
        List<Long> ids = new ArrayList<>();
        for (Track track : seen) {
            Detection inside = inside(track.box(), found.width(), found.height());
            if (inside.width() > 0 && inside.height() > 0) {
                boxes.add(inside);
                ids.add(track.id());
            }
        }
        return new Followed(with(found, boxes), ids);
    }

    private static Detection inside(Detection box, int width, int height) {
        return new Detection(box.classId(), box.label(), box.score(), Math.clamp(box.x1(), 0, width),
                Math.clamp(box.y1(), 0, height), Math.clamp(box.x2(), 0, width), Math.clamp(box.y2(), 0, height));
    }

    private static Detections with(Detections found, List<Detection> list) {
        return new Detections(found.width(), found.height(), found.captured(), found.times(), list);
    }
}
