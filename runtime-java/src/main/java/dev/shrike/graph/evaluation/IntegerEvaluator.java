package dev.shrike.graph.evaluation;

import dev.shrike.ModelException;
import dev.shrike.graph.Activation;
import dev.shrike.graph.ActivationPatterns;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Links;
import dev.shrike.graph.Node;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.TensorType;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.kernels.Evaluation;
import dev.shrike.graph.kernels.LookupTable;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.graph.quantization.ActivationEpilogue;
import dev.shrike.graph.quantization.DynamicQuantParams;
import dev.shrike.graph.quantization.FloatActivation;
import dev.shrike.graph.quantization.IntegerProduct;
import dev.shrike.graph.quantization.IntegerWeights;
import dev.shrike.graph.quantization.QuantParams;
import dev.shrike.graph.quantization.QuantizationMath;
import dev.shrike.graph.quantization.QuantizedAdd;
import dev.shrike.graph.quantization.Requantization;
import dev.shrike.graph.shapes.ShapeRules;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A plain scalar evaluation of a quantised graph that computes with codes wherever an integer engine does; what engines
 * must equal, bit for bit, if {@link GraphPasses#forInference} has prepared the graph. With {@link QuantParams} as
 * the stored form of codes:
 * <ul>
 * <li>Conv, Gemm and MatMul of a quantised value and quantised constant weights ({@link IntegerWeights}): the exact
 * int32 sum, then {@link Requantization} to the codes of the result, or to floats, followed by the activation function
 * ({@link FloatActivation}) and the residual if the result is real, and by {@link ActivationEpilogue} if it is
 * quantised
 * only behind a function that is no clamp, or behind the sum with a quantised residual;
 * <li>the same of a value that a DynamicQuant has rounded, with the codes of {@link DynamicQuantParams} and scales of
 * weights as floats: to floats, whose rounding, if there is one, comes after;
 * <li>a function of one quantised value with quantised result: {@link LookupTable};
 * <li>the sum of two quantised values of one shape with quantised result, none of them bipolar: {@link QuantizedAdd};
 * <li>Concat, MaxPool, Resize to the nearest, Split, Slice and other moves of codes: the codes themselves, through
 * {@link LookupTable#requantize} where the result is quantised otherwise (of Concat, each operand before it is moved);
 * <li>everything else: the floats, as {@link ReferenceEvaluator}; a quantised result is then rounded.
 * </ul>
 * Only what has one scale per tensor is kept as codes.
 */
public final class IntegerEvaluator {
    private final Graph graph;
    private final Links links;
    private final Map<String, Tensor> codes = new HashMap<>();
    private final Map<String, Tensor> floats = new HashMap<>();
    private final Map<String, Measured> measured = new HashMap<>();

    /** Codes by the range of the value itself, which {@link #floats} holds too. */
    private record Measured(Tensor codes, QuantParams how) {}

    private IntegerEvaluator(Graph graph) {
        this.graph = graph;
        this.links = new Links(graph);
    }

    /**
     * What was asked for.
     *
     * @param floats every wanted value
     * @param codes stored codes as UINT8 of those wanted values that are quantised with one scale and no constants
     */
    public record Values(Map<String, Tensor> floats, Map<String, Tensor> codes) {
        public Values {
            floats = Map.copyOf(floats);
            codes = Map.copyOf(codes);
        }
    }

    /**
     * The wanted values.
     *
     * @param inputs a tensor of floats for every input of the graph, of its type and a shape that it accepts
     * @param wanted names of inputs, constants or node outputs; what they do not need is not computed
     * @throws ModelException as {@link ReferenceEvaluator#run}
     */
    public static Values run(Graph graph, Map<String, Tensor> inputs, Set<String> wanted) {
        return new IntegerEvaluator(graph).evaluate(inputs, wanted);
    }

    private Values evaluate(Map<String, Tensor> inputs, Set<String> wanted) {
        for (ValueInfo input : graph.inputs()) {
            putReal(input.name(), ReferenceEvaluator.given(input, inputs.get(input.name())));
        }
        List<Node> nodes = Links.needed(graph.nodes(), wanted);
        Map<String, Integer> lastReader = ReferenceEvaluator.lastReaders(nodes);
        for (int i = 0; i < nodes.size(); i++) {
            Node node = nodes.get(i);
            step(node);
            for (String name : node.inputs()) {
                if (lastReader.getOrDefault(name, -1) == i && !wanted.contains(name)) {
                    codes.remove(name);
                    floats.remove(name);
                    measured.remove(name);
                }
            }
        }
        Map<String, Tensor> foundReals = new LinkedHashMap<>();
        Map<String, Tensor> foundCodes = new LinkedHashMap<>();
        for (String name : wanted) {
            Tensor real = real(name);
            if (real == null) {
                throw new ModelException("graph '" + graph.name() + "' has no value '" + name + "'");
            }
            foundReals.put(name, real);
            if (codes.containsKey(name)) {
                foundCodes.put(name, codes.get(name));
            }
        }
        return new Values(foundReals, foundCodes);
    }

    private void step(Node node) {
        if (IntegerWeights.isIntegerProduct(graph, node) && product(node)) {
            return;
        }
        if (node.op() instanceof Op.DynamicQuant) {
            Tensor x = real(node.input(0));
            QuantParams how = DynamicQuantParams.of(x);
            measured.put(node.output(), new Measured(DynamicQuantParams.codes(x, how), how));
            putReal(node.output(), DynamicQuantParams.floats(measured.get(node.output()).codes(), how));
            return;
        }
        if (node.inputs().stream().allMatch(name -> name.isEmpty() || !isCoded(name))
                || node.outputs().stream().anyMatch(name -> !name.isEmpty() && !isCoded(name)) || !onCodes(node)) {
            onReals(node);
        }
    }

    private boolean isCoded(String name) {
        Quantization how = graph.quantization().get(name);
        return how != null && how.isPerTensor() && !graph.constants().containsKey(name);
    }

    private boolean product(Node node) {
        Measured own = isCoded(node.input(0)) ? null : measured.get(node.input(0));
        IntegerProduct product = new IntegerProduct(graph, node,
                own == null ? QuantParams.of(how(node.input(0))) : own.how());
        if (!product.hasPlainBias()) {
            return false;
        }
        Shape out = ShapeRules.outputs(typesOnly(node)).getFirst().shape();
        Tensor x = own == null ? codes.get(node.input(0)) : own.codes();
        if (product.givesCodes()) {
            codes.put(node.output(), product.codes(x, node.hasInput(3) ? codes.get(node.input(3)) : null, out));
            return true;
        }
        Tensor result = product.floats(x, out);
        if (node.op() instanceof Op.Conv conv) {
            result = activated(result, conv.activation(), node.hasInput(3) ? real(node.input(3)) : null);
        }
        putReal(node.output(), result);
        return true;
    }

    private static Tensor activated(Tensor tensor, Activation activation, Tensor residual) {
        float[] values = tensor.toFloats();
        for (int i = 0; i < values.length; i++) {
            values[i] = FloatActivation.apply(activation, values[i]) + (residual == null ? 0 : residual.floatAt(i));
        }
        return Tensor.ofFloats(tensor.shape(), values);
    }

    /** Computes the node by moving or translating codes, if it is such a node. All outputs are to be codes. */
    private boolean onCodes(Node node) {
        return switch (node.op()) {
            case Op.Unary unary -> table(node, LookupTable.of(unary, how(node.input(0)), how(node.output())));
            case Op.Clip _ -> ActivationPatterns.activation(links, node)
                    .filter(clip -> table(node, LookupTable.of(clip, how(node.input(0)), how(node.output()))))
                    .isPresent();
            case Op.Trunc _ -> LookupTable.ofTrunc(graph, node).filter(table -> table(node, table)).isPresent();
            case Op.Identity _ -> table(node, LookupTable.requantize(how(node.input(0)), how(node.output())));
            case Op.Binary binary -> binary.kind() == Op.Binary.Kind.ADD && sum(node);
            case Op.Concat _ -> concat(node);
            default -> node.op().movesData() && isCoded(node.input(0)) && move(node);
        };
    }

    private Quantization how(String name) {
        return graph.quantization().get(name);
    }

    private boolean table(Node node, LookupTable table) {
        codes.put(node.output(), translated(codes.get(node.input(0)), table));
        return true;
    }

    private static Tensor translated(Tensor tensor, LookupTable table) {
        long[] values = tensor.toLongs();
        for (int i = 0; i < values.length; i++) {
            values[i] = table.get((int) values[i]);
        }
        return Tensor.of(DataType.UINT8, tensor.shape(), values);
    }

    private boolean sum(Node node) {
        Tensor x = codes.get(node.input(0));
        Tensor y = codes.get(node.input(1));
        if (x == null || y == null || !x.shape().equals(y.shape()) || how(node.input(0)).bipolar()
                || how(node.input(1)).bipolar() || how(node.output()).bipolar()) {
            return false;
        }
        QuantizedAdd sum = QuantizedAdd.of(how(node.input(0)), how(node.input(1)), how(node.output()));
        long[] values = x.toLongs();
        for (int i = 0; i < values.length; i++) {
            values[i] = sum.code((int) values[i], (int) y.longAt(i));
        }
        codes.put(node.output(), Tensor.of(DataType.UINT8, x.shape(), values));
        return true;
    }

    private boolean concat(Node node) {
        if (!node.inputs().stream().allMatch(this::isCoded)) {
            return false;
        }
        Map<String, Tensor> operands = new HashMap<>();
        for (String name : node.inputs()) {
            operands.put(name, requantized(codes.get(name), how(name), how(node.output())));
        }
        codes.put(node.output(), evaluate(node, operands).getFirst());
        return true;
    }

    private boolean move(Node node) {
        List<Tensor> results = evaluate(node, Map.of(node.input(0), codes.get(node.input(0))));
        for (int i = 0; i < node.outputs().size(); i++) {
            String name = node.outputs().get(i);
            if (!name.isEmpty()) {
                codes.put(name, requantized(results.get(i), how(node.input(0)), how(name)));
            }
        }
        return true;
    }

    private static Tensor requantized(Tensor tensor, Quantization from, Quantization to) {
        return from.isSameAs(to) ? tensor : translated(tensor, LookupTable.requantize(from, to));
    }

    private List<Tensor> evaluate(Node node, Map<String, Tensor> operands) {
        Map<String, Tensor> known = new HashMap<>();
        for (String name : node.inputs()) {
            if (!name.isEmpty()) {
                known.put(name, operands.containsKey(name) ? operands.get(name) : real(name));
            }
        }
        NodeView view = new NodeView(node, name -> type(known.get(name)), known::get);
        return Evaluation.evaluate(view, ShapeRules.outputs(view));
    }

    private void onReals(Node node) {
        List<Tensor> results = evaluate(node, Map.of());
        for (int i = 0; i < node.outputs().size(); i++) {
            if (!node.outputs().get(i).isEmpty()) {
                putReal(node.outputs().get(i), results.get(i));
            }
        }
    }

    private void putReal(String name, Tensor tensor) {
        Quantization how = how(name);
        if (!isCoded(name)) {
            floats.put(name, how == null ? tensor : QuantizationMath.roundToCodes(tensor, how));
            return;
        }
        QuantParams stored = QuantParams.of(how);
        long[] values = new long[Math.toIntExact(tensor.elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = stored.quantize(tensor.floatAt(i));
        }
        codes.put(name, Tensor.of(DataType.UINT8, tensor.shape(), values));
    }

    /** The value as floats, or null if there is none of that name. */
    private Tensor real(String name) {
        if (codes.containsKey(name)) {
            QuantParams stored = QuantParams.of(how(name));
            Tensor tensor = codes.get(name);
            float[] values = new float[Math.toIntExact(tensor.elements())];
            for (int i = 0; i < values.length; i++) {
                values[i] = stored.dequantize((int) tensor.longAt(i));
            }
            return Tensor.ofFloats(tensor.shape(), values);
        }
        if (floats.containsKey(name)) {
            return floats.get(name);
        }
        Tensor constant = graph.constants().get(name);
        return constant == null || how(name) == null ? constant : QuantizationMath.dequantize(constant, how(name));
    }

    private static TensorType type(Tensor tensor) {
        return new TensorType(tensor.type(), tensor.shape());
    }

    /** The node with the types of its inputs, all floats. */
    private NodeView typesOnly(Node node) {
        return new NodeView(node, name -> {
            Tensor tensor = codes.containsKey(name) ? codes.get(name)
                    : floats.getOrDefault(name, graph.constants().get(name));
            return new TensorType(DataType.FLOAT32, tensor.shape());
        }, _ -> null);
    }
}
