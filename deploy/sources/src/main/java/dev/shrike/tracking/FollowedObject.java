package dev.shrike.tracking;

import dev.shrike.Detection;

/** What {@link ByteTracker} knows of an object that it follows. Used again for another object after its end. */
final class FollowedObject {
    /** Most that the label's vote counts, so that an object that was mistaken for long can still change. */
    private static final float MOST_VOTES = 10;

    final BoxFilter filter = new BoxFilter();
    /** 0 until it is a track. */
    long id;
    long firstNanos;
    long lastNanos;
    long hits;
    /** Whether a detection of the newest frame is its. */
    boolean matched;
    int classId;
    private String label;
    private float votes;
    private float score;

    void start(Detection detection, long nanos) {
        filter.start(detection.x1(), detection.y1(), detection.x2(), detection.y2());
        id = 0;
        firstNanos = nanos;
        hits = 0;
        votes = 0;
        take(detection, nanos);
    }

    void correct(Detection detection, long nanos) {
        filter.correct(detection.x1(), detection.y1(), detection.x2(), detection.y2());
        take(detection, nanos);
    }

    private void take(Detection detection, long nanos) {
        lastNanos = nanos;
        hits++;
        matched = true;
        score = detection.score();
        vote(detection);
    }

    /** The majority by scores in constant memory (Boyer and Moore 1981). */
    private void vote(Detection detection) {
        if (votes > 0 && detection.classId() != classId) {
            votes -= detection.score();
            if (votes > 0) {
                return;
            }
            votes = -votes;
        } else {
            votes = Math.min(MOST_VOTES, votes + detection.score());
        }
        classId = detection.classId();
        label = detection.label();
    }

    Track track() {
        return new Track(id, box(), firstNanos, lastNanos, hits, (float) filter.velocityX(),
                (float) filter.velocityY());
    }

    private Detection box() {
        return new Detection(classId, label, score, (float) filter.left(), (float) filter.top(),
                (float) filter.right(), (float) filter.bottom());
    }
}
