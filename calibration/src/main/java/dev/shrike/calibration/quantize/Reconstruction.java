package dev.shrike.calibration.quantize;

import dev.shrike.calibration.activations.ActivationMemory;
import dev.shrike.calibration.activations.ActivationStore;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.activations.Elements;
import dev.shrike.calibration.activations.HeapGarbage;
import dev.shrike.calibration.linear.BlasThreads;
import dev.shrike.calibration.activations.Stage;
import dev.shrike.calibration.activations.Subgraphs;
import dev.shrike.calibration.quantize.rounding.EntropySteps;
import dev.shrike.calibration.quantize.rounding.KroneckerRounding;
import dev.shrike.calibration.quantize.rounding.WeightFormat;
import dev.shrike.calibration.quantize.rounding.WeightRounding;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;

/**
 * Quantises the layers of a network one after another on images. Each layer is fitted to give, from what the layers
 * before it make of the images once they are quantised, what the float network gives there: weights first by least
 * squares, then rounded ({@link WeightRounding}), at last the bias. So a layer makes good part of what the rounding of
 * activations and earlier weights has changed.
 *
 * <p>Every part of the network runs once in float and once in integers for every image; what later parts need is kept
 * ({@link ActivationStore}) and forgotten as soon as nobody needs it.
 */
final class Reconstruction {
    private final Graph graph;
    private final Map<String, BitWidths> widths;
    private final Map<String, Quantization> activations;
    private final Set<String> measured;
    private final PtqOptions effort;
    private final Backend backend;
    private final int threads;
    private final Set<Integer> extra;
    private final SampledPositions.Choice positions;
    private final Map<String, DoubleUnaryOperator> functions;
    private final Map<String, Map<Integer, Trial>> trials = new HashMap<>();
    private final Map<String, Tensor> constants;
    private final Map<String, Quantization> quantization;
    private final Map<String, List<String>> inputsOf = new HashMap<>();
    private final List<LayerReport> reports = new ArrayList<>();
    private final Map<String, double[]> unitNoises = new HashMap<>();
    private final HeapGarbage garbage = new HeapGarbage();
    private float[] buffer = new float[0];
    private float[] second = new float[0];

    /**
     * @param graph float, with all values named that are to be quantised
     * @param widths of the layers by name
     * @param activations quantisation of values
     * @param measured results of Identity that are rounded by their own range instead
     */
    Reconstruction(Graph graph, Map<String, BitWidths> widths, Map<String, Quantization> activations,
            Set<String> measured, PtqOptions effort, Backend backend, int threads, Set<Integer> extra,
            SampledPositions.Choice positions) {
        this.graph = graph;
        this.widths = widths;
        this.activations = activations;
        this.measured = measured;
        this.effort = effort;
        this.backend = backend;
        this.threads = threads;
        this.extra = extra;
        this.positions = positions;
        this.functions = ActivationRanges.functions(graph);
        this.constants = new HashMap<>(graph.constants());
        this.quantization = new HashMap<>(activations);
    }

    /** The quantised graph; values of images are kept in that memory. */
    Graph run(CalibrationImages images, ActivationMemory memory, Quantizer.LayerListener listener) {
        Graph cropped = cropped(images.shape());
        Map<String, ValueInfo> infos = ShapeInference.infer(cropped);
        List<Stage> stages = Stage.of(cropped, widths.keySet());
        try (BlasThreads _ = BlasThreads.use(threads);
                ActivationStore floats = new ActivationStore(images.size(), memory);
                ActivationStore codes = new ActivationStore(images.size(), memory)) {
            ValueInfo input = cropped.inputs().getFirst();
            for (int i = 0; i < images.size(); i++) {
                int count = Math.toIntExact(input.shape().elements());
                images.read(i, buffer(count));
                floats.put(input.name(), i, buffer, count, null);
                codes.put(input.name(), i, buffer, count, activations.get(input.name()));
            }
            for (int i = 0; i < stages.size(); i++) {
                Stage stage = stages.get(i);
                listener.layer(stage.layer() == null ? "" : stage.layer().name(), i, stages.size());
                stage(cropped, infos, stage, floats, codes);
                for (String name : stage.inputs()) {
                    if (stages.stream().skip(i + 1L).noneMatch(later -> later.inputs().contains(name))) {
                        floats.free(name);
                        codes.free(name);
                    }
                }
                garbage.check();
            }
        }
        return assembled(graph);
    }

    /** What the extra widths would have done to each layer, by name and width. */
    Map<String, Map<Integer, Trial>> trials() {
        return trials;
    }

    /**
     * Weights of a layer in another width.
     *
     * @param codes the codes
     * @param how what they mean
     * @param noise what rounding adds to the error of the layer's result, as a share of its spread
     */
    record Trial(Tensor codes, Quantization how, double noise) {}

    /** {@link LayerFit#unitNoise} of each layer that was fitted, by name. */
    Map<String, double[]> unitNoises() {
        return unitNoises;
    }

    /** What became of each layer, in order. */
    List<LayerReport> reports() {
        return List.copyOf(reports);
    }

    private Graph cropped(Shape shape) {
        return Subgraphs.resized(graph, shape, graph.nodes().stream().filter(node -> widths.containsKey(node.name()))
                .map(Node::output).toList());
    }

