package dev.shrike.cpu.lowering;

import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.NewNames;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.graph.kernels.LookupTable;
import dev.shrike.graph.quantization.ActivationEpilogue;
import dev.shrike.graph.quantization.IntegerWeights;
import dev.shrike.graph.quantization.QuantParams;
import dev.shrike.graph.quantization.QuantizedAdd;
import dev.shrike.graph.quantization.Requantization;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Decides for every value of a quantised graph whether it lives as codes or as floats, and makes the steps between.
 *
 * <p>Convolutions of codes by integer weights stay integer: requantisation, a table for the activation behind it and
 * the sum with a residual become part of the convolution. Concat, Split, pooling, nearest resizing and reshapes work
 * on the codes. A value that is rounded by its own range becomes codes once for all convolutions that read it.
 * Whatever has no integer form gets floats and, where the graph asks for it, gives codes again.
 */
public final class QuantizedLowering {
    /** Stands for the codes of a value whose scale and zero point each run finds. */
    private static final Quantization MEASURED = Quantization.perTensor(1, 0, 8, false);

    private final Graph graph;
    private final Graph spreadGraph;
    private final Map<String, Quantization> quantization;
    private final Map<String, List<Node>> readers = new HashMap<>();
    private final Set<String> inputs = new HashSet<>();
    private final Set<String> outputs = new HashSet<>();
    private final NewNames names;
    private final Map<String, Integer> positions = new HashMap<>();

    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Tensor> constants;
    private final Map<String, Quantization> codes = new HashMap<>();
    private final Map<String, String> codeNames = new HashMap<>();
    private final Map<String, String> realNames = new HashMap<>();
    private final Set<Node> absorbed = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Map<Node, QuantizedConv> products = new IdentityHashMap<>();
    private final Map<Node, LookupTable> tables = new IdentityHashMap<>();
    private final Map<Node, QuantizedAdd> sums = new IdentityHashMap<>();
    private final Map<Node, QuantParams> conversions = new IdentityHashMap<>();
    private final Map<String, ValueInfo> types;

    /** Values rounded by their own range, and the names of their codes. */
    private final Map<String, String> measured = new HashMap<>();

    private QuantizedLowering(Graph graph) {
        this.graph = graph;
        this.quantization = CodesThroughLayout.spread(graph);
        this.spreadGraph = new Graph(graph.name(), graph.inputs(), graph.outputs(), graph.nodes(), graph.constants(),
                quantization, graph.metadata());
        this.constants = new HashMap<>(graph.constants());
        this.types = new HashMap<>(ShapeInference.infer(graph));
        this.names = new NewNames(graph);
        graph.inputs().forEach(input -> inputs.add(input.name()));
        graph.outputs().forEach(output -> outputs.add(output.name()));
        for (int i = 0; i < graph.nodes().size(); i++) {
            Node node = graph.nodes().get(i);
            for (String input : node.inputs()) {
                readers.computeIfAbsent(input, _ -> new ArrayList<>()).add(node);
            }
            for (String output : node.outputs()) {
                positions.put(output, i);
            }
        }
    }

    /** The graph with explicit codes. */
    public static LoweredGraph lower(Graph graph) {
        return graph.isQuantized() ? new QuantizedLowering(graph).run() : LoweredGraph.real(graph);
    }

    private LoweredGraph run() {
        for (ValueInfo input : graph.inputs()) {
            if (isCodes(input.name())) {
                quantize(input.name(), input.name());
            }
        }
        for (Node node : graph.nodes()) {
            if (!absorbed.contains(node)) {
                NodeErrors.guarded(node, () -> lower(node));
            }
        }
        for (ValueInfo output : graph.outputs()) {
            if (isCodes(output.name()) && !inputs.contains(output.name())) {
                addDequantize(codeName(output.name()), output.name(), output.name());
            }
            if (measured.containsKey(output.name())) {
                realName(output.name());
            }
        }
        Graph lowered = new Graph(graph.name(), graph.inputs(), graph.outputs(), nodes, constants, codes,
                graph.metadata());
        return new LoweredGraph(lowered, types, products, tables, sums, conversions);
    }

    private void lower(Node node) {
        boolean done =
                switch (node.op()) {
                    case Op.Conv _,Op.MatMul _,Op.Gemm _ -> product(node);
                    case Op.DynamicQuant _ -> measure(node);
                    case Op.Unary unary -> table(node, unary);
                    case Op.Trunc _ -> truncation(node);
                    case Op.Binary binary -> sum(node, binary);
                    case Op.MaxPool _,Op.Concat _,Op.DepthToSpace _ -> onCodes(node);
                    case Op.Resize resize -> resize.mode() == Op.Resize.Mode.NEAREST && onCodes(node);
                    default -> ViewOps.isOne(node) && onCodes(node);
                };
        if (!done) {
            onReals(node);
        }
    }

