package dev.shrike.app.bench;

import dev.shrike.Frame;
import dev.shrike.UnsupportedModelException;
import dev.shrike.app.bench.harness.InputImage;
import dev.shrike.app.bench.rivals.QdqModel;
import dev.shrike.app.build.InputShapes;
import dev.shrike.app.build.RangeMeter;
import dev.shrike.calibration.quantize.QuantizationPlan;
import dev.shrike.calibration.quantize.Quantizer;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import dev.shrike.spi.BuildOptions;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The files that the engines open for one model in one size: the model itself, and what is made of it in other
 * precisions, in a folder for the time of the bench. Ranges come from the one image that is looked at, which does for
 * times and not for accuracy.
 */
final class ModelVariants {
    private final Path file;
    private final String name;
    private final Optional<Path> image;
    private final Path folder;
    private final boolean tune;
    private final Backend backend;
    private final Graph graph;
    private final Graph ready;
    private final Map<String, Shape> shapes;
    private final Map<String, Path> made = new HashMap<>();

    /**
     * The variants of a model.
     *
     * @param file the model's file
     * @param name what reports call it
     * @param width wanted width of the input in pixels, 0 for the model's own
     * @param folder for the files that are made
     * @param tune whether built models are to have the kernels that are quickest here
     * @param backend the engine that quantised models are made for
     */
    ModelVariants(Path file, String name, int width, int height, Optional<Path> image, Path folder, boolean tune,
            Backend backend) {
        this.file = file;
        this.name = name;
        this.image = image;
        this.folder = folder;
        this.tune = tune;
        this.backend = backend;
        this.graph = Backends.installed().stream().filter(engine -> engine.reads(file)).findFirst()
                .map(engine -> engine.load(file)).orElseGet(() -> OnnxModels.read(file));
        this.shapes = InputShapes.of(graph, width, height);
        this.ready = GraphPasses.forInference(graph, shapes);
    }

    String name() {
        return name;
    }

    Path file() {
        return file;
    }

    /** Whether one of Shrike's engines built the file. */
    boolean isBuilt() {
        return Backends.installed().stream().anyMatch(engine -> engine.reads(file));
    }

    /** Width of the input in pixels, 0 if it is no image. */
    int width() {
        return shapes.isEmpty() ? 0 : Math.toIntExact(shapes.values().iterator().next().dim(3));
    }

    /** As {@link #width}. */
    int height() {
        return shapes.isEmpty() ? 0 : Math.toIntExact(shapes.values().iterator().next().dim(2));
    }

    /** The precision that the file has. */
    String ownPrecision() {
        Map<String, Integer> counts = new TreeMap<>();
        for (Node node : ready.nodes()) {
            if (node.op() instanceof Op.Conv || node.op() instanceof Op.Gemm || node.op() instanceof Op.MatMul) {
                Quantization weights = ready.quantization().get(node.input(1));
                Quantization activations = ready.quantization().get(node.input(0));
                counts.merge(weights == null ? BenchRequest.FLOAT
                        : "w" + weights.bits() + (activations == null ? "" : "a" + activations.bits()), 1,
                        Integer::sum);
            }
        }
        return counts.entrySet().stream().max(Map.Entry.comparingByValue()).map(Map.Entry::getKey)
                .orElse(BenchRequest.FLOAT);
    }

    /** Whether values of the network are codes already. */
    boolean isQuantized() {
        return ready.isQuantized();
    }

    /**
     * The file that Shrike's engine opens for that precision.
     *
     * @throws UnsupportedModelException if the model is quantised already and in another precision
     */
    Path ours(String precision, int threads) {
        if (precision.equals(ownPrecision())) {
            return tune && backend.isPortable() && !isBuilt() ? made.computeIfAbsent("tuned" + threads,
                    key -> build(key, ready, threads)) : file;
        }
        requireFloat(precision);
        String key = precision + (tune ? "-" + threads : "");
        return made.computeIfAbsent(key, _ -> {
            Quantizer quantizer = Quantizer.withoutFit(ready);
            QuantizationPlan plan = quantizer.uniform(BenchRequest.widths(precision));
            Graph quantized;
            try (RangeMeter meter = measure(quantizer.prepared(), quantizer.valuesToMeasure(plan))) {
                quantized = quantizer.quantize(plan, meter.statistics()).graph();
            }
            return build(key, GraphPasses.forInference(quantized, Map.of()), threads);
        });
    }

    private Path build(String key, Graph network, int threads) {
        if (!backend.isPortable()) {
            return write(key, network);
        }
        Path built = folder.resolve(fileName(key) + backend.extension());
        backend.build(network, built, tune ? BuildOptions.TUNED.withThreads(threads) : BuildOptions.UNTUNED);
        return built;
    }

    /** The float file for rivals, whose input has its size. */
    Path rivalFloat() {
        requireOnnx();
        boolean fixed = graph.inputs().stream().allMatch(input -> input.shape().isKnown());
        return fixed ? file : made.computeIfAbsent("fixed", key -> write(key, GraphPasses.simplify(graph, shapes)));
    }

    /** The file in 8 bits for rivals that read such files. */
    Path rivalQuantized() {
        requireOnnx();
        requireFloat("int8");
        return made.computeIfAbsent("int8", key -> {
            Graph simple = GraphPasses.simplify(graph, shapes);
            return write(key, QdqModel.quantize(simple, ranges(simple)));
        });
    }

    private Path write(String key, Graph network) {
        Path written = folder.resolve(fileName(key) + ".onnx");
        OnnxModels.write(network, written);
        return written;
    }

    private String fileName(String key) {
        return name.replaceAll("[^A-Za-z0-9._-]", "_") + "-" + width() + "x" + height() + "-" + key;
    }

    private Map<String, float[]> ranges(Graph network) {
        try (RangeMeter meter = measure(network, QdqModel.rangesNeeded(network))) {
            return meter.ranges();
        }
    }

    /** A meter, to be closed by the caller, that has measured these values on the image. */
    private RangeMeter measure(Graph network, Set<String> wanted) {
        Frame frame = InputImage.frame(image);
        RangeMeter meter = RangeMeter.open(network, wanted, measuring(), 0);
        try {
            meter.measure(frame, image.map(Path::toString).orElse("the image of the bench"));
            return meter;
        } catch (RuntimeException | Error e) {
            meter.close();
            throw e;
        }
    }

    /** Ranges are measured where inner values can be read: on the CPU. */
    private Backend measuring() {
        return Backends.usable(Backends.installed(), "cpu").getFirst();
    }

    private void requireFloat(String precision) {
        if (isQuantized()) {
            throw new UnsupportedModelException(
                    "the model is quantised already, as " + ownPrecision() + ", so it cannot"
                            + " become " + precision + ": give the float network");
        }
    }

    private void requireOnnx() {
        if (isBuilt()) {
            throw new UnsupportedModelException("rivals read ONNX files, this is a built one: give the ONNX file");
        }
    }
}
