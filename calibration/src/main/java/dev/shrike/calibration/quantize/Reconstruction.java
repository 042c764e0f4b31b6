package dev.shrike.calibration.quantize;

import dev.shrike.calibration.activations.ActivationMemory;
import dev.shrike.calibration.activations.ActivationStore;
import dev.shrike.calibration.activations.CalibrationPictures;
import dev.shrike.calibration.activations.Elements;
import dev.shrike.calibration.activations.HeapGarbage;
import dev.shrike.calibration.activations.Stage;
import dev.shrike.calibration.activations.Subgraphs;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ShapeInference;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
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
 * Quantises the layers of a network one after another on pictures. Each layer is fitted to give, from what the layers
 * before it make of the pictures once they are quantised, what the float network gives there: weights first by least
 * squares, then rounded ({@link WeightRounding}), at last the bias. So a layer makes good part of what the rounding of
 * activations and earlier weights has spoilt.
 *
 * <p>Every part of the network runs once in float and once in integers for every picture; what later parts need is kept
 * ({@link ActivationStore}) and forgotten as soon as nobody needs it.
 */
final class Reconstruction {
    private final Graph graph;
    private final Map<String, Widths> widths;
    private final Map<String, Quantization> activations;
    private final Set<String> measured;
    private final Effort effort;
    private final Backend backend;
    private final int threads;
    private final Set<Integer> extra;
    private final Places.Choice places;
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
    Reconstruction(Graph graph, Map<String, Widths> widths, Map<String, Quantization> activations,
            Set<String> measured, Effort effort, Backend backend, int threads, Set<Integer> extra,
            Places.Choice places) {
        this.graph = graph;
        this.widths = widths;
        this.activations = activations;
        this.measured = measured;
        this.effort = effort;
        this.backend = backend;
        this.threads = threads;
        this.extra = extra;
        this.places = places;
        this.functions = ActivationRanges.functions(graph);
        this.constants = new HashMap<>(graph.constants());
        this.quantization = new HashMap<>(activations);
    }