    // --- convolutions and matrix products --------------------------------------------------------------------------

    private boolean product(Node node) {
        boolean byRange = measured.containsKey(node.input(0));
        if (!byRange && !isCodes(node.input(0))
                || !IntegerWeights.isIntegerProduct(spreadGraph, node, measured::containsKey)) {
            return false;
        }
        IntegerWeights weights = IntegerWeights.of(spreadGraph, node);
        double[] bias = bias(node, weights.rows());
        Activation activation = node.op() instanceof Op.Conv conv ? conv.activation() : Activation.NONE;
        boolean residual = node.op() instanceof Op.Conv && node.hasInput(3);
        if (bias == null) {
            return false;
        }
        QuantParams from = QuantParams.of(byRange ? MEASURED : quantization.get(node.input(0)));
        if (byRange) {
            toReals(node, residual, from, weights, bias);
            return true;
        }
        if (isPlainCodes(node.output()) && (residual ? canAdd(node)
                : Requantization.canClamp(activation)
                        || ActivationEpilogue.canGive(QuantParams.of(quantization.get(node.output()))))) {
            toCodes(node, activation, from, weights, bias);
            return true;
        }
        if (isCodes(node.output()) && !residual && activation.kind() == Activation.Kind.NONE
                && weights.largestSum(from) <= Requantization.LARGEST_SIGNED_SUM) {
            toSigns(node, from, weights, bias);
            return true;
        }
        toReals(node, residual, from, weights, bias);
        return true;
    }

    /** Whether the residual of a convolution can be added on the way to codes. */
    private boolean canAdd(Node node) {
        return isPlainCodes(node.input(3)) && ActivationEpilogue.canAdd(
                QuantParams.of(quantization.get(node.input(3))),
                QuantParams.of(quantization.get(node.output())));
    }

    private void toCodes(
            Node node, Activation activation, QuantParams from, IntegerWeights weights, double[] bias) {
        String result = node.output();
        QuantParams to = QuantParams.of(quantization.get(result));
        boolean residual = node.op() instanceof Op.Conv && node.hasInput(3);
        ActivationEpilogue activated = residual
                ? ActivationEpilogue.of(activation, QuantParams.of(quantization.get(node.input(3))), to)
                : Requantization.canClamp(activation) ? null : ActivationEpilogue.of(activation, to);
        Requantization requantization = activated == null
                ? Requantization.toCodes(from, weights.scale(), bias, to).clamped(activation, to)
                : Requantization.toReals(from, weights.scale(), bias);
        LookupTable table = null;
        Node function = activated == null ? onlyReader(result) : null;
        if (function != null && function.op() instanceof Op.Unary unary && isCodes(function.output())) {
            table = LookupTable.of(unary, quantization.get(result), quantization.get(function.output()));
            absorbed.add(function);
            result = function.output();
        }
        QuantizedAdd sum = null;
        List<String> inputs = new ArrayList<>(List.of(codeName(node.input(0)), node.input(1), ""));
        if (residual) {
            inputs.add(codeName(node.input(3)));
        }
        Node add = residual ? null : onlyReader(result);
        if (node.op() instanceof Op.Conv && add != null && isResidual(add, result, node)) {
            boolean first = add.input(0).equals(result);
            String other = add.input(first ? 1 : 0);
            sum = QuantizedAdd.of(quantization.get(result), quantization.get(other), quantization.get(add.output()));
            inputs.add(codeName(other));
            absorbed.add(add);
            result = add.output();
        }
        products.put(add(node.name(), node.op(), inputs, newCodes(result)),
                new QuantizedConv(from, false, weights, requantization, true, activated, table, sum));
    }

    /** Bipolar codes straight from the sums. */
    private void toSigns(Node node, QuantParams from, IntegerWeights weights, double[] bias) {
        Requantization requantization =
                Requantization.toSigns(from, weights.scale(), bias, (int) weights.largestSum(from));
        products.put(
                add(node.name(), node.op(), List.of(codeName(node.input(0)), node.input(1)), newCodes(node.output())),
                new QuantizedConv(from, false, weights, requantization, true, null, null, null));
    }

    private void toReals(
            Node node, boolean residual, QuantParams from, IntegerWeights weights, double[] bias) {
        List<String> inputs = new ArrayList<>(List.of(codeName(node.input(0)), node.input(1), ""));
        if (residual) {
            inputs.add(realName(node.input(3)));
        }
        Requantization requantization = Requantization.toReals(from, weights.scale(), bias);
        String result = node.output();
        String exact = isCodes(result) ? like(result, "/exact") : result;
        products.put(add(node.name(), node.op(), inputs, exact), new QuantizedConv(
                from, measured.containsKey(node.input(0)), weights, requantization, false, null, null, null));
        if (isCodes(result)) {
            quantize(exact, result);
        }
    }

