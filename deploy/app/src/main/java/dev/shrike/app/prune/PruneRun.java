package dev.shrike.app.prune;

import dev.shrike.Detector;
import dev.shrike.Detectors;
import dev.shrike.ModelException;
import dev.shrike.ShrikeException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.app.Console;
import dev.shrike.app.ExitCode;
import dev.shrike.app.OtherFile;
import dev.shrike.app.Progress;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.app.detect.Weights;
import dev.shrike.app.quantize.CalibrationData;
import dev.shrike.app.quantize.Measurement;
import dev.shrike.app.quantize.MemoryBudget;
import dev.shrike.app.quantize.Steps;
import dev.shrike.calibration.Evaluation;
import dev.shrike.calibration.activations.ActivationMemory;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.charts.FrontChart;
import dev.shrike.calibration.charts.LayerChart;
import dev.shrike.calibration.data.DataSet;
import dev.shrike.calibration.data.DataSets;
import dev.shrike.calibration.prune.Budget;
import dev.shrike.calibration.prune.ChannelLatencies;
import dev.shrike.calibration.prune.LatencyMeter;
import dev.shrike.calibration.prune.LayerwiseReconstruction;
import dev.shrike.calibration.prune.ParetoFront;
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
import dev.shrike.vision.Images;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
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
    /** Fewer, since a table has about ten numbers a layer. */
    private static final int TABLE_ROUNDS = 5;

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
        // Said now, not after the images.
        FileReplacement.requireFolder(request.output());
        request.report().ifPresent(FileReplacement::requireFolder);
        request.chart().ifPresent(FileReplacement::requireFolder);
        request.latencies().ifPresent(FileReplacement::requireFolder);
        request.front().ifPresent(FileReplacement::requireFolder);
        request.frontChart().ifPresent(FileReplacement::requireFolder);
        Optional<DataSet> val = request.val().map(DataSets::open).map(DataSet::requireImages);
        Path model = Weights.resolve(request.model(), request.width(), request.height(), store);
        OtherFile.require("-o", request.output(), model);
        CalibrationData data = data();
        List<Path> files = data.images();
        request.report().ifPresent(file -> data.requireOther("--report", file));
        request.chart().ifPresent(file -> data.requireOther("--chart", file));
        request.front().ifPresent(file -> data.requireOther("--front", file));
        request.frontChart().ifPresent(file -> data.requireOther("--front-chart", file));
        Backend backend = Backends.usable(Backends.installed(), "").getFirst();
        if (backend.reads(model)) {
            throw new ModelException(model + ": is a built model; give the ONNX file that it was made from");
        }
        data.warn(console, request.quiet());
        long start = System.nanoTime();
        try {
            Graph given = OnnxModels.read(model);
            Pruner pruner = new Pruner(given, Measurement.inputShapes(given, request.width(), request.height()),
                    backend, request.threads());
            ActivationMemory memory = MemoryBudget.forActivations(request.memory(), given,
                    FileReplacement.requireFolder(request.output()));
            Graph pruned = pruned(pruner, backend, files, memory, val);
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
                (image, done, total) -> steps.show("reading " + image.getFileName(), done, total));
        steps.clear();
        return chosen;
    }

    private Graph pruned(Pruner pruner, Backend backend, List<Path> files, ActivationMemory memory,
            Optional<DataSet> val) {
        Graph graph = pruner.graph();
        Supplier<CalibrationImages> images =
                () -> CalibrationImages.withWholes(files, graph.inputs().getFirst(), request.crop());
        return switch (request.what()) {
            case PruneRequest.What.Channels channels -> {
                Pruner.Result result = pruner.prune(new Pruner.Options(channels.criterion(), channels.readers(),
                        channels.budget(), channels.scope(), channels.keep(), request.seed(), channels.steps(),
                        request.repair(), search(channels.search(), val), latencies(channels.budget(), graph, backend)),
                        images, memory, steps::show);
                steps.clear();
                result.front().ifPresent(this::write);
                if (!request.quiet() && !result.note().isEmpty()) {
                    console.note(result.note());
                }
                yield result.graph();
            }
            case PruneRequest.What.Weights weights -> weights(graph, weights.pattern(), backend, images, memory);
            case PruneRequest.What.Branches branches -> branches(graph, branches.share(), backend, images, memory);
        };
    }

    /** With accuracies of an evolution's front, where there is a data set. */
    private Pruner.Search search(Pruner.Search search, Optional<DataSet> val) {
        return search instanceof Pruner.Search.Evolution evolution && val.isPresent()
                ? new Pruner.Search.Evolution(evolution.population(), evolution.generations(),
                        Optional.of(graph -> accuracy(val.get(), graph)))
                : search;
    }

    private double accuracy(DataSet data, Graph graph) {
        Path file = null;
        try {
            file = Files.createTempFile(FileReplacement.requireFolder(request.output()), "prune", ".onnx");
            OnnxModels.write(graph, file);
            return accuracy(data, file, "of the front")[1];
        } catch (IOException e) {
            throw new ShrikeException(request.output() + ": no file can be made beside it: " + e.getMessage(), e);
        } finally {
            if (file != null) {
                file.toFile().delete();
            }
        }
    }

    /** The table, if the budget is one of latency. */
    private Optional<ChannelLatencies> latencies(Budget budget, Graph graph, Backend backend) {
        if (budget.measure() != Budget.Measure.LATENCY) {
            return Optional.empty();
        }
        Optional<Path> file = request.latencies();
        if (file.isPresent() && Files.exists(file.get())) {
            return Optional.of(ChannelLatencies.read(file.get()).forNetwork(graph, file.get().toString()));
        }
        ChannelLatencies measured = ChannelLatencies.measure(graph,
                new LatencyMeter(backend, request.threads(), TABLE_ROUNDS), backend.name(), steps::show);
        file.ifPresent(measured::write);
        return Optional.of(measured);
    }

    private void write(ParetoFront front) {
        request.front().ifPresent(file -> FileReplacement.write(file,
                stream -> stream.write(front.json().getBytes(StandardCharsets.UTF_8))));
        boolean measured = front.points().stream().allMatch(point -> point.accuracy().isPresent());
        request.frontChart().ifPresent(file -> Images.write(FrontChart.draw("What less costs",
                front.unit() + " that remain", measured ? "mAP50-95" : "divergence of the heads",
                front.points().stream().map(point -> new FrontChart.Point(point.cost() / front.whole(),
                        measured ? point.accuracy().getAsDouble() : point.divergence())).toList()),
                file));
    }

    private Graph weights(Graph graph, WeightPruning.Pattern pattern, Backend backend,
            Supplier<CalibrationImages> images, ActivationMemory memory) {
        if (request.repair().isEmpty()) {
            return WeightPruning.apply(graph, pattern);
        }
        try (CalibrationImages opened = images.get()) {
            return WeightPruning.compensated(graph, pattern, opened, memory, request.repair().get(), backend,
                    (name, done, total) -> steps.show("fitting " + name, done, total));
        }
    }

    private Graph branches(Graph graph, double share, Backend backend, Supplier<CalibrationImages> images,
            ActivationMemory memory) {
        ChannelSensitivity measured = null;
        if (!request.data().isEmpty()) {
            try (CalibrationImages opened = images.get()) {
                measured = ChannelSensitivity.measure(graph, opened, 1, false, request.threads(),
                        done -> steps.show("measuring branches", done, opened.size()));
            }
        }
        Graph without = ResidualBranches.remove(graph, ResidualBranches.cheapest(graph, share, measured));
        if (request.repair().isEmpty()) {
            return without;
        }
        try (CalibrationImages opened = images.get()) {
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
                    (image, done, total) -> steps.show("mAP " + when + " " + image, done, total));
            steps.clear();
            return new double[] {evaluation.coco().all()[1], evaluation.coco().all()[0]};
        }
    }

    private void report(Path model, PruneReport report, long start) {
        request.report().ifPresent(file -> FileReplacement.write(file,
                stream -> stream.write(report.json().getBytes(StandardCharsets.UTF_8))));
        request.chart().ifPresent(file -> Images.write(LayerChart.draw("What is left of each layer", report.layers()
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
