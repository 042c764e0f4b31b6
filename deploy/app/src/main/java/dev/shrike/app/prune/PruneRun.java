package dev.shrike.app.prune;

import dev.shrike.Detector;
import dev.shrike.Detectors;
import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.app.Console;
import dev.shrike.app.ExitCode;
import dev.shrike.app.Progress;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.app.detect.Weights;
import dev.shrike.app.OtherFile;
import dev.shrike.app.quantize.CalibrationData;
import dev.shrike.app.quantize.Measurement;
import dev.shrike.app.quantize.MemoryBudget;
import dev.shrike.app.quantize.Steps;
import dev.shrike.calibration.Evaluation;
import dev.shrike.calibration.activations.ActivationMemory;
import dev.shrike.calibration.activations.CalibrationPictures;
import dev.shrike.calibration.charts.LayerChart;
import dev.shrike.calibration.data.DataSet;
import dev.shrike.calibration.data.DataSets;
import dev.shrike.calibration.prune.LatencyMeter;
import dev.shrike.calibration.prune.LayerwiseReconstruction;
import dev.shrike.calibration.prune.PruneReport;
import dev.shrike.calibration.prune.Pruner;
import dev.shrike.calibration.prune.ResidualBranches;
import dev.shrike.calibration.prune.WeightPruning;
import dev.shrike.calibration.training.ChannelSensitivity;
import dev.shrike.files.FileReplacement;
import dev.shrike.graph.Graph;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import dev.shrike.vision.Pictures;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Supplier;

/** One run of {@code shrike prune}: chooses, removes, repairs, measures and writes. */
final class PruneRun {
    private static final int ROUNDS = 9;

    private final Console console;
    private final ModelStore store;
    private final PruneRequest request;
    private final Steps steps;

    PruneRun(Console console, ModelStore store, PruneRequest request) {
        this.console = console;
        this.store = store;
        this.request = request;
        this.steps = new Steps(new Progress(console, request.progress()));
    }

    /** The exit code. */
    int run() {
        // Said now, not after the pictures.
        FileReplacement.requireFolder(request.output());
        request.report().ifPresent(FileReplacement::requireFolder);
        request.chart().ifPresent(FileReplacement::requireFolder);
        Optional<DataSet> val = request.val().map(DataSets::open).map(DataSet::requirePictures);
        Path model = Weights.resolve(request.model(), request.width(), request.height(), store);
        OtherFile.require("-o", request.output(), model);
        CalibrationData data = data();
        List<Path> files = data.pictures();
        request.report().ifPresent(file -> data.requireOther("--report", file));
        request.chart().ifPresent(file -> data.requireOther("--chart", file));
        data.warn(console, request.quiet());
        Backend backend = Backends.usable(Backends.installed(), "").getFirst();
        if (backend.reads(model)) {
            throw new ModelException(model + ": is a built model; give the ONNX file that it was made from");
        }
        long start = System.nanoTime();
        try {
            Graph given = OnnxModels.read(model);
            Pruner pruner = new Pruner(given, Measurement.inputShapes(given, request.width(), request.height()),
                    backend, request.threads());
            ActivationMemory memory = MemoryBudget.forActivations(request.memory(), given,
                    FileReplacement.requireFolder(request.output()));
            Graph pruned = pruned(pruner, backend, files, memory);
            steps.clear();
            // What engines cannot run is told here, not where the file goes.
            LatencyMeter meter = new LatencyMeter(backend, request.threads(), ROUNDS);
            long[] nanos = meter.networks(pruner.graph(), pruned);
            OnnxModels.write(pruned, request.output());
            PruneReport report = PruneReport.of(pruner.graph(), pruned, meter.layers(pruner.graph()),
                    meter.layers(pruned), OptionalDouble.of(nanos[0] / 1e6), OptionalDouble.of(nanos[1] / 1e6));
            report(model, val.isPresent() ? withAccuracy(report, val.get(), model) : report, start);
            data.report(console, request.quiet());
        } catch (UnsupportedModelException e) {
            throw new UnsupportedModelException(model + ": " + e.getMessage(), e);
        } catch (ModelException e) {
            throw new ModelException(model + ": " + e.getMessage(), e);
        } finally {
            steps.clear();
        }
        return ExitCode.OK;
    }