    /** Whether a sum can be part of the convolution: its other operand is there by then, and both are codes. */
    private boolean isResidual(Node add, String result, Node convolution) {
        if (!(add.op() instanceof Op.Binary binary) || binary.kind() != Op.Binary.Kind.ADD
                || !isPlainCodes(add.output()) || add.input(0).equals(add.input(1))) {
            return false;
        }
        String other = add.input(0).equals(result) ? add.input(1) : add.input(0);
        return isPlainCodes(other)
                && positions.getOrDefault(other, -1) < positions.get(convolution.output())
                && sameShape(add);
    }

    private boolean sameShape(Node add) {
        return types.get(add.input(0)).shape().equals(types.get(add.input(1)).shape());
    }

    /** The bias of every output channel, or null if it is not constant or of another shape. */
    private double[] bias(Node node, int rows) {
        double[] values = new double[rows];
        if (node.op() instanceof Op.MatMul || !node.hasInput(2)) {
            return values;
        }
        Tensor tensor = graph.constants().get(node.input(2));
        boolean perRow = tensor != null && tensor.elements() == rows && tensor.shape().dim(-1) == rows;
        if (tensor == null || quantization.containsKey(node.input(2)) || !perRow && tensor.elements() != 1) {
            return null;
        }
        double beta = node.op() instanceof Op.Gemm gemm ? gemm.beta() : 1;
        for (int i = 0; i < rows; i++) {
            values[i] = tensor.doubleAt(perRow ? i : 0) * beta;
        }
        return values;
    }

    /** Codes whose scale and zero point each run finds; floats of them only for those who want some. */
    private boolean measure(Node node) {
        String value = node.output();
        String name = like(value, "/measured");
        codes.put(name, MEASURED);
        add(node.name(), node.op(), List.of(realName(node.input(0))), name);
        if (isCodes(value)) {
            String exact = like(value, "/exact");
            add(names.next(exact + "/dequantize"), new Op.DequantizeLinear(1), List.of(name), exact);
            quantize(exact, value);
        } else {
            measured.put(value, name);
        }
        return true;
    }

    // --- operations on codes ---------------------------------------------------------------------------------------

    private boolean table(Node node, Op.Unary unary) {
        return isCodes(node.input(0)) && isCodes(node.output()) && table(node,
                LookupTable.of(unary, quantization.get(node.input(0)), quantization.get(node.output())));
    }

    private boolean truncation(Node node) {
        return isCodes(node.input(0)) && isCodes(node.output())
                && LookupTable.ofTrunc(spreadGraph, node).filter(table -> table(node, table)).isPresent();
    }

    private boolean table(Node node, LookupTable table) {
        tables.put(add(node.name(), node.op(), List.of(codeName(node.input(0))), newCodes(node.output())), table);
        return true;
    }

    private boolean sum(Node node, Op.Binary binary) {
        if (binary.kind() != Op.Binary.Kind.ADD || !isPlainCodes(node.input(0)) || !isPlainCodes(node.input(1))
                || !isPlainCodes(node.output())) {
            return false;
        }
        QuantizedAdd sum = QuantizedAdd.of(quantization.get(node.input(0)), quantization.get(node.input(1)),
                quantization.get(node.output()));
        sums.put(add(node.name(), node.op(), List.of(codeName(node.input(0)), codeName(node.input(1))),
                newCodes(node.output())), sum);
        return true;
    }

    /** Operations that move codes without looking at them, or only compare them. */
    private boolean onCodes(Node node) {
        int operands = node.op() instanceof Op.Concat ? node.inputs().size() : 1;
        for (int i = 0; i < operands; i++) {
            if (!isCodes(node.input(i))) {
                return false;
            }
        }
        for (String output : node.outputs()) {
            if (!output.isEmpty() && !isCodes(output)) {
                return false;
            }
        }
        List<String> operandNames = new ArrayList<>(node.inputs());
        boolean concat = node.op() instanceof Op.Concat;
        for (int i = 0; i < operands; i++) {
            String input = node.input(i);
            operandNames.set(i, concat ? requantized(node, input, node.output(), i) : codeName(input));
        }
        List<String> results = new ArrayList<>();
        List<Runnable> after = new ArrayList<>();
        for (String output : node.outputs()) {
            if (output.isEmpty() || concat || same(node.input(0), output)) {
                results.add(output.isEmpty() ? "" : newCodes(output));
                continue;
            }
            String before = like(output, "/before");
            codes.put(before, quantization.get(node.input(0)));
            results.add(before);
            after.add(() -> addRequantize(output + "/requantize", before, quantization.get(node.input(0)),
                    newCodes(output), quantization.get(output)));
        }
        nodes.add(node.withInputs(operandNames).withOutputs(results));
        after.forEach(Runnable::run);
        return true;
    }

