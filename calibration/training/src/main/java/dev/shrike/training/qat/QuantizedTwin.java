package dev.shrike.training.qat;

import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.activations.Subgraphs;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * A float network that computes what a quantised one does once its weights and values are rounded, and that can be
 * trained: the way there and back. Its weights are in units of the given steps, so that one learning rate suits all.
 *
 * <p>Behind each quantised layer but those of the head stands a batch normalisation. It is no layer of the engine: with
 * a
 * positive gamma it goes into the scales of the layer's weights and into its bias, one of each for every output
 * channel,
 * and no code changes. So the codes stay on the grid that is learned while the values are kept in range.
 */
public final class QuantizedTwin {
    /** Of the batch normalisations. */
    public static final float EPSILON = 1e-5f;
    /** How far from its code a weight may begin, in codes, so that few of them change at once. */
    private static final float REACH = 0.3f;

    private final Graph quantized;
    private final Graph graph;
    private final List<QuantizedLayer> layers;
    private final List<QuantizedValue> values;
    private final Set<String> moved;

    /**
     * The twin of a quantised network.
     *
     * @param quantized a graph in which nothing is fused
     * @param real the float network that it was made from, with the same names of nodes, nothing fused and batch
     *     normalisation folded
     * @param heads values that are decoded, behind which there is nothing to normalise
     * @throws UnsupportedModelException if a quantised layer is no convolution, or is not in the float network
     */
    public QuantizedTwin(Graph quantized, Graph real, Set<String> heads) {
        this.quantized = quantized;
        this.layers = new ArrayList<>();
        Map<String, Tensor> constants = new HashMap<>(quantized.constants());
        Map<String, Node> originals = new HashMap<>();
        real.nodes().forEach(node -> originals.put(node.name(), node));
        List<Node> nodes = new ArrayList<>();
        for (Node node : quantized.nodes()) {
            Quantization how = quantized.quantization().get(node.input(1));
            if (how == null || !quantized.constants().containsKey(node.input(1))) {
                nodes.add(node);
                continue;
            }
            Tensor weights = weights(node, quantized.constants().get(node.input(1)), originals.get(node.name()), real);
            QuantizedLayer layer = new QuantizedLayer(node.name(), node.input(1),
                    perRow(how, (int) weights.shape().dim(0)), !heads.contains(node.output()));
            layers.add(layer);
            constants.put(layer.weights(), latent(constants.get(layer.weights()), layer.how(), weights));
            put(node, layer, nodes, constants);
        }
        for (String name : quantized.quantization().keySet()) {
            boolean inLayer = layers.stream().anyMatch(layer -> layer.weights().equals(name));
            if (quantized.constants().containsKey(name) && !inLayer) {
                throw new UnsupportedModelException("the constant '" + name + "' has codes and belongs to no"
                        + " convolution, which cannot be trained");
            }
        }
        this.graph = quantized.withNodes(nodes, constants, Map.of());
        this.values = QuantizedValue.of(quantized);
        this.moved = moved(quantized, values);
    }

    /** The weights that were rounded. */
    private static Tensor weights(Node node, Tensor codes, Node original, Graph real) {
        Tensor weights = original == null ? null : real.constants().get(original.input(1));
        if (!(node.op() instanceof Op.Conv) || weights == null) {
            throw new UnsupportedModelException("'" + node.name() + "' has quantised weights and "
                    + (weights == null ? "is not in the float network" : "is not a convolution")
                    + ", so it cannot be trained");
        }
        if (!weights.shape().equals(codes.shape())) {
            throw new UnsupportedModelException("'" + node.name() + "' has weights of " + codes.shape()
                    + " in the quantised network and of " + weights.shape() + " in the float one");
        }
        return weights;
    }

    /** The same codes with a scale for each output channel. */
    private static Quantization perRow(Quantization how, int rows) {
        if (!how.isPerTensor()) {
            return how;
        }
        float[] scales = new float[rows];
        Arrays.fill(scales, how.scale().floatAt(0));
        if (how.bipolar()) {
            return Quantization.bipolar(Tensor.ofFloats(Shape.of(rows), scales), 0);
        }
        long[] zeros = new long[rows];
        Arrays.fill(zeros, how.zeroPoint().longAt(0));
        return new Quantization(Tensor.ofFloats(Shape.of(rows), scales),
                Tensor.of(how.zeroPoint().type(), Shape.of(rows), zeros), how.bits(), how.signed(), how.narrow(), 0);
    }

    /** Weights in steps that are rounded to the given codes, as near to the float ones as {@link #REACH} allows. */
    private static Tensor latent(Tensor codes, Quantization how, Tensor real) {
        float[] values = real.toFloats();
        int depth = values.length / (int) real.shape().dim(0);
        for (int i = 0; i < values.length; i++) {
            float scale = how.scale().floatAt(i / depth);
            float code = codes.longAt(i) - how.zeroPoint().longAt(i / depth);
            // The sign alone decides about a code of one bit, so its weight may be anywhere on its side.
            values[i] = how.bipolar() ? Math.clamp(values[i] / scale, Math.min(code, 0), Math.max(code, 0))
                    : Math.clamp(values[i] / scale, code - REACH, code + REACH);
        }
        return Tensor.ofFloats(real.shape(), values);
    }

