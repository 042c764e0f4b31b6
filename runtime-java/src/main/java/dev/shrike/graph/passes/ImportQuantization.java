package dev.shrike.graph.passes;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.Links;
import dev.shrike.graph.NewNames;
import dev.shrike.graph.Node;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.TensorType;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.graph.kernels.Evaluation;
import dev.shrike.graph.quantization.QuantizationMath;
import dev.shrike.graph.quantization.Quantizers;
import dev.shrike.graph.quantization.RoundedCodes;
import dev.shrike.graph.shapes.ShapeRules;
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
 * {@link FoldConstants}, which makes floats of them; so are int32 biases.
 * <li>A Clip between the two makes the codes fewer, or clamps the value before it is rounded. Nodes that move codes
 * (MaxPool, Resize, Pad, Concat …) move the rounded value instead.
 * <li>A mask of zeros and ones on dequantised weights becomes part of their codes.
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

    public static boolean isQuantizer(Op op) {
        return switch (op) {
            case Op.QuantizeLinear _,Op.DequantizeLinear _,Op.Quant _,Op.BipolarQuant _,Op.Trunc _ -> true;
            default -> false;
        };
    }

    /** Refuses codes of more than 8 bits of what is not known before the graph runs. */
    static void requireNarrow(Graph graph) {
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.QuantizeLinear op && op.type() != null && op.type().bits() > 8) {
                throw new UnsupportedModelException(NodeView.describe(node) + ": rounds activations to " + op.type()
                        + ", Shrike has codes of up to 8 bits; quantise it again with 8-bit activations"
                        + " (activation_type=QuantType.QUInt8 of ONNX Runtime's quantize_static, 8-bit presets of other"
                        + " tools), or give the float model to 'shrike quantize'");
            }
        }
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
        private final NewNames names;
        private final Map<String, RoundedCodes> codes = new HashMap<>();
        private final Map<String, List<Source>> known = new HashMap<>();
        /** Nodes by their codes, and what is rounded by its own range by the value that it was. */
        private final Map<String, Node> dynamic = new HashMap<>();
        private final Map<String, String> measured = new HashMap<>();
        private final List<Node> nodes = new ArrayList<>();

        Import(Graph graph) {
            this.graph = graph;
            this.links = new Links(graph);
            this.names = new NewNames(graph);
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
                            .ifPresent(how -> codes.put(node.output(), new RoundedCodes(x, how)));
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
                case Op.Clip _ when codes.containsKey(x) -> {
                    clip(node, codes.get(x));
                    yield false;
                }
                case Op.Binary binary when binary.kind() == Op.Binary.Kind.MUL -> masked(node);
                default -> {
                    move(node);
                    yield false;
                }
            };
        }

        /** Codes that are clamped have fewer bits, or the value is clamped before it is rounded. */
        private void clip(Node node, RoundedCodes source) {
            int[] bounds = {source.low(), source.high()};
            for (int i = 0; i < 2; i++) {
                Tensor bound = links.constant(node.input(i + 1));
                if (node.hasInput(i + 1) && (bound == null || bound.elements() != 1)) {
                    return;
                }
                if (bound != null) {
                    long value = bound.longAt(0);
                    bounds[i] = (int) (i == 0 ? Math.max(bounds[0], value) : Math.min(bounds[1], value));
                }
            }
            if (bounds[0] < bounds[1]) {
                codes.put(node.output(), new RoundedCodes(source.value(), source.written(), bounds[0], bounds[1]));
            }
        }

        /** Lets what only moves codes move the floats that they stand for, which are rounded before. */
        private void move(Node node) {
            RoundedCodes source = codes.get(node.input(0));
            boolean moves = node.op().movesData()
                    || node.op() instanceof Op.Resize || node.op() instanceof Op.Pad || node.op() instanceof Op.Identity
                    || node.op() instanceof Op.Concat && node.inputs().stream().map(codes::get)
                            .allMatch(other -> other != null && other.isLike(source));
            if (source == null || !moves || !source.written().isPerTensor()) {
                return;
            }
            List<String> inputs = new ArrayList<>(node.inputs());
            for (int i = 0; i < (node.op() instanceof Op.Concat ? inputs.size() : 1); i++) {
                String wish = names.next(inputs.get(i) + ".real");
                Node rounding = new Node(wish, new Op.Identity(), List.of(codes.get(inputs.get(i)).value()),
                        List.of(wish));
                if (!rounded(rounding, codes.get(inputs.get(i)))) {
                    return;
                }
                inputs.set(i, same.getOrDefault(wish, wish));
            }
            if (node.op() instanceof Op.Pad && !padding(node, source, inputs)) {
                return;
            }
            List<String> outputs = node.outputs().stream()
                    .map(name -> name.isEmpty() ? name : names.next(name + ".real")).toList();
            nodes.add(new Node(names.next(node.name() + ".real"), node.op(), inputs, outputs));
            for (int i = 0; i < outputs.size(); i++) {
                codes.put(node.outputs().get(i),
                        new RoundedCodes(outputs.get(i), source.written(), source.low(), source.high()));
            }
        }

        /** The real that stands for the code with which codes are padded. */
        private boolean padding(Node node, RoundedCodes source, List<String> inputs) {
            Tensor code = links.constant(node.input(2));
            if (node.hasInput(2) && (code == null || code.elements() != 1)) {
                return false;
            }
            long distance = (code == null ? 0 : code.longAt(0)) - source.written().zeroPoint().longAt(0);
            String name = names.next(node.output() + ".padding");
            constants.put(name, Tensor.scalar(distance * source.written().scale().floatAt(0)));
            while (inputs.size() < 3) {
                inputs.add("");
            }
            inputs.set(2, name);
            return true;
        }

        /** Puts a mask of zeros and ones on dequantised weights into their codes. */
        private boolean masked(Node node) {
            for (int i = 0; i < 2; i++) {
                Node writer = links.writer(node.input(i));
                Tensor mask = links.constant(node.input(1 - i));
                if (writer == null || mask == null || !(writer.op() instanceof Op.DequantizeLinear op)) {
                    continue;
                }
                Quantization how = quantizers.linear(writer, op.axis(), infos.get(writer.input(0)).type()).orElse(null);
                Tensor stored = how == null ? null : weightCodes(writer, how);
                if (stored != null && zeroIsCode(how) && becomesWeights(node.output(), how)
                        && infos.get(node.output()).shape().equals(stored.shape())) {
                    return QuantizationMath.masked(stored, how, mask)
                            .map(codes -> {
                                putCodes(node.output(), codes, how);
                                return true;
                            }).orElse(false);
                }
            }
            return false;
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
            RoundedCodes source = codes.get(node.input(0));
            if (source != null) {
                return how.isSameAs(source.written()) && rounded(node, source);
            }
            Tensor stored = weightCodes(node, how);
            if (stored == null || !becomesWeights(node.output(), how)) {
                return false;
            }
            putCodes(node.output(), stored, how);
            return true;
        }

        /** The codes of constants that the node dequantises, or null if it has others. */
        private Tensor weightCodes(Node node, Quantization how) {
            RoundedCodes source = codes.get(node.input(0));
            Tensor tensor = graph.constants().get(source == null ? node.input(0) : source.value());
            if (tensor == null || source != null && !how.isSameAs(source.written())) {
                return null;
            }
            if (source != null) {
                return QuantizationMath.clamped(QuantizationMath.codes(tensor, how), source.low(), source.high());
            }
            DataType stored = how.signed() ? DataType.INT8 : DataType.UINT8;
            return tensor.type() == stored ? tensor : Tensor.of(stored, tensor.shape(), tensor.toLongs());
        }

        private boolean rounded(Node node, RoundedCodes source) {
            Quantization how = source.narrowed();
            boolean exact = source.isWhole() || how.bits() < source.written().bits() || how.narrow();
            if (exact && (links.constant(source.value()) != null || zeroIsCode(how))) {
                return rounded(node, source.value(), how);
            }
            if (links.constant(source.value()) != null) {
                if (!becomesWeights(node.output(), source.written())) {
                    return false;
                }
                putCodes(node.output(), weightCodes(node, source.written()), source.written());
                return true;
            }
            return source.written().isPerTensor() && rounded(node, clamped(source), source.written());
        }

        /** The value clamped to the floats of the lowest and the highest code. */
        private String clamped(RoundedCodes source) {
            String name = names.next(source.value() + ".clamped");
            List<String> inputs = new ArrayList<>(List.of(source.value()));
            for (int bound : new int[] {source.low(), source.high()}) {
                String constant = names.next(name + ".bound");
                long distance = bound - source.written().zeroPoint().longAt(0);
                constants.put(constant, Tensor.scalar(distance * source.written().scale().floatAt(0)));
                inputs.add(constant);
            }
            nodes.add(new Node(name, new Op.Clip(), inputs, List.of(name)));
            return name;
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
                    && (node.op().movesData() || node.op() instanceof Op.Concat && node.inputs().stream()
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