    private void stage(Graph cropped, Map<String, ValueInfo> infos, Stage stage, ActivationStore floats,
            ActivationStore codes) {
        Node layer = stage.layer();
        Set<String> more = layer == null ? Set.of() : Set.of(layer.output());
        LayerSamples pairs = pairs(layer, infos, (long) effort.positions() * floats.images());
        try (GraphExecutor executor = open(stage.graph(cropped, infos, more))) {
            Im2colSampler sampler = pairs == null ? null
                    : new Im2colSampler(((Op.Conv) layer.op()).window(), infos.get(layer.input(0)).shape(),
                            infos.get(layer.output()).shape());
            for (int i = 0; i < floats.images(); i++) {
                load(executor, floats, i);
                executor.run();
                for (Binding output : executor.outputs()) {
                    Elements.read(output, buffer(output.elements()));
                    if (sampler != null && output.name().equals(layer.output())) {
                        codes.get(layer.input(0), i, second(codes.elements(layer.input(0))));
                        sampler.sample(second, buffer,
                                positions.of(layer.name(), i, sampler.positions(), effort.positions()), pairs);
                    }
                    if (stage.results().contains(output.name())) {
                        floats.put(output.name(), i, buffer, output.elements(), null);
                    }
                }
            }
            if (layer != null) {
                quantize(layer, pairs);
            }
        } finally {
            if (pairs != null) {
                pairs.close();
            }
        }
        if (stage.results().isEmpty()) {
            return;
        }
        try (GraphExecutor executor = open(assembled(stage.graph(cropped, infos, Set.of())))) {
            for (int i = 0; i < codes.images(); i++) {
                load(executor, codes, i);
                executor.run();
                for (Binding output : executor.outputs()) {
                    Elements.read(output, buffer(output.elements()));
                    codes.put(output.name(), i, buffer, output.elements(), activations.get(output.name()));
                }
            }
        }
    }

    private LayerSamples pairs(Node layer, Map<String, ValueInfo> infos, long most) {
        if (layer == null || LayerWeights.group(layer) != 1) {
            return null;
        }
        return new LayerSamples(LayerWeights.of(graph.constants().get(layer.input(1))).depth(),
                (int) infos.get(layer.output()).shape().dim(1),
                effort.weighOutputs() ? functions.get(layer.output()) : null, most);
    }

    private GraphExecutor open(Graph stage) {
        return backend.open(stage, ExecutorOptions.DEFAULT.withThreads(threads));
    }

    private void load(GraphExecutor executor, ActivationStore store, int image) {
        for (Binding input : executor.inputs()) {
            store.get(input.name(), image, buffer(input.elements()));
            Elements.write(buffer, input);
        }
    }

    private void quantize(Node layer, LayerSamples pairs) {
        Tensor given = graph.constants().get(layer.input(1));
        LayerWeights form = LayerWeights.of(given);
        BitWidths own = widths.get(layer.name());
        double[] weights = form.fromTensor(given);
        WeightRounding.Rounded rounded;
        String bias = layer.input(2);
        if (pairs == null) {
            rounded = own.codes() == WeightFormat.ENTROPY_CODED
                    ? WeightRounding.nearest(weights, form.rows(), own.rate())
                    : WeightRounding.nearest(weights, form.rows(), own.codes().sets(own.weights()));
        } else {
            LayerFit fit = pairs.fit(weights, effort, own.rate(), coupling(layer.name(), own.rate(), form.rows()));
            double fitted = fit.relativeError(fit.wanted());
            for (int width : extra) {
                WeightRounding.Rounded other = fit.round(own.codes().sets(width));
                trials.computeIfAbsent(layer.name(), _ -> new HashMap<>()).put(width,
                        new Trial(form.codes(other), LayerWeights.quantization(other, own.codes(), width),
                                fit.relativeError(other.floats()) - fitted));
                garbage.check();
            }
            rounded = own.codes() == WeightFormat.ENTROPY_CODED
                    ? fit.round(own.rate(), positions.importance(layer.name()))
                    : fit.round(own.codes().sets(own.weights()));
            unitNoises.put(layer.name(), fit.unitNoise());
            if (effort.refitBias()) {
                bias = layer.name() + ".bias.fitted";
                constants.put(bias, Tensor.ofFloats(Shape.of(form.rows()), fit.offsets(rounded.floats())));
            }
            reports.add(new LayerReport(layer.name(), own, fitted, fit.relativeError(rounded.floats()), weights.length,
                    EntropySteps.entropy(rounded.codes())));
        }
        String name = layer.name() + ".weights.codes";
        constants.put(name, form.codes(rounded));
        quantization.put(name, LayerWeights.quantization(rounded, own.codes(), own.weights()));
        inputsOf.put(layer.name(), bias.isEmpty() ? List.of(layer.input(0), name)
                : List.of(layer.input(0), name, bias));
    }

    private KroneckerRounding coupling(String layer, double bits, int rows) {
        double[] moments = effort.couplesRows(bits) ? positions.coupling(layer) : new double[0];
        return moments.length == 0 ? null : new KroneckerRounding(moments, rows);
    }

    /** The graph with what is quantised by now. */
    private Graph assembled(Graph part) {
        List<Node> nodes = part.nodes().stream()
                .map(node -> inputsOf.containsKey(node.name()) ? node.withInputs(inputsOf.get(node.name())) : node)
                .map(node -> measured.contains(node.output()) ? node.withOp(new Op.DynamicQuant()) : node)
                .toList();
        Graph all = part.withNodes(nodes, constants, quantization);
        Map<String, Tensor> used = new HashMap<>(constants);
        Set<String> names = new HashSet<>();
        nodes.forEach(node -> names.addAll(node.inputs()));
        nodes.forEach(node -> names.addAll(node.outputs()));
        part.inputs().forEach(value -> names.add(value.name()));
        used.keySet().retainAll(names);
        Map<String, Quantization> how = new HashMap<>(quantization);
        how.keySet().retainAll(names);
        return all.withNodes(nodes, used, how);
    }

    private float[] buffer(int size) {
        if (buffer.length < size) {
            buffer = new float[size];
        }
        return buffer;
    }

    private float[] second(int size) {
        if (second.length < size) {
            second = new float[size];
        }
        return second;
    }
}
