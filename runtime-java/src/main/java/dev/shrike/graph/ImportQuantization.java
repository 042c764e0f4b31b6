package dev.shrike.graph;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Turns nodes that quantise into quantisation of values: QuantizeLinear followed by DequantizeLinear, and QONNX's
 * Quant, BipolarQuant and Trunc; and DynamicQuantizeLinear followed by DequantizeLinear into a DynamicQuant.
 * <ul>
 * <li>A value that is only read through one quantiser becomes quantised itself. If something else reads it as it is,
 * an Identity stays, whose result is the quantised one.
 * <li>Weights of Conv, Gemm and MatMul become constants of codes, INT8 or UINT8. Other quantised constants are left to
 * {@link FoldConstants}, which makes reals of them; so are int32 biases.
 * <li>The result of a node that only moves elements of a quantised value (MaxPool, Split, Reshape …) is quantised
 * alike.
 * <li>Nodes that {@link Quantization} cannot describe stay: more than eight bits, computed scales, zero points that
 * are no integers, rounding of activations other than half to even (see {@link SpellOutRounding}).
 * </ul>
 * A Quant whose zero point is odd rounds the exact middle between two codes to the other one than QONNX does.
 */
public final class ImportQuantization implements GraphPass {
    @Override
    public Graph apply(Graph graph) {
        if (graph.nodes().stream().noneMatch(node -> isQuantizer(node.op()))) {
            return graph;
        }
        Graph imported = new Import(graph).apply();
        return withMoves(withoutIdentities(new EliminateDeadNodes().apply(imported)));
    }

    static boolean isQuantizer(Op op) {
        return switch (op) {
            case Op.QuantizeLinear _,Op.DequantizeLinear _,Op.Quant _,Op.BipolarQuant _,Op.Trunc _ -> true;
            default -> false;
        };
    }

    /** A value under one quantisation. */
    private record Source(String value, Quantization how) {}

    /** Replaces quantisers by quantised constants and quantised results of Identity. */
    private static final class Import {
        private final Graph graph;
        private final Links links;
        private final Map<String, ValueInfo> infos;
        private final Map<String, Tensor> constants;
        private final Map<String, Quantization> quantization;
        private final Quantizers quantizers;
        private final Map<String, String> same = new HashMap<>();
        private final Map<String, Source> codes = new HashMap<>();
        private final Map<String, List<Source>> known = new HashMap<>();
        /** Nodes by their codes, and what is rounded by its own range by the value that it was. */
        private final Map<String, Node> dynamic = new HashMap<>();
        private final Map<String, String> measured = new HashMap<>();
        private final List<Node> nodes = new ArrayList<>();

        Import(Graph graph) {
            this.graph = graph;
            this.links = new Links(graph);
            this.infos = ShapeInference.infer(graph);
            this.constants = new HashMap<>(graph.constants());
            this.quantization = new HashMap<>(graph.quantization());
            this.quantizers = new Quantizers(graph.constants(), infos);
        }

        Graph apply() {
            for (Node node : graph.nodes()) {
                List<String> inputs = node.inputs().stream().map(name -> same.getOrDefault(name, name)).toList();
                Node resolved = inputs.equals(node.inputs()) ? node : node.withInputs(inputs);
                if (!replaced(resolved)) {
                    nodes.add(resolved);
                }
            }
            return graph.withNodes(nodes, constants, quantization);
        }