    private void put(Node node, QuantizedLayer layer, List<Node> nodes, Map<String, Tensor> constants) {
        Shape rows = Shape.of(layer.how().scale().elements());
        float[] bias = node.hasInput(2) ? quantized.constants().get(node.input(2)).toFloats()
                : new float[(int) rows.dim(0)];
        constants.put(layer.beta(), Tensor.ofFloats(rows, bias));
        if (!layer.normalized()) {
            nodes.add(node.withInputs(List.of(node.input(0), node.input(1), layer.beta())));
            return;
        }
        float[] ones = new float[bias.length];
        Arrays.fill(ones, 1);
        float[] variance = new float[bias.length];
        Arrays.fill(variance, 1 - EPSILON);
        constants.put(layer.gamma(), Tensor.ofFloats(rows, ones));
        constants.put(layer.mean(), Tensor.ofFloats(rows, new float[bias.length]));
        constants.put(layer.variance(), Tensor.ofFloats(rows, variance));
        nodes.add(new Node(node.name(), node.op(), List.of(node.input(0), node.input(1)), List.of(layer.sums())));
        nodes.add(new Node(node.name() + ".norm", new Op.BatchNormalization(EPSILON), List.of(layer.sums(),
                layer.gamma(), layer.beta(), layer.mean(), layer.variance()), node.outputs()));
    }

    /** The float network, with the constants that {@link #layers} name, and values of the same names. */
    public Graph graph() {
        return graph;
    }

    /** The part of the float network that gives these values. */
    public Graph trunk(List<String> values) {
        Map<String, ValueInfo> infos = ShapeInference.infer(graph);
        return Subgraphs.upTo(graph, values.stream().map(infos::get).toList());
    }

    /** The quantised layers, in order. */
    public List<QuantizedLayer> layers() {
        return List.copyOf(layers);
    }

    /**
     * Whether a value only moves what another one with the same codes holds, as a join or the largest of a window
     * does, so that it is rounded already.
     */
    public boolean isMoved(String value) {
        return moved.contains(value);
    }

    private static Set<String> moved(Graph quantized, List<QuantizedValue> values) {
        Map<String, QuantizedValue> byName = new HashMap<>();
        values.forEach(value -> value.names().forEach(name -> byName.put(name, value)));
        Set<String> moved = new HashSet<>();
        for (Node node : quantized.nodes()) {
            boolean moves = node.op().movesData() || node.op() instanceof Op.Concat;
            for (String output : node.outputs()) {
                QuantizedValue own = byName.get(output);
                if (moves && own != null && node.inputs().stream()
                        .filter(name -> !name.isEmpty() && !quantized.constants().containsKey(name))
                        .allMatch(name -> byName.get(name) == own)) {
                    moved.add(output);
                }
            }
        }
        return moved;
    }

    /** Shapes of all values of {@link #graph}. */
    Map<String, ValueInfo> infos() {
        return ShapeInference.infer(graph);
    }

    /** The quantised values; those with the same codes are one. */
    public List<QuantizedValue> values() {
        return values;
    }

    /**
     * The quantised network with what was learned: that of the twin whose weights and values are rounded.
     *
     * @param learned by name: the constants of the layers, {@link QuantizedLayer#step} and {@link QuantizedValue#step}
     */
    public Graph assembled(Function<String, float[]> learned) {
        return assembled(learned, Map.of());
    }

    /**
     * As the other method, with codes of other widths than those that were given.
     *
     * @param widths bits of weights by their name and of values by that of their step; of those without one, the given
     *     ones. Weights are in units of the steps of that width.
     */
    public Graph assembled(Function<String, float[]> learned, Map<String, Integer> widths) {
        Map<String, Tensor> constants = new HashMap<>(quantized.constants());
        Map<String, Quantization> quantization = new HashMap<>(quantized.quantization());
        Map<String, QuantizedLayer> byNode = new HashMap<>();
        layers.forEach(layer -> byNode.put(layer.node(), layer.withBits(widths.getOrDefault(layer.weights(),
                layer.how().bits()))));
        List<Node> nodes = new ArrayList<>();
        for (Node node : quantized.nodes()) {
            QuantizedLayer layer = byNode.get(node.name());
            if (layer == null) {
                nodes.add(node);
                continue;
            }
            Tensor given = quantized.constants().get(layer.weights());
            constants.put(layer.weights(), layer.codes(learned, given));
            quantization.put(layer.weights(), layer.quantization(learned));
            constants.put(layer.beta(), layer.bias(learned));
            nodes.add(node.withInputs(List.of(node.input(0), node.input(1), layer.beta())));
        }
        for (QuantizedValue value : values) {
            Quantization how = value.withBits(widths.getOrDefault(value.step(), value.how().bits()))
                    .quantization(learned);
            value.names().forEach(name -> quantization.put(name, how));
        }
        Set<String> used = new HashSet<>();
        nodes.forEach(node -> used.addAll(node.inputs()));
        nodes.forEach(node -> used.addAll(node.outputs()));
        quantized.outputs().forEach(output -> used.add(output.name()));
        constants.keySet().retainAll(used);
        return quantized.withNodes(nodes, constants, quantization);
    }
}