    /** The quantised graph; values of pictures are kept in that memory. */
    Graph run(CalibrationPictures pictures, ActivationMemory memory, Quantizer.LayerListener listener) {
        Graph cropped = cropped(pictures.shape());
        Map<String, ValueInfo> infos = ShapeInference.infer(cropped);
        List<Stage> stages = Stage.of(cropped, widths.keySet());
        try (ActivationStore reals = new ActivationStore(pictures.size(), memory);
                ActivationStore codes = new ActivationStore(pictures.size(), memory)) {
            ValueInfo input = cropped.inputs().getFirst();
            for (int i = 0; i < pictures.size(); i++) {
                int count = Math.toIntExact(input.shape().elements());
                pictures.read(i, buffer(count));
                reals.put(input.name(), i, buffer, count, null);
                codes.put(input.name(), i, buffer, count, activations.get(input.name()));
            }
            for (int i = 0; i < stages.size(); i++) {
                Stage stage = stages.get(i);
                listener.layer(stage.layer() == null ? "" : stage.layer().name(), i, stages.size());
                stage(cropped, infos, stage, reals, codes);
                for (String name : stage.inputs()) {
                    if (stages.stream().skip(i + 1L).noneMatch(later -> later.inputs().contains(name))) {
                        reals.free(name);
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

    private void stage(Graph cropped, Map<String, ValueInfo> infos, Stage stage, ActivationStore reals,
            ActivationStore codes) {
        Node layer = stage.layer();
        Set<String> more = layer == null ? Set.of() : Set.of(layer.output());
        LayerPairs pairs = pairs(layer, infos, (long) effort.places() * reals.pictures());
        try (GraphExecutor executor = open(stage.graph(cropped, infos, more))) {
            WindowSampler sampler = pairs == null ? null
                    : new WindowSampler(((Op.Conv) layer.op()).window(), infos.get(layer.input(0)).shape(),
                            infos.get(layer.output()).shape());
            for (int i = 0; i < reals.pictures(); i++) {
                load(executor, reals, i);
                executor.run();
                for (Binding output : executor.outputs()) {
                    Elements.read(output, buffer(output.elements()));
                    if (sampler != null && output.name().equals(layer.output())) {
                        codes.get(layer.input(0), i, second(codes.elements(layer.input(0))));
                        sampler.sample(second, buffer,
                                places.of(layer.name(), i, sampler.places(), effort.places()), pairs);
                    }
                    if (stage.results().contains(output.name())) {
                        reals.put(output.name(), i, buffer, output.elements(), null);
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
            for (int i = 0; i < codes.pictures(); i++) {
                load(executor, codes, i);
                executor.run();
                for (Binding output : executor.outputs()) {
                    Elements.read(output, buffer(output.elements()));
                    codes.put(output.name(), i, buffer, output.elements(), activations.get(output.name()));
                }
            }
        }
    }

    private LayerPairs pairs(Node layer, Map<String, ValueInfo> infos, long most) {
        if (layer == null || LayerWeights.group(layer) != 1) {
            return null;
        }
        return new LayerPairs(LayerWeights.of(graph.constants().get(layer.input(1))).depth(),
                (int) infos.get(layer.output()).shape().dim(1),
                effort.weighOutputs() ? functions.get(layer.output()) : null, most);
    }

    private GraphExecutor open(Graph stage) {
        return backend.open(stage, ExecutorOptions.DEFAULT.withThreads(threads));
    }

    private void load(GraphExecutor executor, ActivationStore store, int picture) {
        for (Binding input : executor.inputs()) {
            store.get(input.name(), picture, buffer(input.elements()));
            Elements.write(buffer, input);
        }
    }

    private void quantize(Node layer, LayerPairs pairs) {
        Tensor given = graph.constants().get(layer.input(1));
        LayerWeights form = LayerWeights.of(given);
        Widths own = widths.get(layer.name());
        double[] weights = form.fromTensor(given);
        WeightRounding.Rounded rounded;
        String bias = layer.input(2);
        if (pairs == null) {
            rounded = own.codes() == WeightCodes.ENTROPY_CODED
                    ? WeightRounding.nearest(weights, form.rows(), own.rate())
                    : WeightRounding.nearest(weights, form.rows(), own.codes().sets(own.weights()));
        } else {
            LayerFit fit = pairs.fit(weights, effort, own.rate(), coupling(layer.name(), own.rate(), form.rows()));
            double fitted = fit.relativeError(fit.wanted());
            for (int width : extra) {
                WeightRounding.Rounded other = fit.round(own.codes().sets(width));
                trials.computeIfAbsent(layer.name(), _ -> new HashMap<>()).put(width,
                        new Trial(form.codes(other), LayerWeights.quantization(other, own.codes(), width),
                                fit.relativeError(other.reals()) - fitted));
                garbage.check();
            }
            rounded = own.codes() == WeightCodes.ENTROPY_CODED
                    ? fit.round(own.rate(), places.importance(layer.name()))
                    : fit.round(own.codes().sets(own.weights()));
            unitNoises.put(layer.name(), fit.unitNoise());
            if (effort.refitBias()) {
                bias = layer.name() + ".bias.fitted";
                constants.put(bias, Tensor.ofFloats(Shape.of(form.rows()), fit.offsets(rounded.reals())));
            }
            reports.add(new LayerReport(layer.name(), own, fitted, fit.relativeError(rounded.reals()), weights.length,
                    EntropySteps.entropy(rounded.codes())));
        }
        String name = layer.name() + ".weights.codes";
        constants.put(name, form.codes(rounded));
        quantization.put(name, LayerWeights.quantization(rounded, own.codes(), own.weights()));
        inputsOf.put(layer.name(), bias.isEmpty() ? List.of(layer.input(0), name)
                : List.of(layer.input(0), name, bias));
    }

    private RowCoupling coupling(String layer, double bits, int rows) {
        double[] moments = effort.couplesRows(bits) ? places.coupling(layer) : new double[0];
        return moments.length == 0 ? null : new RowCoupling(moments, rows);
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
