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
import dev.shrike.graph.passes.UnfuseConvolutions;
import dev.shrike.spi.Backend;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
 * One that is made {@link #withoutFit} rounds to nearest by the smallest and largest values, which is quick and less
 * accurate.
 */
public final class Quantizer {
    /** Chosen by mAP of yolov5n and yolov5s; see the record on quantisation. */
    static final RangeCalibrator WIDE = new RangeCalibrator.LeastError(2.4);
    static final RangeCalibrator NARROW = new RangeCalibrator.LeastError(2);
    /** Codes without zero points have steps twice as wide, which pays less for rare large values. */
    static final RangeCalibrator SYMMETRIC = new RangeCalibrator.LeastError(2);

    private static final Optional<String> MIN_MAX = Optional.of("min-max");

    private final Graph prepared;
    private final QuantizableLayers layers;
    /** Null of one that fits nothing. */
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
        requireFloat(ready);
        this.prepared = new UnfuseConvolutions().apply(ready);
        this.layers = QuantizableLayers.convolutions(prepared);
        this.positions = new UniformPositions();
        if (prepared.inputs().size() != 1 || layers.nodes().isEmpty()) {
            throw new UnsupportedModelException("has " + prepared.inputs().size() + " inputs and "
                    + layers.nodes().size() + " convolutions; one input and a convolution are needed");
        }
        this.backend = Objects.requireNonNull(backend, "backend");
        this.threads = threads;
        this.memory = memory;
        this.dynamicRanges = false;
        this.symmetric = false;
    }

    private Quantizer(Graph prepared, QuantizableLayers layers, Backend backend, int threads, ActivationMemory memory,
            SampledPositions.Choice positions,
            boolean dynamicRanges, boolean symmetric) {
        this.dynamicRanges = dynamicRanges;
        this.symmetric = symmetric;
        this.prepared = prepared;
        this.layers = layers;
        this.backend = backend;
        this.threads = threads;
        this.memory = memory;
        this.positions = positions;
    }

    /**
     * A quantiser that fits nothing: each weight becomes the nearest of symmetric codes whose largest one the largest
     * weight of the output channel has, and values have codes from the smallest to the largest one. So it needs no
     * engine and no images, takes the products of Gemm and MatMul too, and weights and values of 1 bit.
     *
     * @param ready a float network as {@link GraphPasses#forInference} gives it
     * @throws UnsupportedModelException if the network is quantised already or has no layer to quantise
     */
    public static Quantizer withoutFit(Graph ready) {
        requireFloat(ready);
        Graph prepared = new UnfuseConvolutions().apply(ready);
        QuantizableLayers layers = QuantizableLayers.withMatrixProducts(prepared);
        if (layers.nodes().isEmpty()) {
            throw new UnsupportedModelException("has no convolution, Gemm or MatMul with constant weights, so there is"
                    + " nothing to quantise: it can only run in float");
        }
        return new Quantizer(prepared, layers, null, 1, ActivationMemory.unlimited(), new UniformPositions(), false,
                false);
    }

    private static void requireFloat(Graph ready) {
        if (ready.isQuantized()) {
            throw new UnsupportedModelException("is quantised already: give the float network");
        }
    }

    /** The same quantiser that fits layers at these positions of images; without it, at even ones that count alike. */
    public Quantizer at(SampledPositions.Choice choice) {
        return new Quantizer(prepared, layers, backend, threads, memory, choice, dynamicRanges, symmetric);
    }

    /** The same quantiser, whose plans leave the ranges of activations to each run, so that it needs no statistics. */
    public Quantizer withDynamicRanges() {
        return new Quantizer(prepared, layers, backend, threads, memory, positions, true, symmetric);
    }

    /**
     * The same quantiser for engines without zero points, such as TensorRT 8: values have signed codes of 8 bits with
     * zero point 0, what a Concat joins has one scale with what it gives, and activation functions get floats. The last
     * layers of its uniform plans stay float, which TensorRT runs in FP16. The result becomes a file for TensorRT by
     * {@link dev.shrike.graph.passes.ExplicitQuantization}.
     */
    public Quantizer withSymmetricCodes() {
        return new Quantizer(prepared, layers, backend, threads, memory, positions, dynamicRanges, true);
    }

    /** The float network with names for all values that may be quantised. */
    public Graph prepared() {
        return prepared;
    }

    /** The layers of that network for which plans have widths. */
    public QuantizableLayers layers() {
        return layers;
    }

    /**
     * A plan with these widths everywhere but in the first and the last layers, which have 8 bits; with symmetric codes
     * the last layers are float, unless there are no others.
     */
    public QuantizationPlan uniform(BitWidths widths) {
        return uniform(widths, Optional.of(BitWidths.EIGHT));
    }

    /**
     * As the other method.
     *
     * @param ofEnds widths of the first and the last layers, or empty for float
     */
    public QuantizationPlan uniform(BitWidths widths, Optional<BitWidths> ofEnds) {
        Set<String> ends = ends();
        boolean floats = symmetric && layers.last().size() < layers.nodes().size();
        Map<String, Optional<BitWidths>> chosen = new LinkedHashMap<>();
        for (Node node : layers.nodes()) {
            String name = node.name();
            chosen.put(name, floats && layers.last().contains(name) ? Optional.empty()
                    : ends.contains(name) ? ofEnds : Optional.of(widths));
        }
        return plan(widths.toString(), chosen);
    }

    /** A plan with these widths of layers. */
    QuantizationPlan plan(String scheme, Map<String, Optional<BitWidths>> layers) {
        if (!fits()) {
            return new QuantizationPlan(scheme, MIN_MAX, MIN_MAX, false, true, layers);
        }
        return dynamicRanges ? new QuantizationPlan(scheme, Optional.empty(), Optional.empty(), true, false, layers)
                : new QuantizationPlan(scheme, Optional.empty(), Optional.empty(), layers);
    }

    /** Names of the first and the last layers. */
    Set<String> ends() {
        Set<String> ends = new HashSet<>(layers.first());
        ends.addAll(layers.last());
        return ends;
    }

    /** Names of the values whose statistics any plan can need. */
    public Set<String> valuesToMeasure() {
        Set<String> names = new HashSet<>();
        // A narrow copy needs what it copies, an operand that shares codes its own; these two plans show all cases.
        for (BitWidths widths : List.of(new BitWidths(4, 4), BitWidths.EIGHT)) {
            names.addAll(ActivationRanges.sources(QuantizerPlacement.of(prepared, layers, _ -> widths,
                    fits() ? QuantizerPlacement.Rules.FITTED : QuantizerPlacement.Rules.NEAREST)));
        }
        return names;
    }

    /** Names of the values whose statistics this plan needs. */
    public Set<String> valuesToMeasure(QuantizationPlan plan) {
        check(plan);
        return plan.dynamicRanges() ? Set.of() : ActivationRanges.sources(placement(plan));
    }

    private QuantizerPlacement placement(QuantizationPlan plan) {
        return QuantizerPlacement.of(prepared, layers, plan::widths,
                new QuantizerPlacement.Rules(plan.preActivations(), symmetric || !fits(), fits()));
    }

    /** Whether layers are fitted to images. */
    private boolean fits() {
        return backend != null;
    }

    /**
     * The network quantised by one that was made {@link #withoutFit}.
     *
     * @param plan whose layers have symmetric codes
     * @param statistics of {@link #valuesToMeasure(QuantizationPlan)}
     * @throws ModelException if the plan names a layer that the network does not have, or leaves one out, or a value
     *     was not measured
     */
    public Result quantize(QuantizationPlan plan, Map<String, ActivationStatistics> statistics) {
        if (fits()) {
            throw new IllegalStateException("images are needed to fit layers; make a quantiser without fit");
        }
        check(plan);
        if (plan.dynamicRanges()) {
            throw new ModelException("the plan has dynamic activation ranges, which go with a fit; take static ones");
        }
        QuantizerPlacement values = placement(plan);
        return new Result(NearestWeights.quantize(values, activations(plan, values, statistics)), List.of(), 0);
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
        if (!fits()) {
            throw new IllegalStateException("was made to round to nearest, not to fit layers");
        }
        check(plan);
        if (symmetric) {
            checkSymmetric(plan);
        }
        if (plan.dynamicRanges()) {
            QuantizerPlacement values = QuantizerPlacement.measured(prepared, layers, plan::widths);
            return new Reconstruction(values.graph(), values.widths(), Map.of(), values.copies(), effort, backend,
                    threads, extra, positions);
        }
        QuantizerPlacement values = placement(plan);
        return new Reconstruction(values.graph(), values.widths(), activations(plan, values, statistics), Set.of(),
                effort, backend, threads, extra, positions);
    }

    /** How values are quantised, by the methods of the plan. */
    private Map<String, Quantization> activations(QuantizationPlan plan, QuantizerPlacement values,
            Map<String, ActivationStatistics> statistics) {
        return new ActivationRanges(values,
                plan.ranges().map(RangeCalibrator::parse).orElse(NARROW),
                plan.wideRanges().map(RangeCalibrator::parse).orElse(symmetric ? SYMMETRIC : WIDE), symmetric)
                .choose(statistics, positions::weighted);
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
        for (Node node : layers.nodes()) {
            if (!unknown.remove(node.name())) {
                throw new ModelException("the plan leaves out the layer '" + node.name() + "'; give it widths such as"
                        + " w8a8, or float");
            }
        }
        if (!unknown.isEmpty()) {
            throw new ModelException("the plan names the layer '" + unknown.iterator().next()
                    + "', which the network does not have");
        }
        plan.layers().forEach((name, widths) -> widths.ifPresent(own -> check(name, own)));
    }

    private void check(String layer, BitWidths widths) {
        if (fits() && !widths.canBeFitted()) {
            throw new ModelException("layer '" + layer + "' has " + widths + ", but a layer is fitted to 2 bits or"
                    + " more; networks of 1 bit come from training");
        }
        if (!fits() && !widths.isSymmetric()) {
            throw new ModelException("layer '" + layer + "' has " + widths + ", but without a fit weights have"
                    + " symmetric codes: give it w" + widths.weights() + "a" + widths.activations() + " symmetric");
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
     * @param layers what became of each layer that was fitted
     * @param activationBytes most bytes of activations that this quantiser held at one time, in memory and on disk
     */
    public record Result(Graph graph, List<LayerReport> layers, long activationBytes) {
        public Result {
            layers = List.copyOf(layers);
        }
    }
}
