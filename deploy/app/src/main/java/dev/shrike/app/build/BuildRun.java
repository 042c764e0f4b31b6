package dev.shrike.app.build;

import dev.shrike.BackendUnavailableException;
import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.app.Console;
import dev.shrike.app.ExitCode;
import dev.shrike.app.OtherFile;
import dev.shrike.app.Progress;
import dev.shrike.app.UsageException;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.app.detect.Weights;
import dev.shrike.app.quantize.CalibrationData;
import dev.shrike.calibration.quantize.BitWidths;
import dev.shrike.calibration.quantize.QuantizationPlan;
import dev.shrike.calibration.quantize.Quantizer;
import dev.shrike.calibration.ranges.ActivationStatistics;
import dev.shrike.files.FileReplacement;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.heads.ImageWarning;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import dev.shrike.spi.BuildOptions;
import dev.shrike.spi.ExecutorOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One run of {@code shrike build}: reads the model, quantises it if that is wanted, and writes the built file. */
final class BuildRun {
    private final Console console;
    private final ModelStore store;
    private final BuildRequest request;
    private final Progress progress;
    private final List<Backend> engines;

    BuildRun(Console console, ModelStore store, BuildRequest request) {
        this(console, store, request, Backends.installed());
    }

    /** With these engines in place of those that are installed. */
    BuildRun(Console console, ModelStore store, BuildRequest request, List<Backend> engines) {
        this.engines = engines;
        this.console = console;
        this.store = store;
        this.request = request;
        this.progress = new Progress(console, request.progress());
    }

    /** The exit code. */
    int run() {
        Backend backend = builder();
        // Said now, not after the images.
        FileReplacement.requireFolder(request.output());
        CalibrationData data = images();
        List<Path> images = data.images();
        Path model = Weights.resolve(request.model(), request.width(), request.height(), store);
        if (!backend.reads(model)) {
            // A built model may be tuned in its place: nothing of it is lost.
            OtherFile.require("-o", request.output(), model);
        }
        data.requireOther("-o", request.output());
        data.warn(console, request.quiet());
        try {
            Graph given = backend.reads(model) ? backend.load(model) : OnnxModels.read(model);
            Graph graph = network(given, model, backend, images);
            long before = BuildSummary.size(model);
            List<String> notes = write(graph, model, backend);
            progress.clear();
            if (!request.quiet()) {
                notes.forEach(console::note);
                new BuildSummary(graph, model, before, request.output()).lines().forEach(console::line);
            }
            data.report(console, request.quiet());
        } finally {
            progress.clear();
        }
        return ExitCode.OK;
    }

    private List<String> write(Graph graph, Path model, Backend backend) {
        BuildOptions options = new BuildOptions(request.kernels().tune(), request.threads(),
                request.kernels().forced(), progress::show, request.engine().batches(), request.engine().calibration());
        try {
            return backend.build(graph, request.output(), options);
        } catch (UnsupportedModelException e) {
            throw new UnsupportedModelException(model + ": " + e.getMessage(), e);
        }
    }

    /** The engine whose files end as the output does. */
    private Backend builder() {
        Backend backend = installed();
        String kernel = request.kernels().forced();
        if (!kernel.isEmpty() && !backend.kernels().contains(kernel)) {
            throw new UsageException(
                    "--kernel '" + kernel + "' is none of the engine '" + backend.name() + "', which has "
                            + String.join(", ", backend.kernels()),
                    null);
        }
        return backend;
    }

    private Backend installed() {
        List<Backend> builders = new ArrayList<>();
        for (Backend backend : engines) {
            if (!backend.extension().isEmpty() && request.output().toString().endsWith(backend.extension())) {
                builders.add(backend);
            }
        }
        if (builders.isEmpty()) {
            throw new BackendUnavailableException("no installed engine builds such files as " + request.output()
                    + ": add dev.shrike:shrike-cpu (.shrike) or dev.shrike:shrike-jetson (.engine) to the class path",
                    null);
        }
        return Backends.usable(builders, "").getFirst();
    }

