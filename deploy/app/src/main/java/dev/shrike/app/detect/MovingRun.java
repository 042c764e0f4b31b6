package dev.shrike.app.detect;

import dev.shrike.Detections;
import dev.shrike.ShrikeException;
import dev.shrike.SourceException;
import dev.shrike.app.Console;
import dev.shrike.live.LiveDetector;
import dev.shrike.live.LiveListener;
import dev.shrike.live.LiveResult;
import dev.shrike.sources.FrameSource;
import dev.shrike.sources.SourceState;
import dev.shrike.sources.SourceState.Phase;
import java.time.Duration;

/** Looks at one video to its end, or at one camera or stream until the process is told to stop. */
final class MovingRun {
    private final Console console;
    private final DetectRequest request;
    private final OpenModel model;
    private final Report report;
    private final SavedResults saved;
    private final Runnable afterDrawing;
    private final RunPage page;
    private Totals totals = Totals.NONE;
    private volatile Throwable failure;
    private boolean allRead = true;

    /**
     * @param saved null if nothing is written
     * @param page null if nothing is shown
     */
    MovingRun(Console console, DetectRequest request, OpenModel model, Report report, SavedResults saved,
            Runnable afterDrawing, RunPage page) {
        this.page = page;
        this.console = console;
        this.request = request;
        this.model = model;
        this.report = report;
        this.saved = saved;
        this.afterDrawing = afterDrawing;
    }

    /** Whether the source could be read to its end. */
    boolean allRead() {
        return allRead;
    }

    /** What was seen in the source, the {@code index}th of {@code count}. */
    Totals look(String uri, int index, int count) {
        try (StridedSource source = new StridedSource(
                dev.shrike.sources.Sources.open(uri, request.moving().options()), request.moving().stride());
                SavedVideo video = saved == null ? null : saved.video(source.name())) {
            look(source, video, index, count);
        } catch (ShrikeException e) {
            console.error(e.getMessage());
            allRead = false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            allRead = false;
        }
        return totals;
    }

    private void look(StridedSource source, SavedVideo video, int index, int count) throws InterruptedException {
        LiveDetector.Mode mode = source.live() ? LiveDetector.Mode.NEWEST : LiveDetector.Mode.EVERY;
        Listener listener = new Listener(source, video, index, count);
        if (page != null) {
            page.begin(source);
        }
        try (LiveDetector live = LiveDetector.start(source, model.detector(), listener, mode)) {
            while (failure == null && !live.await(Duration.ofMillis(200))) {
                // A failure ends it as well.
            }
        }
        tellDamaged(source);
        switch (failure) {
            case null -> {
                if (listener.number == 0) {
                    int stride = request.moving().stride();
                    throw new SourceException(source.name() + ": has no frame to run on"
                            + (stride > 1 ? ": fewer than --vid-stride " + stride : ""));
                }
            }
            case ShrikeException e -> throw model.named(e);
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException(failure);
        }
    }

    private void tellDamaged(FrameSource source) {
        long count = source.damaged();
        if (source.missing() > 0) {
            console.note("warning: " + source.name() + ": was cut off: " + source.missing()
                    + " frames that it says it has are not there");
        }
        if (count > 0 && !request.showing().quiet()) {
            console.note(source.name() + ": " + count + (count == 1 ? " damaged frame was" : " damaged frames were")
                    + " left out");
        }
    }

    /** Prints and saves each result; on the detection thread but for changes of the source. */
    private final class Listener implements LiveListener {
        private final StridedSource source;
        private final SavedVideo video;
        private final int index;
        private final int count;
        private final TrackIds ids;
        private long number;

        Listener(StridedSource source, SavedVideo video, int index, int count) {
            this.source = source;
            this.video = video;
            this.index = index;
            this.count = count;
            ids = request.moving().track() ? new TrackIds(request.options().confidence()) : null;
        }

        @Override
        public void onResult(LiveResult result) {
            if (failure != null) {
                return;
            }
            Detections named = model.names().name(result.detections());
            TrackIds.Followed followed = ids == null
                    ? TrackIds.Followed.none(named)
                    : ids.update(named, result.frame().capturedNanos());
            Detections found = followed.found();
            number++;
            if (video != null) {
                video.add(result.frame(), followed, number);
                afterDrawing.run();
            }
            if (page != null) {
                page.show(result, followed.labelled().list());
            }
            totals = totals.plus(found);
            report.frame(new Report.MovingFrame(index, count, source.name(), number,
                    (result.frame().capturedNanos() - source.firstNanos()) / 1e9, found.captured(),
                    source.live(), followed.ids()), found);
        }

        @Override
        public void onError(Throwable error) {
            if (failure == null) {
                failure = error;
            }
        }

        @Override
        public void onSourceChanged(SourceState state) {
            if (!request.showing().quiet() && (state.phase() == Phase.LOST
                    || state.phase() == Phase.CONNECTING && !state.reason().isEmpty())) {
                console.note(source.name() + ": " + state.reason() + "; it is tried again");
            } else if (!request.showing().quiet() && state.phase() == Phase.RUNNING && state.reconnects() > 0) {
                console.note(source.name() + ": is there again");
            }
        }
    }
}