        private boolean replaced(Node node) {
            String x = node.input(0);
            return switch (node.op()) {
                case Op.QuantizeLinear op -> {
                    DataType type = node.hasInput(2) ? infos.get(node.input(2)).type() : op.type();
                    quantizers.linear(node, op.axis(), type)
                            .ifPresent(how -> codes.put(node.output(), new Source(x, how)));
                    yield false;
                }
                case Op.DynamicQuantizeLinear _ -> {
                    dynamic.put(node.output(), node);
                    yield false;
                }
                case Op.DequantizeLinear _ when dynamic.containsKey(x) -> measured(node, dynamic.get(x));
                case Op.DequantizeLinear op -> quantizers.linear(node, op.axis(), infos.get(x).type())
                        .filter(how -> dequantized(node, how)).isPresent();
                case Op.Quant op -> quantizers.quant(node, op).filter(how -> quant(node, op, how)).isPresent();
                case Op.BipolarQuant _ -> quantizers.bipolar(node).filter(how -> rounded(node, x, how)).isPresent();
                case Op.Trunc op -> {
                    Optional.ofNullable(quantization.get(x)).flatMap(how -> quantizers.trunc(node, op, how))
                            .ifPresent(how -> quantization.put(node.output(), how));
                    yield false;
                }
                default -> false;
            };
        }

        /** Makes one node of the pair, if scale and zero point come from the quantiser as well. */
        private boolean measured(Node node, Node quantizer) {
            if (!node.inputs().equals(quantizer.outputs())) {
                return false;
            }
            String x = quantizer.input(0);
            if (measured.containsKey(x) && !links.isOutput(node.output())) {
                same.put(node.output(), measured.get(x));
                return true;
            }
            measured.putIfAbsent(x, node.output());
            nodes.add(new Node(node.name(), new Op.DynamicQuant(), List.of(x), List.of(node.output())));
            return true;
        }

        private boolean dequantized(Node node, Quantization how) {
            Source source = codes.get(node.input(0));
            if (source != null) {
                return how.isSameAs(source.how()) && rounded(node, source.value(), how);
            }
            Tensor tensor = graph.constants().get(node.input(0));
            if (tensor == null || !becomesWeights(node.output(), how)) {
                return false;
            }
            DataType stored = how.signed() ? DataType.INT8 : DataType.UINT8;
            putCodes(node.output(), tensor.type() == stored ? tensor
                    : Tensor.of(stored, tensor.shape(), tensor.toLongs()), how);
            return true;
        }

        private boolean quant(Node node, Op.Quant op, Quantization how) {
            Tensor tensor = links.constant(node.input(0));
            if (tensor == null) {
                return (how.bipolar() || Quantizers.isHalfToEven(op.roundingMode()))
                        && rounded(node, node.input(0), how);
            }
            NodeView view = new NodeView(node, name -> new TensorType(infos.get(name).type(), infos.get(name).shape()),
                    graph.constants()::get);
            TensorType out = ShapeRules.outputs(view).getFirst();
            if (!out.shape().equals(tensor.shape()) || !becomesWeights(node.output(), how)
                    || out.shape().elements() > Evaluation.MAX_ELEMENTS) {
                return false;
            }
            double[] values = QuantizationMath.quantCodes(view, op, out);
            long[] whole = new long[values.length];
            for (int i = 0; i < whole.length; i++) {
                whole[i] = (long) values[i];
            }
            putCodes(node.output(), Tensor.of(how.signed() ? DataType.INT8 : DataType.UINT8, out.shape(), whole), how);
            return true;
        }

        /** Lets the node's result be {@code x} rounded to codes. */
        private boolean rounded(Node node, String x, Quantization how) {
            Tensor tensor = links.constant(x);
            if (tensor != null) {
                if (!becomesWeights(node.output(), how)) {
                    return false;
                }
                putCodes(node.output(), QuantizationMath.codes(tensor, how), how);
                return true;
            }
            if (graph.constants().containsKey(x) || !zeroIsCode(how)) {
                return false;
            }
            Quantization own = quantization.get(x);
            String twin = own != null && own.isSameAs(how) ? x : known.getOrDefault(x, List.of()).stream()
                    .filter(other -> other.how().isSameAs(how)).map(Source::value).findFirst().orElse(null);
            if (twin != null && !links.isOutput(node.output())) {
                same.put(node.output(), twin);
                return true;
            }
            nodes.add(new Node(node.name(), new Op.Identity(), List.of(x), List.of(node.output())));
            quantization.put(node.output(), how);
            known.computeIfAbsent(x, _ -> new ArrayList<>()).add(new Source(node.output(), how));
            return true;
        }