    /** At most as many images as wanted, at even distances. */
    private CalibrationData images() {
        if (request.quantization().isEmpty()) {
            return new CalibrationData(List.of(), List.of(), List.of());
        }
        BuildRequest.Quantization quantization = request.quantization().get();
        CalibrationData chosen = CalibrationData.choose(console,
                new CalibrationData.Wanted(List.of(quantization.images()), quantization.most(),
                        quantization.strict(), Optional.empty()),
                (image, done, total) -> progress.show("reading " + image.getFileName(), done, total));
        progress.clear();
        return chosen;
    }

    /** The network that goes into the file; whatever is wrong with it names the model. */
    private Graph network(Graph graph, Path model, Backend backend, List<Path> images) {
        try {
            if (!backend.isPortable()) {
                // The build itself is the trial, and takes minutes.
                return sized(graph);
            }
            Graph ready = GraphPasses.forInference(graph, InputShapes.of(graph, request.width(), request.height()));
            Graph built = request.quantization().isEmpty() ? ready : quantized(ready, backend, images);
            // What the engine cannot run is told here, not on the machine that the file goes to.
            backend.open(built, ExecutorOptions.DEFAULT.withThreads(request.threads())).close();
            return built;
        } catch (UnsupportedModelException e) {
            throw new UnsupportedModelException(model + ": " + e.getMessage(), e);
        } catch (ModelException e) {
            throw new ModelException(model + ": " + e.getMessage(), e);
        }
    }

    private Graph quantized(Graph ready, Backend backend, List<Path> images) {
        if (!ready.quantization().isEmpty()) {
            throw new UnsupportedModelException("is quantised already: leave --bits out, or give the float network");
        }
        BuildRequest.Quantization wanted = request.quantization().orElseThrow();
        Quantizer quantizer = Quantizer.withoutFit(ready);
        QuantizationPlan plan = quantizer.uniform(wanted.widths(), wanted.ofEnds());
        ImageWarning.of(ready).ifPresent(console::note);
        warnOfFewBits(wanted.widths());
        Map<String, ActivationStatistics> statistics;
        try (RangeMeter meter = RangeMeter.open(
                quantizer.prepared(), quantizer.valuesToMeasure(plan), backend, request.threads())) {
            for (int i = 0; i < images.size(); i++) {
                progress.show("measuring " + images.get(i).getFileName(), i, images.size());
                meter.measure(images.get(i));
            }
            statistics = meter.statistics();
        }
        progress.clear();
        if (!request.quiet()) {
            console.note("measured the ranges of " + statistics.size() + " values on " + images.size()
                    + (images.size() == 1 ? " image" : " images"));
        }
        return GraphPasses.forInference(quantizer.quantize(plan, statistics).graph(), Map.of());
    }

    /** Networks with plain ranges look well and find nothing. */
    private void warnOfFewBits(BitWidths widths) {
        if (Math.min(widths.weights(), widths.activations()) < Byte.SIZE && !request.quiet()) {
            console.note("warning: --bits w" + widths.weights() + "a" + widths.activations()
                    + " takes plain ranges and the nearest codes, with which most"
                    + " networks lose their objects below 8 bits: 'shrike quantize' fits them to the images ('shrike"
                    + " train --scheme' where there are labels), then build what it writes");
        }
    }

    /** The network with the size of its image, and with the batch that it has, which may be open. */
    private Graph sized(Graph graph) {
        List<ValueInfo> inputs = new ArrayList<>();
        Map<String, Shape> shapes = InputShapes.of(graph, request.width(), request.height());
        for (ValueInfo input : graph.inputs()) {
            long[] dims = shapes.getOrDefault(input.name(), input.shape()).toArray();
            if (dims.length > 0) {
                dims[0] = input.shape().dim(0);
            }
            inputs.add(new ValueInfo(input.name(), input.type(), Shape.of(dims)));
        }
        return graph.withInputs(inputs);
    }
}
