package dev.shrike.tracking;

import dev.shrike.Detection;
import dev.shrike.Detections;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * Follows the objects of one camera and tells what happens to them. Confined to one thread at a time.
 *
 * <ol>
 * <li>An object that was detected in {@link EventOptions#hits} frames is {@code NEW}.
 * <li>{@code UPDATE} comes when its box or class has changed, not with every frame: a parked car is silent but for a
 * sign of life every {@link EventOptions#repeatSeconds}.
 * <li>{@code END} comes when the tracker has given it up, when the source is lost ({@link #lost}), when no frame comes
 * for too long ({@link #expire}), and when this is closed: no track that was told of is left without.
 * </ol>
 */
public final class TrackEvents implements AutoCloseable {
    /** What was told of a track. */
    private static final class Told {
        Track newest;
        /** As of the last event; null before the first. */
        Track told;
        long toldNanos;

        Told(Track track) {
            newest = track;
        }
    }

    private final String camera;
    private final Tracker tracker;
    private final EventOptions options;
    private final Consumer<TrackEvent> listener;
    private final long updateNanos;
    private final long repeatNanos;
    /** By id, as tracks are. */
    private List<Told> live = new ArrayList<>();
    private List<Told> spare = new ArrayList<>();
    private long frameNanos;
    private RuntimeException failure;

    /**
     * Begins without tracks.
     *
     * @param tracker of this camera alone; it is driven by this object from now on
     * @param listener called by {@link #update} and the others, before they return. If it throws, the other events are
     *     told first
     */
    public TrackEvents(String camera, Tracker tracker, EventOptions options, Consumer<TrackEvent> listener) {
        this.camera = Objects.requireNonNull(camera, "camera");
        this.tracker = Objects.requireNonNull(tracker, "tracker");
        this.options = Objects.requireNonNull(options, "options");
        this.listener = Objects.requireNonNull(listener, "listener");
        updateNanos = Math.round(options.updateSeconds() * 1e9);
        repeatNanos = options.repeatSeconds() == 0 ? Long.MAX_VALUE : Math.round(options.repeatSeconds() * 1e9);
    }

    /**
     * The tracks after this frame, as {@link Tracker#update} gives them.
     *
     * @param nanos when the frame was captured, on the clock of {@link System#nanoTime}
     */
    public List<Track> update(Detections detections, long nanos) {
        return update(detections.list(), nanos);
    }

    /** The same for a list of detections, best score first. */
    public List<Track> update(List<Detection> detections, long nanos) {
        List<Track> tracks = tracker.update(detections, nanos);
        frameNanos = nanos;
        List<Told> next = spare;
        int old = 0;
        int size = tracks.size();
        for (int i = 0; i < size; i++) {
            Track track = tracks.get(i);
            while (old < live.size() && live.get(old).newest.id() < track.id()) {
                end(live.get(old++), nanos);
            }
            boolean known = old < live.size() && live.get(old).newest.id() == track.id();
            Told told = known ? live.get(old++) : new Told(track);
            told.newest = track;
            next.add(told);
            tell(told, nanos);
        }
        while (old < live.size()) {
            end(live.get(old++), nanos);
        }
        spare = live;
        spare.clear();
        live = next;
        throwFailure();
        return tracks;
    }

    /** Ends all tracks: the source is lost, so nobody knows what became of them. */
    public void lost(long nanos) {
        tracker.clear();
        for (Told told : live) {
            end(told, nanos);
        }
        live.clear();
        throwFailure();
    }

    /**
     * To be called now and then while no frame comes: ends all tracks when the last frame is {@code seconds} ago.
     *
     * @param nanos now, on the clock of {@link System#nanoTime}
     */
    public void expire(long nanos, double seconds) {
        if (!live.isEmpty() && nanos - frameNanos > seconds * 1e9) {
            lost(nanos);
        }
    }

    /** Ends all tracks, as of the last frame. */
    @Override
    public void close() {
        lost(frameNanos);
    }

    private void tell(Told told, long nanos) {
        if (told.told == null) {
            if (told.newest.hits() >= options.hits()) {
                tell(TrackEvent.Kind.NEW, told, nanos);
            }
        } else if (told.newest.isDetected(nanos) && isDue(told, nanos - told.toldNanos)) {
            tell(TrackEvent.Kind.UPDATE, told, nanos);
        }
    }

    private boolean isDue(Told told, long since) {
        return since >= repeatNanos || since >= updateNanos && hasChanged(told.told.box(), told.newest.box());
    }

    private boolean hasChanged(Detection before, Detection now) {
        double width = options.change() * before.width();
        double height = options.change() * before.height();
        return before.classId() != now.classId() || Math.abs(now.width() - before.width()) > width
                || Math.abs(now.height() - before.height()) > height
                || Math.abs(now.x1() + now.x2() - before.x1() - before.x2()) / 2 > width
                || Math.abs(now.y1() + now.y2() - before.y1() - before.y2()) / 2 > height;
    }

    private void end(Told told, long nanos) {
        if (told.told != null) {
            tell(TrackEvent.Kind.END, told, nanos);
        }
    }

    private void tell(TrackEvent.Kind kind, Told told, long nanos) {
        told.told = told.newest;
        told.toldNanos = nanos;
        try {
            listener.accept(new TrackEvent(kind, camera, told.newest, nanos));
        } catch (RuntimeException e) {
            if (failure == null) {
                failure = e;
            } else {
                failure.addSuppressed(e);
            }
        }
    }

    private void throwFailure() {
        RuntimeException thrown = failure;
        failure = null;
        if (thrown != null) {
            throw thrown;
        }
    }
}