        private void putCodes(String name, Tensor tensor, Quantization how) {
            constants.put(name, tensor);
            quantization.put(name, how);
        }

        /** Whether the value is read as weights, maybe after being moved about, and by nobody outside. */
        private boolean becomesWeights(String name, Quantization how) {
            Deque<String> moved = new ArrayDeque<>(List.of(name));
            while (!moved.isEmpty()) {
                String value = moved.pop();
                for (Node reader : links.isOutput(value) ? List.<Node>of() : links.readers(value)) {
                    boolean moves = switch (reader.op()) {
                        case Op.Transpose _ -> true;
                        case Op.Reshape _,Op.Flatten _,Op.Squeeze _,Op.Unsqueeze _,Op.Identity _ ->
                            reader.input(0).equals(value) && how.isPerTensor();
                        default -> false;
                    };
                    boolean product = switch (reader.op()) {
                        case Op.Conv _,Op.Gemm _,Op.MatMul _ -> true;
                        default -> false;
                    };
                    if (product && reader.input(1).equals(value)) {
                        return true;
                    }
                    if (moves) {
                        moved.push(reader.output());
                    }
                }
            }
            return false;
        }
    }

    private static boolean zeroIsCode(Quantization how) {
        for (long i = 0; i < how.zeroPoint().elements(); i++) {
            long zero = how.zeroPoint().longAt(i);
            if (zero < how.minCode() || zero > how.maxCode()) {
                return false;
            }
        }
        return true;
    }

    /** Lets the writer of a value that only an Identity reads give the quantised result itself. */
    private static Graph withoutIdentities(Graph graph) {
        Links links = new Links(graph);
        Set<String> inputs = new java.util.HashSet<>();
        graph.inputs().forEach(input -> inputs.add(input.name()));
        Map<String, Quantization> quantization = new HashMap<>(graph.quantization());
        Map<String, String> renamed = new HashMap<>();
        List<Node> kept = new ArrayList<>();
        for (Node node : graph.nodes()) {
            String x = node.input(0);
            boolean alone = node.op() instanceof Op.Identity && quantization.containsKey(node.output())
                    && links.hasSingleReader(x) && !graph.constants().containsKey(x)
                    && !(inputs.contains(x) && links.isOutput(node.output()));
            if (!alone) {
                kept.add(node);
            } else if (links.isOutput(node.output())) {
                renamed.put(x, node.output());
            } else {
                quantization.put(x, quantization.remove(node.output()));
                renamed.put(node.output(), x);
            }
        }
        List<Node> nodes = new ArrayList<>();
        for (Node node : kept) {
            nodes.add(new Node(node.name(), node.op(),
                    node.inputs().stream().map(name -> renamed.getOrDefault(name, name)).toList(),
                    node.outputs().stream().map(name -> renamed.getOrDefault(name, name)).toList()));
        }
        return graph.withNodes(nodes, graph.constants(), quantization);
    }

    /** Quantises what is made of elements of quantised values, which changes none of them. */
    private static Graph withMoves(Graph graph) {
        Map<String, Quantization> quantization = new HashMap<>(graph.quantization());
        for (Node node : graph.nodes()) {
            Quantization how = quantization.get(node.input(0));
            boolean moves = how != null && how.isPerTensor() && !graph.constants().containsKey(node.input(0))
                    && (IntegerEvaluator.isMove(node.op()) || node.op() instanceof Op.Concat && node.inputs().stream()
                            .map(quantization::get).allMatch(other -> other != null && other.isSameAs(how)));
            if (moves) {
                node.outputs().stream().filter(name -> !name.isEmpty())
                        .forEach(name -> quantization.putIfAbsent(name, Objects.requireNonNull(how)));
            }
        }
        return quantization.size() == graph.quantization().size()
                ? graph : graph.withNodes(graph.nodes(), graph.constants(), quantization);
    }
}