    /** The codes of an operand in the terms of the result. */
    private String requantized(Node node, String input, String output, int index) {
        if (same(input, output)) {
            return codeName(input);
        }
        String name = names.next(output + "/operand " + index);
        codes.put(name, quantization.get(output));
        types.put(name, types.get(input));
        addRequantize(node.name() + "/operand " + index, codeName(input), quantization.get(input), name,
                quantization.get(output));
        return name;
    }

    private void addRequantize(String node, String from, Quantization in, String to, Quantization out) {
        tables.put(add(names.next(node), new Op.Cast(DataType.UINT8), List.of(from), to),
                LookupTable.requantize(in, out));
    }

    // --- operations on floats ---------------------------------------------------------------------------------------

    private void onReals(Node node) {
        List<String> operands = new ArrayList<>();
        for (String input : node.inputs()) {
            operands.add(input.isEmpty() ? "" : realName(input));
        }
        List<String> results = new ArrayList<>();
        for (String output : node.outputs()) {
            results.add(!output.isEmpty() && isCodes(output) ? like(output, "/exact") : output);
        }
        nodes.add(node.withInputs(operands).withOutputs(results));
        for (int i = 0; i < results.size(); i++) {
            if (!results.get(i).equals(node.outputs().get(i))) {
                quantize(results.get(i), node.outputs().get(i));
            }
        }
    }

    private void quantize(String from, String value) {
        if (quantization.get(value).bipolar()) {
            quantizeSigns(from, value);
            return;
        }
        addQuantize(from, newCodes(value), value, quantization.get(value));
    }

    private void addQuantize(String from, String to, String value, Quantization how) {
        QuantParams given = QuantParams.of(how);
        conversions.put(add(names.next(value + "/quantize"), new Op.QuantizeLinear(1, DataType.UINT8), List.of(from),
                to), given);
    }

    /**
     * Bipolar codes in two steps: codes 0 and 1, for less than 0 and the rest, which no real but 0 is near enough to
     * miss as the step is the smallest float; then a table.
     */
    private void quantizeSigns(String from, String value) {
        Quantization signs = Quantization.perTensor(Float.MIN_VALUE, 1, 1, false);
        String name = like(value, "/sign");
        codes.put(name, signs);
        addQuantize(from, name, value, signs);
        addRequantize(value + "/bipolar", name, signs, newCodes(value), quantization.get(value));
    }

    private void addDequantize(String from, String to, String value) {
        QuantParams given = QuantParams.of(quantization.get(value));
        conversions.put(add(names.next(to + "/dequantize"), new Op.DequantizeLinear(1), List.of(from), to), given);
    }

    // --- names -----------------------------------------------------------------------------------------------------

    /** Adds a node of one result, by which what is noted about it is found again. */
    private Node add(String name, Op op, List<String> operands, String result) {
        Node node = new Node(name, op, operands, List.of(result));
        nodes.add(node);
        return node;
    }

    /** A name that nothing else has for a value like the given one, in another form. */
    private String like(String value, String form) {
        String name = names.next(value + form);
        types.put(name, types.get(value));
        return name;
    }

    private boolean isCodes(String value) {
        return quantization.containsKey(value) && !graph.constants().containsKey(value);
    }

    private boolean isPlainCodes(String value) {
        return isCodes(value) && !quantization.get(value).bipolar();
    }

    private boolean same(String a, String b) {
        return quantization.get(a).isSameAs(quantization.get(b));
    }

    private Node onlyReader(String value) {
        List<Node> list = readers.getOrDefault(value, List.of());
        return list.size() == 1 && !outputs.contains(value) ? list.getFirst() : null;
    }

    /** Name of the codes of a value that is about to be written. */
    private String newCodes(String value) {
        boolean visible = outputs.contains(value) || inputs.contains(value);
        String name = visible ? like(value, "/codes") : value;
        codeNames.put(value, name);
        codes.put(name, quantization.get(value));
        return name;
    }

    private String codeName(String value) {
        return measured.containsKey(value) ? measured.get(value) : codeNames.get(value);
    }

    /** Name of the real form of a value, made where there is none yet. */
    private String realName(String value) {
        if (!quantization.containsKey(value) && !measured.containsKey(value)) {
            return value;
        }
        return realNames.computeIfAbsent(value, this::makeReal);
    }

    private String makeReal(String value) {
        if (measured.containsKey(value)) {
            add(names.next(value + "/dequantize"), new Op.DequantizeLinear(1), List.of(measured.get(value)), value);
            return value;
        }
        String name = like(value, "/real");
        Tensor constant = graph.constants().get(value);
        if (constant != null) {
            constants.put(name, FloatConstants.of(constant, quantization.get(value)));
            return name;
        }
        addDequantize(codeName(value), name, value);
        return name;
    }
}
