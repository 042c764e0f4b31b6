package dev.shrike.app.detect;

import dev.shrike.Detections;
import dev.shrike.DetectorOptions;
import dev.shrike.Frame;
import dev.shrike.ShrikeException;
import dev.shrike.SourceException;
import dev.shrike.app.Console;
import dev.shrike.app.ExitCode;
import dev.shrike.app.Progress;
import dev.shrike.app.page.PageServer;
import dev.shrike.vision.Lettering;
import dev.shrike.vision.Images;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * One run of {@code shrike detect}: opens the model, runs on each image and video, prints and saves what was seen.
 */
final class DetectRun {
    /** Formats of which a file may hold several images. */
    private static final Set<String> SEVERAL = Set.of("tif", "tiff", "webp", "png");

    private final Console console;
    private final ModelStore store;
    private final DetectRequest request;
    private final Progress progress;
    private final Set<String> told = new HashSet<>();

    DetectRun(Console console, ModelStore store, DetectRequest request) {
        this.console = console;
        this.store = store;
        this.request = request;
        this.progress = new Progress(console, request.showing().progress());
    }

    /** The exit code: a failure if any source or image could not be looked at, though the others were. */
    int run() {
        Sources sources = sources();
        sources.problems().forEach(console::error);
        if (sources.images().isEmpty() && sources.moving().isEmpty()) {
            return ExitCode.FAILURE;
        }
        boolean allRead;
        try (OpenModel model = OpenModel.open(request.weights(), detecting(), request.reading(), store)) {
            if (!request.showing().quiet()) {
                request.showing().notes().apply(model.detector().engine()).forEach(console::note);
                model.detector().notes()
                        .forEach(note -> console.note(model.file().getFileName() + ": " + note));
            }
            if (request.saving().any()) {
                DetectRequest.Folder wanted = request.saving().folder();
                try (RunFolder folder = RunFolder.create(wanted.project(), wanted.name(), wanted.reuse(),
                        sources.images())) {
                    allRead = look(sources, model, new SavedResults(request.saving(), folder));
                }
            } else {
                allRead = look(sources, model, null);
            }
        } finally {
            progress.clear();
        }
        return allRead && sources.problems().isEmpty() ? ExitCode.OK : ExitCode.FAILURE;
    }

    /** Objects are followed by weaker detections than are reported. */
    private DetectorOptions detecting() {
        DetectorOptions options = request.options();
        return request.moving().track()
                ? options.toBuilder().confidence(TrackIds.least(options.confidence())).build()
                : options;
    }

    private Detections reported(Detections found) {
        float least = request.options().confidence();
        return request.moving().track()
                ? new Detections(found.width(), found.height(), found.captured(), found.times(),
                        found.list().stream().filter(one -> one.score() >= least).toList())
                : found;
    }

    private Sources sources() {
        Sources found = expanded();
        // The first would be looked at for ever.
        long endless = found.moving().stream().filter(OtherSources::isEndless).count();
        if (endless > 1 || endless == 1 && found.moving().size() > 1) {
            throw new SourceException("one camera or stream at a time, and nothing beside it, is looked at here;"
                    + " 'shrike serve' looks at several");
        }
        return found;
    }

    private Sources expanded() {
        return request.sources().isEmpty()
                ? new Sources(store.samples(), List.of(), List.of())
                : Sources.expand(request.sources());
    }

    /** Whether everything could be read. */
    private boolean look(Sources sources, OpenModel model, SavedResults saved) {
        Report report = report(sources, model);
        Totals totals = lookAtImages(sources.images(), model, report, saved);
        boolean allRead = totals.images() == sources.images().size();
        try (RunPage page = page(sources, model)) {
            for (int i = 0; i < sources.moving().size(); i++) {
                var run = new MovingRun(console, request, model, report, saved, this::missingLetters, page);
                Totals seen = run.look(sources.moving().get(i), i, sources.moving().size());
                totals = totals.plus(seen);
                allRead &= run.allRead();
            }
        }
        if (totals.images() > 0) {
            report.summary(totals);
            tellFolder(totals, saved);
        }
        return allRead;
    }

    /** Null if none is wanted, or there is nothing to show. */
    private RunPage page(Sources sources, OpenModel model) {
        DetectRequest.Moving wanted = request.moving();
        if (sources.moving().isEmpty() && !request.showing().quiet() && (wanted.view() || wanted.track())) {
            console.note((wanted.view() ? "--view" : "--track") + " changes nothing: it is for videos, cameras and"
                    + " streams, and there are images only");
        }
        if (!wanted.view() || sources.moving().isEmpty()) {
            return null;
        }
        PageServer.boundProcess();
        try {
            RunPage page = new RunPage(wanted.viewPort(), model.file().getFileName().toString(),
                    model.detector().engine());
            console.note("page at " + page.url());
            return page;
        } catch (ShrikeException e) {
            throw new ShrikeException("--view cannot listen at port " + wanted.viewPort() + " of this machine; choose"
                    + " another --view-port, or none for a free one", e);
        }
    }

    private Totals lookAtImages(List<Path> images, OpenModel model, Report report, SavedResults saved) {
        Totals totals = Totals.NONE;
        for (int i = 0; i < images.size(); i++) {
            Path image = images.get(i);
            progress.show(image.toString(), i, images.size());
            Frame frame;
            try {
                frame = image == StandardInput.PATH ? StandardInput.read(System.in) : Frame.read(image);
            } catch (SourceException e) {
                progress.clear();
                console.error(e.getMessage());
                continue;
            }
            Detections found = reported(model.detect(frame));
            if (saved != null) {
                saved.add(image, frame, found);
                missingLetters();
            }
            totals = totals.plus(found);
            progress.clear();
            noteOthers(image);
            report.image(i, images.size(), image, found);
        }
        return totals;
    }

    /** Says so where only the first of several images in a file was looked at. */
    private void noteOthers(Path image) {
        if (request.showing().quiet() || !SEVERAL.contains(Sources.Names.extension(image))) {
            return;
        }
        int count = Images.count(image);
        if (count > 1) {
            console.note(image + ": holds " + count + " images; the first is looked at");
        }
    }

    private Report report(Sources sources, OpenModel model) {
        if (request.showing().json()) {
            return new JsonReport(console, model.file().getFileName().toString(), model.detector().engine());
        }
        if (request.showing().quiet()) {
            return Report.SILENT;
        }
        return console.outTerminal() ? new TableReport(console, sources) : new LineReport(console);
    }

    /** Says once of each script that no font here has it. */
    private void missingLetters() {
        for (String missing : Lettering.missing()) {
            String packages = missing.substring(missing.lastIndexOf(':') + 1);
            if (!request.showing().quiet() && told.add(packages)) {
                progress.clear();
                console.note(missing);
            }
        }
    }

    private void tellFolder(Totals totals, SavedResults saved) {
        if (saved == null || request.showing().quiet()) {
            return;
        }
        String what = totals.images() + (totals.images() == 1 ? " image" : " images");
        String text = "Results of " + what + " saved to " + saved.path();
        if (request.showing().json()) {
            console.note(text);
        } else {
            console.line(text);
        }
    }
}
