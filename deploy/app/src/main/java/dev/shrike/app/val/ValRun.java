package dev.shrike.app.val;

import dev.shrike.Detector;
import dev.shrike.Detectors;
import dev.shrike.Frame;
import dev.shrike.UnsupportedModelException;
import dev.shrike.app.Console;
import dev.shrike.app.ExitCode;
import dev.shrike.app.Progress;
import dev.shrike.app.UsageException;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.app.detect.RunFolder;
import dev.shrike.app.detect.Weights;
import dev.shrike.calibration.Evaluation;
import dev.shrike.calibration.charts.EvaluationCharts;
import dev.shrike.calibration.data.DataSet;
import dev.shrike.calibration.data.DataSets;
import dev.shrike.calibration.data.ResultsFile;
import dev.shrike.vision.Pictures;
import java.nio.file.Path;

/** One run of {@code shrike val}: opens data and model, looks at each picture, prints and saves the figures. */
final class ValRun {
    private final Console console;
    private final ModelStore store;
    private final ValRequest request;
    private final Progress progress;

    ValRun(Console console, ModelStore store, ValRequest request) {
        this.console = console;
        this.store = store;
        this.request = request;
        this.progress = new Progress(console, request.progress());
    }

    int run() {
        DataSet data = DataSets.open(request.data().path(), request.data().pictures(), request.data().split());
        ValRequest.Saving saving = request.saving();
        try {
            if (!saving.any()) {
                measure(data, null);
                return ExitCode.OK;
            }
            // Made first: that it cannot be written should not show after an hour.
            try (RunFolder folder = RunFolder.create(saving.project(), saving.name(), saving.reuse())) {
                measure(data, folder);
            }
        } finally {
            progress.clear();
        }
        return ExitCode.OK;
    }

    private void measure(DataSet data, RunFolder folder) {
        if (request.results() != null) {
            ResultsFile.Results results = ResultsFile.read(request.results(), data);
            if (results.ignored() > 0) {
                console.note(request.results() + ": " + results.ignored()
                        + " detections of categories that the data set lacks were left out");
            }
            Evaluation evaluation = Evaluation.of(data, results.found());
            report(evaluation, Measured.of(request.results(), "", 0, 0, evaluation), folder);
            return;
        }
        data.requirePictures();
        Path model = Weights.resolve(
                request.weights(), request.options().inputWidth(), request.options().inputHeight(), store);
        try (Detector detector = open(model)) {
            detector.notes().forEach(note -> console.note(model.getFileName() + ": " + note));
            Evaluation evaluation = evaluate(data, detector, model);
            progress.clear();
            report(
                    evaluation,
                    Measured.of(model, detector.engine(), detector.inputWidth(), detector.inputHeight(), evaluation),
                    folder);
        }
    }

    /** The figures of a model; errors about its outputs, which show when it runs, name its file. */
    private Evaluation evaluate(DataSet data, Detector detector, Path model) {
        try {
            return Evaluation.of(data, detector, progress::show);
        } catch (UnsupportedModelException e) {
            throw new UnsupportedModelException(model + ": " + e.getMessage(), e);
        }
    }

    private Detector open(Path model) {
        try {
            return Detectors.open(model, request.options());
        } catch (IllegalArgumentException e) {
            throw new UsageException(e.getMessage(), e);
        }
    }

    private void report(Evaluation evaluation, Measured measured, RunFolder folder) {
        if (request.json()) {
            console.line(JsonReport.render(measured));
        } else {
            new TextReport(console, request.verbose()).print(measured);
        }
        if (folder == null) {
            return;
        }
        if (request.saving().results()) {
            Path file = folder.file("", "predictions.json");
            folder.write(() -> ResultsFile.write(file, evaluation.data(), evaluation.found()));
        }
        if (request.saving().pictures()) {
            EvaluationCharts charts = new EvaluationCharts(measured.yolo(), measured.names());
            write(folder, "PR_curve.png", charts.precisionRecall());
            write(folder, "F1_curve.png", charts.f1());
            write(folder, "P_curve.png", charts.precision());
            write(folder, "R_curve.png", charts.recall());
            write(folder, "confusion_matrix.png", charts.confusion(evaluation.confusion()));
        }
        String text = "Results saved to " + folder.path();
        if (request.json()) {
            console.note(text);
        } else {
            console.line(text);
        }
    }

    private static void write(RunFolder folder, String name, Frame picture) {
        folder.write(() -> Pictures.write(picture, folder.file("", name)));
    }
}