    private CalibrationData data() {
        if (request.data().isEmpty()) {
            return new CalibrationData(List.of(), List.of(), List.of());
        }
        CalibrationData chosen = CalibrationData.choose(console,
                new CalibrationData.Wanted(request.data(), request.images(), request.strict(), Optional.empty()),
                (picture, done, total) -> steps.show("reading " + picture.getFileName(), done, total));
        steps.clear();
        return chosen;
    }

    private Graph pruned(Pruner pruner, Backend backend, List<Path> files, ActivationMemory memory) {
        Graph graph = pruner.graph();
        Supplier<CalibrationPictures> pictures =
                () -> CalibrationPictures.withWholes(files, graph.inputs().getFirst(), request.crop());
        return switch (request.what()) {
            case PruneRequest.What.Channels channels -> {
                Pruner.Result result = pruner.prune(new Pruner.Options(channels.criterion(), channels.readers(),
                        channels.budget(), channels.scope(), channels.keep(), request.seed(), channels.steps(),
                        request.repair()), pictures, memory, steps::show);
                steps.clear();
                if (!request.quiet() && !result.note().isEmpty()) {
                    console.note(result.note());
                }
                yield result.graph();
            }
            case PruneRequest.What.Weights weights -> weights(graph, weights.pattern(), backend, pictures, memory);
            case PruneRequest.What.Branches branches -> branches(graph, branches.share(), backend, pictures, memory);
        };
    }

    private Graph weights(Graph graph, WeightPruning.Pattern pattern, Backend backend,
            Supplier<CalibrationPictures> pictures, ActivationMemory memory) {
        if (request.repair().isEmpty()) {
            return WeightPruning.apply(graph, pattern);
        }
        try (CalibrationPictures opened = pictures.get()) {
            return WeightPruning.compensated(graph, pattern, opened, memory, request.repair().get(), backend,
                    (name, done, total) -> steps.show("fitting " + name, done, total));
        }
    }

    private Graph branches(Graph graph, double share, Backend backend, Supplier<CalibrationPictures> pictures,
            ActivationMemory memory) {
        ChannelSensitivity measured = null;
        if (!request.data().isEmpty()) {
            try (CalibrationPictures opened = pictures.get()) {
                measured = new ChannelSensitivity(graph, opened, 1, false, request.threads(),
                        done -> steps.show("measuring branches", done, opened.size()));
            }
        }
        Graph without = ResidualBranches.remove(graph, ResidualBranches.cheapest(graph, share, measured));
        if (request.repair().isEmpty()) {
            return without;
        }
        try (CalibrationPictures opened = pictures.get()) {
            return LayerwiseReconstruction.apply(graph, without, Map.of(), opened, memory, request.repair().get(),
                    backend, (name, done, total) -> steps.show("fitting " + name, done, total));
        }
    }

    private PruneReport withAccuracy(PruneReport report, DataSet data, Path model) {
        double[] before = accuracy(data, model, "before");
        double[] after = accuracy(data, request.output(), "after");
        return report.withAccuracy(before[0], before[1], after[0], after[1]);
    }

    private double[] accuracy(DataSet data, Path model, String when) {
        try (Detector detector = Detectors.open(model, Evaluation.DETECTOR_OPTIONS
                .withInputSize(request.width(), request.height()))) {
            Evaluation evaluation = Evaluation.of(data, detector,
                    (picture, done, total) -> steps.show("mAP " + when + " " + picture, done, total));
            steps.clear();
            return new double[] {evaluation.coco().all()[1], evaluation.coco().all()[0]};
        }
    }

    private void report(Path model, PruneReport report, long start) {
        request.report().ifPresent(file -> FileReplacement.write(file,
                stream -> stream.write(report.json().getBytes(StandardCharsets.UTF_8))));
        request.chart().ifPresent(file -> Pictures.write(LayerChart.draw("What is left of each layer", report.layers()
                .stream().map(layer -> new LayerChart.Bar(layer.before().layer(),
                        layer.after() == null ? 0 : (double) layer.after().outputs() / layer.before().outputs(),
                        layer.after() == null ? 0 : (double) layer.after().macs() / layer.before().macs()))
                .toList()), file));
        if (request.quiet()) {
            return;
        }
        if (request.verbose()) {
            report.table().forEach(console::line);
        }
        report.summary().forEach(console::line);
        console.line(String.format(Locale.ROOT, "%s from %s in %.1f s", request.output(), model.getFileName(),
                (System.nanoTime() - start) / 1e9));
    }
}
