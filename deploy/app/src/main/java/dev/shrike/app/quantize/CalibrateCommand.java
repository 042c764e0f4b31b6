package dev.shrike.app.quantize;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.app.Console;
import dev.shrike.app.ExitCode;
import dev.shrike.app.HelpAll;
import dev.shrike.app.OtherFile;
import dev.shrike.app.Progress;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.app.detect.Weights;
import dev.shrike.calibration.ranges.ActivationStatistics;
import dev.shrike.calibration.ranges.RangeCalibrator;
import dev.shrike.calibration.ranges.TensorRtCache;
import dev.shrike.files.FileReplacement;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.graph.passes.UnfuseConvolutions;
import dev.shrike.heads.ImageWarning;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code shrike calibrate}: measures the values of a float network on images. */
@Command(
        name = "calibrate",
        description = {
                "Measures the values of a float network on images.",
                "Writes a calibration cache, which 'shrike quantize --cache' takes, and from the same pass one for"
                        + " TensorRT.",
                ""
        },
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = dev.shrike.app.Version.class)
public final class CalibrateCommand implements Callable<Integer> {
    private final Console console;
    private final Function<Boolean, ModelStore> stores;

    @Mixin
    private HelpAll help;

    @Mixin
    private CalibrationOptions common;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "CACHE.json",
            description = "File to write; a pass that was cut off is continued from it.")
    private String output;

    @Option(names = "--tensorrt", paramLabel = "FILE", description = "Write a calibration cache for TensorRT, too.")
    private String tensorRt;

    @Option(
            names = "--tensorrt-version", hidden = true,
            paramLabel = "N",
            defaultValue = "8400",
            description = "TensorRT's version in that file, 8502 for 8.5.2 (default: ${DEFAULT-VALUE}).")
    private int version;

    @Option(
            names = "--ranges",
            paramLabel = "METHOD",
            defaultValue = "entropy",
            description = "How TensorRT's ranges are chosen: entropy, min-max, percentile:99.99, mse or power:2.4"
                    + " (default: ${DEFAULT-VALUE}).")
    private String ranges;

    /** A command that writes to the console. */
    public CalibrateCommand(Console console, Function<Boolean, ModelStore> stores) {
        this.console = console;
        this.stores = stores;
    }

    @Override
    public Integer call() {
        common.check();
        RangeCalibrator method = RangeCalibrator.parse(common.method("--ranges", ranges));
        Path cache = common.path(output);
        FileReplacement.requireFolder(cache);
        Path other = tensorRt == null ? null : common.path(tensorRt);
        if (other != null) {
            FileReplacement.requireFolder(other);
        }
        Steps steps = new Steps(new Progress(console, common.progress()));
        CalibrationData data = common.images(console, Optional.of(cache), steps);
        Path model = Weights.resolve(common.model(), common.width(), common.height(), stores.apply(common.progress()));
        requireOther(model, data, cache, other);
        data.warn(console, common.quiet());
        Backend backend = Backends.usable(Backends.installed(), "").getFirst();
        try {
            measure(model, data.images(), backend, steps, cache, other, method);
            data.report(console, common.quiet());
        } catch (UnsupportedModelException e) {
            throw new UnsupportedModelException(model + ": " + e.getMessage(), e);
        } finally {
            steps.clear();
        }
        return ExitCode.OK;
    }

    private static void requireOther(Path model, CalibrationData data, Path cache, Path other) {
        OtherFile.require("-o", cache, model);
        data.requireOther("-o", cache);
        if (other != null) {
            OtherFile.require("--tensorrt", other, model);
            OtherFile.require("--tensorrt", other, cache);
            data.requireOther("--tensorrt", other);
        }
    }

    private void measure(Path model, List<Path> images, Backend backend, Steps steps, Path cache, Path other,
            RangeCalibrator method) {
        if (backend.reads(model)) {
            throw new ModelException(model + ": is a built model; give the ONNX file that it was made from");
        }
        Graph graph = OnnxModels.read(model);
        ImageWarning.of(graph).ifPresent(warning -> console.note(model + ": " + warning));
        Graph ready = GraphPasses.forInference(
                graph, Measurement.inputShapes(graph, common.width(), common.height()));
        if (!ready.quantization().isEmpty()) {
            throw new UnsupportedModelException("is quantised already: give the float network");
        }
        Graph prepared = new UnfuseConvolutions().apply(ready);
        Map<String, ActivationStatistics> statistics = new Measurement(console, steps, common.quiet()).measure(model,
                prepared, floats(prepared), images, Measurement.Im2col.WHOLE, backend, common.threads(), cache);
        if (other != null) {
            TensorRtCache.Kind kind = method instanceof RangeCalibrator.MinMax ? TensorRtCache.Kind.MIN_MAX
                    : TensorRtCache.Kind.ENTROPY;
            TensorRtCache.write(other, version, kind, scales(graph, prepared, statistics, method));
        }
    }

    /** Names of all float values that depend on the input. */
    private static Set<String> floats(Graph prepared) {
        Map<String, ValueInfo> infos = ShapeInference.infer(prepared);
        Set<String> names = new HashSet<>();
        prepared.inputs().forEach(input -> names.add(input.name()));
        for (Node node : prepared.nodes()) {
            if (node.inputs().stream().anyMatch(names::contains)) {
                node.outputs().stream().filter(name -> !name.isEmpty()
                        && infos.get(name).type() == DataType.FLOAT32 && infos.get(name).shape().elements() > 0)
                        .forEach(names::add);
            }
        }
        return names;
    }

    /** Scales by the names that the tensors have in the model's file, which TensorRT knows them by. */
    private static Map<String, Float> scales(Graph file, Graph prepared, Map<String, ActivationStatistics> statistics,
            RangeCalibrator method) {
        Map<String, String> convolutions = new HashMap<>();
        Set<String> known = new HashSet<>();
        file.inputs().forEach(input -> known.add(input.name()));
        for (Node node : file.nodes()) {
            known.addAll(node.outputs());
            if (node.op() instanceof Op.Conv) {
                convolutions.put(node.name(), node.output());
            }
        }
        Map<String, String> renamed = new HashMap<>();
        for (Node node : prepared.nodes()) {
            if (node.op() instanceof Op.Conv && convolutions.containsKey(node.name())) {
                renamed.put(node.output(), convolutions.get(node.name()));
            }
        }
        Map<String, Float> scales = new HashMap<>();
        statistics.forEach((name, value) -> {
            String original = renamed.getOrDefault(name, name);
            if (known.contains(original)) {
                scales.put(original, TensorRtCache.scale(value, method));
            }
        });
        // What a fused activation hides: a sigmoid lies within 0 and 1 whatever it reads.
        file.nodes().stream()
                .filter(node -> node.op() instanceof Op.Unary unary && unary.kind() == Op.Unary.Kind.SIGMOID)
                .forEach(node -> scales.putIfAbsent(node.output(), 1f / 127));
        return scales;
    }
}
