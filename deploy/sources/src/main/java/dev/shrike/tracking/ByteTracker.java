package dev.shrike.tracking;

import dev.shrike.Detection;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;

/**
 * ByteTrack (Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", ECCV 2022) in seconds
 * instead of frames: detections are matched to where a Kalman filter expects the objects, those of high score first,
 * then those of low score to what is left of the tracks. A track that was lost is found again within its lifetime.
 *
 * <p>It follows up to {@value #MOST_OBJECTS} objects; of a frame's detections it takes as many, from the first on. In
 * the steady state it allocates the tracks that it gives, and nothing else.
 */
public final class ByteTracker implements Tracker {
    /** Objects that are followed at the same time. */
    public static final int MOST_OBJECTS = 512;

    /** Coordinates beyond this many pixels are no image's. */
    private static final float FARTHEST = 1_000_000;
    /** A pair of the first stage costs 1 - IoU * score, less than this; the paper has .8, for boxes as they are. */
    private static final double FIRST_LIMIT = .7;
    /** A pair of the second stage costs 1 - IoU. */
    private static final double SECOND_LIMIT = .5;
    /** Objects that are no tracks yet. */
    private static final double UNCONFIRMED_LIMIT = .7;
    /** A track that was not detected for longer is not continued by a detection of low score. */
    private static final long RECENT_NANOS = 150_000_000;

    private final TrackerOptions options;
    private final long lostNanos;
    private final long confirmNanos;
    private final Assignment assignment = new Assignment();
    /** The first {@code count} are followed, in the order in which they began; the others wait to be used again. */
    private final FollowedObject[] objects = new FollowedObject[MOST_OBJECTS];
    private int count;
    private long lastId;
    private long lastNanos;
    private long frameNanos;

    private final Detection[] detections = new Detection[MOST_OBJECTS];
    private final boolean[] used = new boolean[MOST_OBJECTS];
    private final int[] rows = new int[MOST_OBJECTS];
    private final int[] columns = new int[MOST_OBJECTS];
    private final int[] columnOf = new int[MOST_OBJECTS];
    private double[] costs = {};

    /** A tracker without tracks. */
    public ByteTracker(TrackerOptions options) {
        this.options = Objects.requireNonNull(options, "options");
        lostNanos = Math.round(options.lostSeconds() * 1e9);
        confirmNanos = Math.round(options.confirmSeconds() * 1e9);
    }

    @Override
    public List<Track> update(List<Detection> found, long nanos) {
        expect(nanos);
        int taken = take(found);
        match(Stage.HIGH, taken);
        match(Stage.LOW, taken);
        match(Stage.UNCONFIRMED, taken);
        begin(taken, nanos);
        forgetUnconfirmed(nanos);
        Arrays.fill(detections, 0, taken, null);
        return tracks();
    }

    @Override
    public void clear() {
        count = 0;
    }

    /** Moves all objects on to the time of the frame; those whose lifetime is over end. */
    private void expect(long nanos) {
        if (count > 0 && nanos - lastNanos < 0) {
            clear();
        }
        frameNanos = count > 0 ? nanos - lastNanos : 0;
        lastNanos = nanos;
        int kept = 0;
        for (int i = 0; i < count; i++) {
            FollowedObject object = objects[i];
            // One that is no track yet may wait for its second frame, however long that takes within the lifetime.
            if (nanos - object.lastNanos > lostNanos) {
                continue;
            }
            object.filter.predict(frameNanos * 1e-9);
            object.matched = false;
            keep(kept++, i);
        }
        count = kept;
    }

    /** Moves an object that lives on to the front; the one there is used again later. */
    private void keep(int to, int from) {
        FollowedObject kept = objects[from];
        objects[from] = objects[to];
        objects[to] = kept;
    }

    private int take(List<Detection> found) {
        int taken = 0;
        int size = found.size();
        for (int i = 0; i < size && taken < MOST_OBJECTS; i++) {
            Detection detection = found.get(i);
            if (detection.score() >= options.lowScore() && isSound(detection)) {
                used[taken] = false;
                detections[taken++] = detection;
            }
        }
        return taken;
    }

