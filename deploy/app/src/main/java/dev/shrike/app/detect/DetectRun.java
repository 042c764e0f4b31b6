package dev.shrike.app.detect;

import dev.shrike.Detections;
import dev.shrike.Detector;
import dev.shrike.Detectors;
import dev.shrike.Frame;
import dev.shrike.ModelException;
import dev.shrike.SourceException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.app.Console;
import dev.shrike.app.ExitCode;
import dev.shrike.app.Progress;
import dev.shrike.app.UsageException;
import dev.shrike.vision.Pictures;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/** One run of {@code shrike detect}: opens the model, looks at each picture, prints and saves what was seen. */
final class DetectRun {
    /** Formats that pictures are written in; others become JPEG. */
    private static final Set<String> WRITABLE = Set.of("jpg", "jpeg", "png");

    private final Console console;
    private final ModelStore store;
    private final DetectRequest request;
    private final Progress progress;

    DetectRun(Console console, ModelStore store, DetectRequest request) {
        this.console = console;
        this.store = store;
        this.request = request;
        this.progress = new Progress(console, request.progress());
    }

    /** The exit code: a failure if any source or picture could not be looked at, though the others were. */
    int run() {
        Sources sources = sources();
        sources.problems().forEach(console::error);
        if (sources.pictures().isEmpty()) {
            return ExitCode.FAILURE;
        }
        Path model = Weights.resolve(
                request.weights(), request.options().inputWidth(), request.options().inputHeight(), store);
        boolean allRead;
        try (Detector detector = open(model)) {
            if (!request.quiet()) {
                detector.notes().forEach(note -> console.note(model.getFileName() + ": " + note));
            }
            if (request.saving().any()) {
                DetectRequest.Saving saving = request.saving();
                try (RunFolder folder = RunFolder.create(saving.project(), saving.name(), saving.reuse())) {
                    allRead = look(sources.pictures(), model, detector, folder);
                }
            } else {
                allRead = look(sources.pictures(), model, detector, null);
            }
        } finally {
            progress.clear();
        }
        return allRead && sources.problems().isEmpty() ? ExitCode.OK : ExitCode.FAILURE;
    }

    private Sources sources() {
        return request.sources().isEmpty()
                ? new Sources(store.samples(), List.of())
                : Sources.expand(request.sources());
    }

    private Detector open(Path model) {
        try {
            return Detectors.open(model, request.options());
        } catch (IllegalArgumentException e) {
            throw new UsageException(e.getMessage(), e);
        }
    }

    /** Whether every picture could be read. */
    private boolean look(List<Path> pictures, Path model, Detector detector, RunFolder folder) {
        Report report = report(pictures, model, detector);
        Totals totals = Totals.NONE;
        for (int i = 0; i < pictures.size(); i++) {
            Path picture = pictures.get(i);
            progress.show(picture.toString(), i, pictures.size());
            Frame frame;
            try {
                frame = Frame.read(picture);
            } catch (SourceException e) {
                progress.clear();
                console.error(e.getMessage());
                continue;
            }
            Detections found = detect(detector, frame, model);
            if (folder != null) {
                save(picture, frame, found, folder);
            }
            totals = totals.plus(found);
            progress.clear();
            report.picture(i, pictures.size(), picture, found);
        }
        if (totals.pictures() > 0) {
            report.summary(totals);
            saved(totals, folder);
        }
        return totals.pictures() == pictures.size();
    }

    /** What the detector sees; errors about the model's outputs, which show when it runs, name its file. */
    private static Detections detect(Detector detector, Frame frame, Path model) {
        try {
            return detector.detect(frame);
        } catch (UnsupportedModelException e) {
            throw new UnsupportedModelException(model + ": " + e.getMessage(), e);
        } catch (ModelException e) {
            throw new ModelException(model + ": " + e.getMessage(), e);
        }
    }

    private Report report(List<Path> pictures, Path model, Detector detector) {
        if (request.json()) {
            return new JsonReport(console, model.getFileName().toString(), detector.engine());
        }
        if (request.quiet()) {
            return Report.SILENT;
        }
        return console.outTerminal() ? new TableReport(console, pictures) : new LineReport(console);
    }

    private void save(Path picture, Frame frame, Detections found, RunFolder folder) {
        String stem = folder.uniqueStem(picture);
        folder.write(() -> {
            if (request.saving().pictures()) {
                String extension = Sources.Names.extension(picture);
                Path target = folder.file("", stem + "." + (WRITABLE.contains(extension) ? extension : "jpg"));
                Pictures.write(Pictures.annotate(frame, found), target);
            }
            if (request.saving().labels()) {
                folder.writeText(
                        folder.file("labels", stem + ".txt"), LabelFile.text(found, request.saving().scores()));
            }
        });
    }

    private void saved(Totals totals, RunFolder folder) {
        if (folder == null || request.quiet()) {
            return;
        }
        String what = totals.pictures() + (totals.pictures() == 1 ? " picture" : " pictures");
        String text = "Results of " + what + " saved to " + folder.path();
        if (request.json()) {
            console.note(text);
        } else {
            console.line(text);
        }
    }
}
