package dev.shrike.app.serve;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.app.outputs.Message;
import dev.shrike.app.outputs.Outputs;
import dev.shrike.app.serve.config.ServiceConfig;
import dev.shrike.app.page.PreviewFeed;
import dev.shrike.live.LiveDetector;
import dev.shrike.live.LiveListener;
import dev.shrike.live.LiveResult;
import dev.shrike.live.LiveStatus;
import dev.shrike.sources.FrameSource;
import dev.shrike.sources.SourceState;
import dev.shrike.tracking.Track;
import dev.shrike.tracking.TrackEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * One camera: its newest frame goes through the engine and the tracker to the outputs and, if somebody watches, to the
 * page. Made by the service and closed by it.
 */
final class CameraLoop implements LiveListener, AutoCloseable {
    private final ServiceConfig.Camera camera;
    private final Reporting reporting;
    private final FrameSource source;
    private final SharedDetector detector;
    private final Optional<ObjectTracks> tracks;
    private final PreviewFeed preview;
    private final LatencyHistory history = new LatencyHistory();
    private final RecentEvents events;
    private final FaultLog log;
    private volatile Outputs outputs;
    private volatile LiveDetector live;
    private volatile long listeningSince;
    private volatile boolean paused;
    private volatile boolean ended;
    private long damagedTold;
    private volatile String failure = "";
    private volatile Seen seen = new Seen(0, 0, 0, List.of());
    private long capturedAt = System.nanoTime();
    private long capturedCount;

    /**
     * What was seen last.
     *
     * @param nanos when the result came; 0 if there was none
     * @param ageNanos its age then
     * @param dropped frames dropped so far
     * @param detections what is shown
     */
    record Seen(long nanos, long ageNanos, long dropped, List<Detection> detections) {}

    CameraLoop(ServiceConfig.Camera camera, Reporting reporting, FrameSource source, SharedDetector detector,
            Outputs outputs, PreviewFeed preview, RecentEvents events, FaultLog log) {
        this.camera = camera;
        this.reporting = reporting;
        this.source = source;
        this.detector = detector;
        this.outputs = outputs;
        this.preview = preview;
        this.events = events;
        this.log = log;
        tracks = camera.tracking().enabled() ? Optional.of(new ObjectTracks(camera)) : Optional.empty();
    }

    /** Begins to work. */
    void start() {
        live = LiveDetector.start(source, new PausedDetector(detector, () -> paused), this);
        tellState(source.state());
    }

    /** From the next result on, results go there. */
    void outputs(Outputs others) {
        outputs = others;
        tellState(source.state());
    }

    @Override
    public void onResult(LiveResult result) {
        if (paused) {
            return;
        }
        listeningSince = System.nanoTime() | 1;
        try {
            Detections reported = reporting.reported(result.detections());
            List<Track> followed = List.of();
            if (tracks.isPresent()) {
                ObjectTracks.Update update = tracks.get().update(reporting.candidates(result.detections()),
                        result.frame().capturedNanos());
                followed = update.tracks();
                update.events().forEach(this::tell);
            }
            send(new Message.FrameResult(camera.id(), result.frame().sequence(), result.frame().capturedNanos(),
                    result.frame().clockSynchronized(), result.ageNanos(), result.dropped(), reported, followed));
            show(result, reported, followed);
            // The last frame of a source that has failed for good is no recovery.
            if (source.state().phase() != SourceState.Phase.ENDED) {
                log.over("camera " + camera.id(), "camera " + camera.id() + ": works again");
            }
        } finally {
            listeningSince = 0;
        }
    }

    private void show(LiveResult result, Detections reported, List<Track> followed) {
        long now = System.nanoTime();
        List<Detection> shown = tracks.isPresent() ? labelled(followed, result.frame().capturedNanos())
                : reported.list();
        seen = new Seen(now, result.ageNanos(), result.dropped(), shown);
        history.add(now, result.detections().times(), result.ageNanos());
        if (preview.wanted(now)) {
            preview.offer(result.frame(), shown);
        }
    }

    /** Tracks that were detected in this very frame, with their numbers. */
    private static List<Detection> labelled(List<Track> tracks, long nanos) {
        List<Detection> shown = new ArrayList<>();
        for (Track track : tracks) {
            if (track.isDetected(nanos)) {
                Detection box = track.box();
                shown.add(new Detection(box.classId(), box.label() + " #" + track.id(), box.score(), box.x1(), box.y1(),
                        box.x2(), box.y2()));
            }
        }
        return shown;
    }

    private void tell(TrackEvent event) {
        send(new Message.Tracked(event));
        if (event.kind() != TrackEvent.Kind.UPDATE) {
            events.add(camera.id(), event.kind() == TrackEvent.Kind.NEW ? "new" : "end",
                    event.track().box().label() + " #" + event.track().id());
        }
    }