    private static boolean isSound(Detection box) {
        return box.width() >= BoxFilter.LEAST && box.height() >= BoxFilter.LEAST && box.x1() >= -FARTHEST
                && box.y1() >= -FARTHEST && box.x2() <= FARTHEST && box.y2() <= FARTHEST;
    }

    private enum Stage {
        HIGH(FIRST_LIMIT),
        LOW(SECOND_LIMIT),
        UNCONFIRMED(UNCONFIRMED_LIMIT);

        final double limit;

        Stage(double limit) {
            this.limit = limit;
        }
    }

    private void match(Stage stage, int taken) {
        int rowCount = 0;
        for (int i = 0; i < count; i++) {
            if (!objects[i].matched && takesPart(objects[i], stage)) {
                rows[rowCount++] = i;
            }
        }
        int columnCount = 0;
        for (int i = 0; i < taken; i++) {
            if (!used[i] && detections[i].score() >= options.highScore() != (stage == Stage.LOW)) {
                columns[columnCount++] = i;
            }
        }
        if (rowCount == 0 || columnCount == 0) {
            return;
        }
        if (costs.length < rowCount * columnCount) {
            costs = new double[2 * rowCount * columnCount];
        }
        for (int row = 0; row < rowCount; row++) {
            for (int column = 0; column < columnCount; column++) {
                costs[row * columnCount + column] =
                        cost(objects[rows[row]], detections[columns[column]], stage != Stage.LOW);
            }
        }
        assignment.solve(costs, rowCount, columnCount, stage.limit, columnOf);
        for (int row = 0; row < rowCount; row++) {
            if (columnOf[row] >= 0) {
                int column = columns[columnOf[row]];
                objects[rows[row]].correct(detections[column], lastNanos);
                used[column] = true;
            }
        }
    }

    private boolean takesPart(FollowedObject object, Stage stage) {
        return switch (stage) {
            case HIGH -> object.id != 0;
            case LOW -> object.id != 0
                    && lastNanos - object.lastNanos <= Math.max(frameNanos, Math.min(lostNanos, RECENT_NANOS));
            case UNCONFIRMED -> object.id == 0;
        };
    }

    private double cost(FollowedObject object, Detection box, boolean scored) {
        if (!options.acrossClasses() && object.classId != box.classId()) {
            return Double.POSITIVE_INFINITY;
        }
        double overlap = object.filter.overlap(box.x1(), box.y1(), box.x2(), box.y2());
        return 1 - (scored ? overlap * box.score() : overlap);
    }

    /** Begins an object with each detection that is nobody's. */
    private void begin(int taken, long nanos) {
        for (int i = 0; i < taken && count < MOST_OBJECTS; i++) {
            if (used[i] || detections[i].score() < options.newScore()) {
                continue;
            }
            if (objects[count] == null) {
                objects[count] = new FollowedObject();
            }
            objects[count++].start(detections[i], nanos);
        }
    }

    /** Ends objects that are no tracks yet and were missed, and numbers those that become tracks. */
    private void forgetUnconfirmed(long nanos) {
        int kept = 0;
        for (int i = 0; i < count; i++) {
            FollowedObject object = objects[i];
            if (object.id == 0 && object.hits >= options.confirmHits()) {
                object.id = ++lastId;
            }
            if (object.id == 0 && !object.matched && nanos - object.lastNanos >= confirmNanos) {
                continue;
            }
            keep(kept++, i);
        }
        count = kept;
    }

    private List<Track> tracks() {
        int size = 0;
        for (int i = 0; i < count; i++) {
            size += objects[i].id != 0 ? 1 : 0;
        }
        if (size == 0) {
            return List.of();
        }
        Track[] tracks = new Track[size];
        int filled = 0;
        for (int i = 0; i < count; i++) {
            if (objects[i].id != 0) {
                tracks[filled++] = objects[i].track();
            }
        }
        Arrays.sort(tracks, (first, second) -> Long.compare(first.id(), second.id()));
        return Collections.unmodifiableList(Arrays.asList(tracks));
    }
}
