package dev.shrike.app.val;

import dev.shrike.Detector;
import dev.shrike.Frame;
import dev.shrike.SourceException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.app.Console;
import dev.shrike.app.ExitCode;
import dev.shrike.app.ProblemReport;
import dev.shrike.app.Progress;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.app.detect.Openings;
import dev.shrike.app.detect.RunFolder;
import dev.shrike.app.detect.Weights;
import dev.shrike.calibration.Evaluation;
import dev.shrike.calibration.charts.EvaluationCharts;
import dev.shrike.calibration.data.Census;
import dev.shrike.calibration.data.DataSet;
import dev.shrike.calibration.data.DataSetException;
import dev.shrike.calibration.data.DataSets;
import dev.shrike.calibration.data.Problem;
import dev.shrike.calibration.data.ResultsFile;
import dev.shrike.calibration.data.Sample;
import dev.shrike.vision.Images;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** One run of {@code shrike val}: opens data and model, runs on each image, prints and saves the figures. */
final class ValRun {
    private final Console console;
    private final ModelStore store;
    private final ValRequest request;
    private final Progress progress;

    ValRun(Console console, ModelStore store, ValRequest request) {
        this.console = console;
        this.store = store;
        this.request = request;
        this.progress = new Progress(console, request.showing().progress());
    }

    int run() {
        DataSet data = DataSets.open(request.data().path(), request.data().images(), request.data().split());
        data = request.results() == null ? data.requireImages() : data;
        if (request.data().strict()) {
            requireSound(data);
        }
        ValRequest.Saving saving = request.saving();
        try {
            if (!saving.any()) {
                measure(data, null);
                return ExitCode.OK;
            }
            // Made first: that it cannot be written should not show after an hour.
            try (RunFolder folder = RunFolder.create(saving.project(), saving.name(), saving.reuse(),
                    data.samples().stream().map(Sample::file).toList())) {
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
            tellCensus(data);
            Evaluation evaluation = Evaluation.of(data, results.found());
            report(evaluation, Measured.of(request.results(), "", 0, 0, evaluation), folder);
            return;
        }
        Path model = Weights.resolve(
                request.weights(), request.options().inputWidth(), request.options().inputHeight(), store);
        try (Detector detector = Openings.open(model, request.weights(), request.options(), request.augment(), store)) {
            request.showing().notes().apply(detector.engine()).forEach(console::note);
            detector.notes().forEach(note -> console.note(model.getFileName() + ": " + note));
            int[] classes = data.classesOf(detector.labels(), request.data().classesByOrder());
            tellCensus(data);
            Evaluation evaluation = evaluate(data, detector, classes, model);
            progress.clear();
            report(
                    evaluation,
                    Measured.of(model, detector.engine(), detector.inputWidth(), detector.inputHeight(), evaluation),
                    folder);
        }
    }

    /** The figures of a model; errors about its outputs, which show when it runs, name its file. */
    private Evaluation evaluate(DataSet data, Detector detector, int[] classes, Path model) {
        try {
            return Evaluation.of(data, detector, classes, progress::show);
        } catch (UnsupportedModelException e) {
            throw new UnsupportedModelException(model + ": " + e.getMessage(), e);
        }
    }

    /** Reads every image, so that all that is broken is told at once. */
    private void requireSound(DataSet data) {
        List<Problem> problems = new ArrayList<>(data.problems());
        for (int i = 0; i < data.samples().size() && request.results() == null; i++) {
            Sample sample = data.samples().get(i);
            progress.show("reading " + sample.file().getFileName(), i, data.samples().size());
            try {
                sample.read();
            } catch (SourceException e) {
                problems.add(new Problem(Problem.Kind.UNREADABLE_IMAGE, e.getMessage()));
            } catch (DataSetException e) {
                problems.add(new Problem(Problem.Kind.OTHER_SIZE, e.getMessage()));
            }
        }
        progress.clear();
        ProblemReport.requireNone(console, data.file().toString(), problems);
    }

    private void tellCensus(DataSet data) {
        Census census = data.census();
        if (!request.showing().json()) {
            console.note(census.toString());
        }
        if (census.labelled() == 0 && !data.samples().isEmpty()) {
            Sample first = data.samples().getFirst();
            console.note("warning: not one of " + census.images() + " images has an object, so that every figure"
                    + " will be nothing" + (first.relative() ? "; the labels of " + first.file() + " are looked for in "
                            + DataSets.labelsOf(first.file()) : ""));
        }
    }

    /** Lists what was left out, after everything else. */
    private void tellProblems(DataSet measured) {
        if (!measured.problems().isEmpty()) {
            console.note((measured.census().images() - measured.samples().size()) + " of "
                    + measured.census().images() + " images left out of the figures:");
            ProblemReport.lines(measured.problems()).forEach(console::note);
        }
    }

    private void report(Evaluation evaluation, Measured measured, RunFolder folder) {
        if (request.showing().json()) {
            console.line(JsonReport.render(measured));
        } else {
            new TextReport(console, request.showing().verbose()).print(measured);
        }
        if (folder != null) {
            save(evaluation, measured, folder);
        }
        tellProblems(evaluation.data());
    }

    private void save(Evaluation evaluation, Measured measured, RunFolder folder) {
        if (request.saving().results()) {
            Path file = folder.file("", "predictions.json");
            folder.write(() -> ResultsFile.write(file, evaluation.data(), evaluation.found()));
        }
        if (request.saving().images()) {
            EvaluationCharts charts = new EvaluationCharts(measured.yolo(), measured.names());
            write(folder, "PR_curve.png", charts.precisionRecall());
            write(folder, "F1_curve.png", charts.f1());
            write(folder, "P_curve.png", charts.precision());
            write(folder, "R_curve.png", charts.recall());
            write(folder, "confusion_matrix.png", charts.confusion(evaluation.confusion()));
        }
        String text = "Results saved to " + folder.path();
        if (request.showing().json()) {
            console.note(text);
        } else {
            console.line(text);
        }
    }

    private static void write(RunFolder folder, String name, Frame image) {
        folder.write(() -> Images.write(image, folder.file("", name)));
    }
}