    @Override
    public void onSourceChanged(SourceState state) {
        tellState(state);
        String name = "camera " + camera.id();
        switch (state.phase()) {
            case RUNNING -> log.over("source " + camera.id(), name + ": frames come");
            case LOST -> log.fault(FaultLog.Level.WARNING, "source " + camera.id(),
                    name + " (" + source.name() + "): lost: " + state.reason());
            case CONNECTING -> {
                if (!state.reason().isEmpty()) {
                    log.fault(FaultLog.Level.WARNING, "source " + camera.id(),
                            name + " (" + source.name() + "): not there: " + state.reason());
                }
            }
            case ENDED -> log.info(name + ": ended" + (state.reason().isEmpty() ? "" : ": " + state.reason()));
        }
        if (state.phase() != SourceState.Phase.RUNNING && camera.tracking().endOnLost()) {
            endTracks();
        }
    }

    private void tellState(SourceState state) {
        send(new Message.SourceChanged(camera.id(), state));
        events.add(camera.id(), "source", state.phase().name().toLowerCase(Locale.ROOT)
                + (state.reason().isEmpty() ? "" : ": " + log.clean(state.reason())));
    }

    /** Stops to look through frames, and ends all tracks, or goes on. */
    void pause(boolean on) {
        if (on != paused) {
            paused = on;
            events.add(camera.id(), "service", on ? "detection off" : "detection on");
            if (on) {
                endTracks();
            }
        }
    }

    boolean paused() {
        return paused;
    }

    private void endTracks() {
        tracks.ifPresent(all -> all.end(System.nanoTime()).forEach(this::tell));
    }

    @Override
    public void onError(Throwable error) {
        failure = String.valueOf(error.getMessage());
        log.fault(FaultLog.Level.WARNING, "camera " + camera.id(), "camera " + camera.id() + ": " + failure);
    }

    @Override
    public void onEnd() {
        endTracks();
        ended = true;
    }

    private void send(Message message) {
        outputs.send(message);
    }

    /** What time does, not frames: tracks of a camera that gives none come to their end. */
    void tick(long now) {
        tellDamaged();
        tracks.ifPresent(all -> all.endUnseen(now).forEach(this::tell));
    }

    private void tellDamaged() {
        long count = source.damaged();
        if (count > damagedTold) {
            damagedTold = count;
            log.fault(FaultLog.Level.WARNING, "damaged " + camera.id(), "camera " + camera.id() + ": damaged frames are"
                    + " left out, " + count + " so far");
        }
    }

    /** Why the loop makes no progress although it should; empty if it does, or has nothing to do. */
    Optional<String> frozen(long now, int seconds) {
        if (ended) {
            return Optional.empty();
        }
        String name = "camera " + camera.id() + ": ";
        long engine = detector.busySeconds(now);
        if (engine > seconds) {
            return Optional.of(name + "the engine has not finished a frame for " + engine + " s");
        }
        long listening = listeningSince;
        if (listening != 0 && TimeUnit.NANOSECONDS.toSeconds(now - listening) > seconds) {
            return Optional.of(name + "an output or the tracker has not taken a result for "
                    + TimeUnit.NANOSECONDS.toSeconds(now - listening) + " s");
        }
        LiveStatus status = live.status();
        if (!status.running()) {
            return ended ? Optional.empty() : Optional.of(name + "its threads have ended");
        }
        if (status.captured() != capturedCount || source.state().phase() != SourceState.Phase.RUNNING) {
            capturedCount = status.captured();
            capturedAt = now;
        }
        long silent = TimeUnit.NANOSECONDS.toSeconds(now - capturedAt);
        return silent > seconds ? Optional.of(name + "gives no frame for " + silent + " s and does not say so")
                : Optional.empty();
    }

    ServiceConfig.Camera camera() {
        return camera;
    }

    SharedDetector detector() {
        return detector;
    }

    FrameSource source() {
        return source;
    }

    PreviewFeed preview() {
        return preview;
    }

    LatencyHistory history() {
        return history;
    }

    Seen seen() {
        return seen;
    }

    /** Whether no more frames will come. */
    boolean ended() {
        return ended;
    }

    /** Why the source failed for good; empty if it did not. */
    String failure() {
        SourceState state = source.state();
        boolean regular = state.phase() == SourceState.Phase.ENDED && state.reason().isEmpty();
        return !ended || regular ? "" : failure.isEmpty() ? state.reason() : failure;
    }

    /** Ends the loop and tells the end of its tracks. */
    @Override
    public void close() {
        preview.close();
        live.close();
        endTracks();
    }
}
