package dev.shrike.calibration.quantize;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.activations.ActivationMemory;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.ranges.ActivationStatistics;
import dev.shrike.calibration.ranges.RangeCalibrator;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.graph.passes.MinMaxQuantizer;
import dev.shrike.spi.Backend;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Quantises a float network after training.
 *
 * <ol>
 * <li>Make a quantiser of the network, and a {@link QuantizationPlan} ({@link #uniform}, or one from a file).
 * <li>Measure {@link #valuesToMeasure} on images ({@link dev.shrike.calibration.ranges.ActivationObserver}).
 * <li>{@link #quantize}: gives a graph that an integer engine runs.
 * </ol>
 */
public final class Quantizer {
    /** Chosen by mAP of yolov5n and yolov5s; see the record on quantisation. */
    static final RangeCalibrator WIDE = new RangeCalibrator.LeastError(2.4);
    static final RangeCalibrator NARROW = new RangeCalibrator.LeastError(2);
    /** Codes without zero points have steps twice as wide, which pays less for rare large values. */
    static final RangeCalibrator SYMMETRIC = new RangeCalibrator.LeastError(2);

    private final Graph prepared;
    private final Backend backend;
    private final int threads;
    private final SampledPositions.Choice positions;
    private final ActivationMemory memory;
    private final boolean dynamicRanges;
    private final boolean symmetric;

    /** A quantiser that takes as much memory as it likes; otherwise as the other constructor. */
    public Quantizer(Graph model, Map<String, Shape> inputShapes, Backend backend, int threads) {
        this(model, inputShapes, backend, threads, ActivationMemory.unlimited());
    }

    /**
     * A quantiser.
     *
     * @param model a float network with one image as input
     * @param inputShapes shapes for inputs with open dimensions
     * @param threads worker threads of the engine; 0 takes one per processor
     * @param memory for what values are on the images
     * @throws UnsupportedModelException if the network is quantised already or has no layer to quantise
     */
    public Quantizer(Graph model, Map<String, Shape> inputShapes, Backend backend, int threads,
            ActivationMemory memory) {
        Graph ready = GraphPasses.forInference(model, inputShapes);
        if (ready.isQuantized()) {
            throw new UnsupportedModelException("is quantised already: give the float network");
        }
        this.prepared = MinMaxQuantizer.prepare(ready);
        this.positions = new UniformPositions();
        if (prepared.inputs().size() != 1 || QuantizerPlacement.layers(prepared).isEmpty()) {
            throw new UnsupportedModelException("has " + prepared.inputs().size() + " inputs and "
                    + QuantizerPlacement.layers(prepared).size()
                    + " convolutions; one input and a convolution are needed");
        }
        this.backend = backend;
        this.threads = threads;
        this.memory = memory;
        this.dynamicRanges = false;
        this.symmetric = false;
    }

    private Quantizer(Graph prepared, Backend backend, int threads, ActivationMemory memory,
            SampledPositions.Choice positions,
            boolean dynamicRanges, boolean symmetric) {
        this.dynamicRanges = dynamicRanges;
        this.symmetric = symmetric;
        this.prepared = prepared;
        this.backend = backend;
        this.threads = threads;
        this.memory = memory;
        this.positions = positions;
    }

    /** The same quantiser that fits layers at these positions of images; without it, at even ones that count alike. */
    public Quantizer at(SampledPositions.Choice choice) {
        return new Quantizer(prepared, backend, threads, memory, choice, dynamicRanges, symmetric);
    }

    /** The same quantiser, whose plans leave the ranges of activations to each run, so that it needs no statistics. */
    public Quantizer withDynamicRanges() {
        return new Quantizer(prepared, backend, threads, memory, positions, true, symmetric);
    }

    /**
     * The same quantiser for engines without zero points, such as TensorRT 8: values have signed codes of 8 bits with
     * zero point 0, what a Concat joins has one scale with what it gives, and activation functions get floats. The last
     * layers of its uniform plans stay float, which TensorRT runs in FP16. The result becomes a file for TensorRT by
     * {@link dev.shrike.graph.passes.ExplicitQuantization}.
     */
    public Quantizer withSymmetricCodes() {
        return new Quantizer(prepared, backend, threads, memory, positions, dynamicRanges, true);
    }

    /** The float network with names for all values that may be quantised. */
    public Graph prepared() {
        return prepared;
    }

    /**
     * A plan with these widths everywhere but in the first and the last layers, which have 8 bits; with symmetric codes
     * the last layers are float, unless there are no others.
     */
    public QuantizationPlan uniform(BitWidths widths) {
        Set<String> ends = ends();
        List<Node> all = QuantizerPlacement.layers(prepared);
        Set<String> last = QuantizerPlacement.last(prepared);
        boolean floats = symmetric && last.size() < all.size();
        Map<String, Optional<BitWidths>> layers = new LinkedHashMap<>();
        for (Node node : all) {
            layers.put(node.name(), floats && last.contains(node.name()) ? Optional.empty()
                    : Optional.of(ends.contains(node.name()) ? BitWidths.EIGHT : widths));
        }
        return plan(widths.toString(), layers);
    }

    /** A plan with these widths of layers. */
    QuantizationPlan plan(String scheme, Map<String, Optional<BitWidths>> layers) {
        return dynamicRanges ? new QuantizationPlan(scheme, Optional.empty(), Optional.empty(), true, false, layers)
                : new QuantizationPlan(scheme, Optional.empty(), Optional.empty(), layers);
    }

    /** Names of the first and the last layers. */
    Set<String> ends() {
        Set<String> ends = new HashSet<>(QuantizerPlacement.first(prepared));
        ends.addAll(QuantizerPlacement.last(prepared));
        return ends;
    }

    /** Names of the values whose statistics any plan can need. */
    public Set<String> valuesToMeasure() {
        Set<String> names = new HashSet<>();
        // A narrow copy needs what it copies, an operand that shares codes its own; these two plans show all cases.
        for (BitWidths widths : List.of(new BitWidths(4, 4), BitWidths.EIGHT)) {
            names.addAll(ActivationRanges.sources(QuantizerPlacement.of(prepared, _ -> widths)));
        }
        return names;
    }

    /**
     * The quantised network.
     *
     * @param statistics of {@link #valuesToMeasure}; none are read if the plan has dynamic ranges
     * @param images to fit layers on
     * @throws ModelException if the plan names a layer that the network does not have, or leaves one out
     */
    public Result quantize(QuantizationPlan plan, Map<String, ActivationStatistics> statistics,
            CalibrationImages images, PtqOptions effort, LayerListener listener) {
        Reconstruction reconstruction = reconstruction(plan, statistics, effort, Set.of());
        Graph graph = reconstruction.run(images, memory, listener);
        return new Result(graph, reconstruction.reports(), memory.most());
    }

    /** What fits the layers of a plan; {@code extra} widths of weights are tried on each layer and reported. */
    Reconstruction reconstruction(QuantizationPlan plan, Map<String, ActivationStatistics> statistics,
            PtqOptions effort,
            Set<Integer> extra) {
        check(plan);
        if (symmetric) {
            checkSymmetric(plan);
        }
        if (plan.dynamicRanges()) {
            QuantizerPlacement values = QuantizerPlacement.measured(prepared, plan::widths);
            return new Reconstruction(values.graph(), values.widths(), Map.of(), values.copies(), effort, backend,
                    threads, extra, positions);
        }
        QuantizerPlacement values = QuantizerPlacement.of(prepared, plan::widths, plan.preActivations(), symmetric);
        Map<String, Quantization> activations = new ActivationRanges(values,
                plan.ranges().map(RangeCalibrator::parse).orElse(NARROW),
                plan.wideRanges().map(RangeCalibrator::parse).orElse(symmetric ? SYMMETRIC : WIDE), symmetric)
                .choose(statistics, positions::weighted);
        return new Reconstruction(values.graph(), values.widths(), activations, Set.of(), effort, backend, threads,
                extra, positions);
    }

    /**
     * An executor of a quantised network, of whole inputs.
     *
     * @throws UnsupportedModelException if the engine cannot run it
     */
    public GraphExecutor open(Graph quantized) {
        return backend.open(GraphPasses.forInference(quantized, Map.of()),
                ExecutorOptions.DEFAULT.withThreads(threads));
    }

    /** How much an error of each output channel of a layer counts; empty if that is not known. */
    double[] importance(String layer) {
        return positions.importance(layer);
    }

    /** For what values are on the images. */
    ActivationMemory memory() {
        return memory;
    }

    LayerTrials trials(Graph quantized, List<String> last, CalibrationImages images, int count) {
        return new LayerTrials(quantized, last, images, count, backend, threads);
    }

    private static void checkSymmetric(QuantizationPlan plan) {
        if (plan.dynamicRanges()) {
            throw new ModelException(
                    "the plan has dynamic activation ranges, which TensorRT has not; take static ones");
        }
        if (plan.preActivations()) {
            throw new ModelException("the plan has codes before activation functions, which TensorRT does not fuse;"
                    + " take pre-activations float");
        }
        plan.layers().forEach((name, widths) -> widths.filter(own -> !isEight(own)).ifPresent(own -> {
            throw new ModelException("layer '" + name + "' has " + own + ", but TensorRT runs codes of 8 bits only:"
                    + " give it w8a8, or float");
        }));
    }

    private static boolean isEight(BitWidths widths) {
        return widths.weights() == 8 && widths.activations() == 8 && widths.codes().isConsecutive();
    }

    private void check(QuantizationPlan plan) {
        Set<String> unknown = new java.util.LinkedHashSet<>(plan.layers().keySet());
        for (Node node : QuantizerPlacement.layers(prepared)) {
            if (!unknown.remove(node.name())) {
                throw new ModelException("the plan leaves out the layer '" + node.name() + "'; give it widths such as"
                        + " w8a8, or float");
            }
        }
        if (!unknown.isEmpty()) {
            throw new ModelException("the plan names the layer '" + unknown.iterator().next()
                    + "', which the network does not have");
        }
    }

    /** Told of progress. */
    @FunctionalInterface
    public interface LayerListener {
        /** Layer {@code done} of {@code total} begins. */
        void layer(String name, int done, int total);
    }

    /**
     * A quantised network.
     *
     * @param graph for engines and files
     * @param layers what became of each layer
     * @param activationBytes most bytes of activations that this quantiser held at one time, in memory and on disk
     */
    public record Result(Graph graph, List<LayerReport> layers, long activationBytes) {
        public Result {
            layers = List.copyOf(layers);
        }
    }
}
