package dev.shrike.cpu;

import dev.shrike.graph.ActivatedCodes;
import dev.shrike.graph.Activation;
import dev.shrike.graph.ActivationCodes;
import dev.shrike.graph.CodeSum;
import dev.shrike.graph.CodeTable;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.IntegerWeights;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Requantization;
import dev.shrike.graph.ShapeInference;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Decides for every value of a quantised graph whether it lives as codes or as reals, and makes the steps between.
 *
 * <p>Convolutions of codes by integer weights stay integer: requantisation, a table for the activation behind it and
 * the sum with a residual become part of the convolution. Concat, Split, pooling, nearest resizing and reshapes work
 * on the codes. A value that is rounded by its own range becomes codes once for all convolutions that read it.
 * Whatever has no integer form gets reals and, where the graph asks for it, gives codes again.
 */
final class QuantizedLowering {
    /** Stands for the codes of a value whose scale and zero point each run finds. */
    private static final Quantization MEASURED = Quantization.perTensor(1, 0, 8, false);

    private final Graph graph;
    private final Graph spreadGraph;
    private final Map<String, Quantization> quantization;
    private final Map<String, List<Node>> readers = new HashMap<>();
    private final Set<String> outputs = new HashSet<>();
    private final Map<String, Integer> positions = new HashMap<>();

    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Tensor> constants;
    private final Map<String, Quantization> codes = new HashMap<>();
    private final Map<String, String> codeNames = new HashMap<>();
    private final Map<String, String> realNames = new HashMap<>();
    private final Set<Node> absorbed = new HashSet<>();
    private final Map<String, CodeConvolution> products = new HashMap<>();
    private final Map<String, CodeTable> tables = new HashMap<>();
    private final Map<String, CodeSum> sums = new HashMap<>();
    private final Map<String, ActivationCodes> conversions = new HashMap<>();
    private final Map<String, ValueInfo> types;

    /** Values rounded by their own range, whose codes have another name. */
    private final Set<String> measured = new HashSet<>();

    private QuantizedLowering(Graph graph) {
        this.graph = graph;
        this.quantization = CodesThroughLayout.spread(graph);
        this.spreadGraph = new Graph(graph.name(), graph.inputs(), graph.outputs(), graph.nodes(), graph.constants(),
                quantization, graph.metadata());
        this.constants = new HashMap<>(graph.constants());
        this.types = new HashMap<>(ShapeInference.infer(graph));
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
    static LoweredGraph lower(Graph graph) {
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
                lower(node);
            }
        }
        for (ValueInfo output : graph.outputs()) {
            if (isCodes(output.name()) && graph.inputs().stream().noneMatch(i -> i.name().equals(output.name()))) {
                addDequantize(codeName(output.name()), output.name(), output.name());
            }
            if (measured.contains(output.name())) {
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
                    default -> LayoutPlanner.isViewOp(node) && onCodes(node);
                };
        if (!done) {
            onReals(node);
        }
    }

    // --- convolutions and matrix products --------------------------------------------------------------------------

    private boolean product(Node node) {
        boolean byRange = measured.contains(node.input(0));
        if (!byRange && !isCodes(node.input(0)) || !IntegerWeights.isIntegerProduct(spreadGraph, node)) {
            return false;
        }
        IntegerWeights weights = IntegerWeights.of(spreadGraph, node);
        double[] bias = bias(node, weights.rows());
        Activation activation = node.op() instanceof Op.Conv conv ? conv.activation() : Activation.NONE;
        boolean residual = node.op() instanceof Op.Conv && node.hasInput(3);
        if (bias == null) {
            return false;
        }
        ActivationCodes from = ActivationCodes.of(byRange ? MEASURED : quantization.get(node.input(0)));
        if (byRange) {
            toReals(node, residual, from, weights, bias);
            return true;
        }
        if (isPlainCodes(node.output()) && (residual ? canAdd(node)
                : Requantization.canClamp(activation)
                        || ActivatedCodes.canGive(ActivationCodes.of(quantization.get(node.output()))))) {
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
        return isPlainCodes(node.input(3)) && ActivatedCodes.canAdd(
                ActivationCodes.of(quantization.get(node.input(3))),
                ActivationCodes.of(quantization.get(node.output())));
    }

    private void toCodes(
            Node node, Activation activation, ActivationCodes from, IntegerWeights weights, double[] bias) {
        String result = node.output();
        ActivationCodes to = ActivationCodes.of(quantization.get(result));
        boolean residual = node.op() instanceof Op.Conv && node.hasInput(3);
        ActivatedCodes activated = residual
                ? ActivatedCodes.of(activation, ActivationCodes.of(quantization.get(node.input(3))), to)
                : Requantization.canClamp(activation) ? null : ActivatedCodes.of(activation, to);
        Requantization requantization = activated == null
                ? Requantization.toCodes(from, weights.scale(), bias, to).clamped(activation, to)
                : Requantization.toReals(from, weights.scale(), bias);
        CodeTable table = null;
        Node function = activated == null ? onlyReader(result) : null;
        if (function != null && function.op() instanceof Op.Unary unary && isCodes(function.output())) {
            table = CodeTable.of(unary, quantization.get(result), quantization.get(function.output()));
            absorbed.add(function);
            result = function.output();
        }
        CodeSum sum = null;
        List<String> inputs = new ArrayList<>(List.of(codeName(node.input(0)), node.input(1), ""));
        if (residual) {
            inputs.add(codeName(node.input(3)));
        }
        Node add = residual ? null : onlyReader(result);
        if (node.op() instanceof Op.Conv && add != null && isResidual(add, result, node)) {
            boolean first = add.input(0).equals(result);
            String other = add.input(first ? 1 : 0);
            sum = CodeSum.of(quantization.get(result), quantization.get(other), quantization.get(add.output()));
            inputs.add(codeName(other));
            absorbed.add(add);
            result = add.output();
        }
        products.put(node.name(),
                new CodeConvolution(from, false, weights, requantization, true, activated, table, sum));
        nodes.add(new Node(node.name(), node.op(), inputs, List.of(newCodes(result))));
    }

    /** Bipolar codes straight from the sums. */
    private void toSigns(Node node, ActivationCodes from, IntegerWeights weights, double[] bias) {
        Requantization requantization =
                Requantization.toSigns(from, weights.scale(), bias, (int) weights.largestSum(from));
        products.put(node.name(), new CodeConvolution(from, false, weights, requantization, true, null, null, null));
        nodes.add(new Node(node.name(), node.op(), List.of(codeName(node.input(0)), node.input(1)),
                List.of(newCodes(node.output()))));
    }

    private void toReals(
            Node node, boolean residual, ActivationCodes from, IntegerWeights weights, double[] bias) {
        List<String> inputs = new ArrayList<>(List.of(codeName(node.input(0)), node.input(1), ""));
        if (residual) {
            inputs.add(realName(node.input(3)));
        }
        Requantization requantization = Requantization.toReals(from, weights.scale(), bias);
        products.put(node.name(), new CodeConvolution(from, measured.contains(node.input(0)), weights, requantization,
                false, null, null, null));
        String result = node.output();
        if (!isCodes(result)) {
            nodes.add(new Node(node.name(), node.op(), inputs, List.of(result)));
            return;
        }
        types.put(result + "/exact", types.get(result));
        nodes.add(new Node(node.name(), node.op(), inputs, List.of(result + "/exact")));
        quantize(result + "/exact", result);
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

    /** Codes whose scale and zero point each run finds; reals of them only for those who want some. */
    private boolean measure(Node node) {
        String value = node.output();
        String name = measuredName(value);
        types.put(name, types.get(value));
        codes.put(name, MEASURED);
        nodes.add(new Node(node.name(), node.op(), List.of(realName(node.input(0))), List.of(name)));
        if (isCodes(value)) {
            String exact = value + "/exact";
            types.put(exact, types.get(value));
            nodes.add(new Node(exact + "/dequantize", new Op.DequantizeLinear(1), List.of(name), List.of(exact)));
            quantize(exact, value);
        } else {
            measured.add(value);
        }
        return true;
    }

    private static String measuredName(String value) {
        return value + "/measured";
    }

    // --- operations on codes ---------------------------------------------------------------------------------------

    private boolean table(Node node, Op.Unary unary) {
        return isCodes(node.input(0)) && isCodes(node.output()) && table(node,
                CodeTable.of(unary, quantization.get(node.input(0)), quantization.get(node.output())));
    }

    private boolean truncation(Node node) {
        return isCodes(node.input(0)) && isCodes(node.output())
                && CodeTable.ofTrunc(spreadGraph, node).filter(table -> table(node, table)).isPresent();
    }

    private boolean table(Node node, CodeTable table) {
        tables.put(node.name(), table);
        nodes.add(node.withInputs(List.of(codeName(node.input(0)))).withOutputs(List.of(newCodes(node.output()))));
        return true;
    }

    private boolean sum(Node node, Op.Binary binary) {
        if (binary.kind() != Op.Binary.Kind.ADD || !isPlainCodes(node.input(0)) || !isPlainCodes(node.input(1))
                || !isPlainCodes(node.output())) {
            return false;
        }
        sums.put(node.name(), CodeSum.of(quantization.get(node.input(0)), quantization.get(node.input(1)),
                quantization.get(node.output())));
        nodes.add(node.withInputs(List.of(codeName(node.input(0)), codeName(node.input(1))))
                .withOutputs(List.of(newCodes(node.output()))));
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
        List<String> inputs = new ArrayList<>(node.inputs());
        boolean concat = node.op() instanceof Op.Concat;
        for (int i = 0; i < operands; i++) {
            String input = node.input(i);
            inputs.set(i, concat ? requantized(node, input, node.output(), i) : codeName(input));
        }
        List<String> results = new ArrayList<>();
        List<Runnable> after = new ArrayList<>();
        for (String output : node.outputs()) {
            if (output.isEmpty() || concat || same(node.input(0), output)) {
                results.add(output.isEmpty() ? "" : newCodes(output));
                continue;
            }
            String before = output + "/before";
            codes.put(before, quantization.get(node.input(0)));
            types.put(before, types.get(output));
            results.add(before);
            after.add(() -> addRequantize(output + "/requantize", before, quantization.get(node.input(0)),
                    newCodes(output), quantization.get(output)));
        }
        nodes.add(node.withInputs(inputs).withOutputs(results));
        after.forEach(Runnable::run);
        return true;
    }

    /** The codes of an operand in the terms of the result. */
    private String requantized(Node node, String input, String output, int index) {
        if (same(input, output)) {
            return codeName(input);
        }
        String name = output + "/operand " + index;
        codes.put(name, quantization.get(output));
        types.put(name, types.get(input));
        addRequantize(node.name() + "/operand " + index, codeName(input), quantization.get(input), name,
                quantization.get(output));
        return name;
    }

    private void addRequantize(String node, String from, Quantization in, String to, Quantization out) {
        tables.put(node, CodeTable.requantize(in, out));
        nodes.add(new Node(node, new Op.Cast(DataType.UINT8), List.of(from), List.of(to)));
    }

    // --- operations on reals ---------------------------------------------------------------------------------------

    private void onReals(Node node) {
        List<String> inputs = new ArrayList<>();
        for (String input : node.inputs()) {
            inputs.add(input.isEmpty() ? "" : realName(input));
        }
        List<String> results = new ArrayList<>();
        List<String> toQuantize = new ArrayList<>();
        for (String output : node.outputs()) {
            boolean quantized = !output.isEmpty() && isCodes(output);
            results.add(quantized ? output + "/exact" : output);
            if (quantized) {
                types.put(output + "/exact", types.get(output));
                toQuantize.add(output);
            }
        }
        nodes.add(node.withInputs(inputs).withOutputs(results));
        toQuantize.forEach(output -> quantize(output + "/exact", output));
    }

    private void quantize(String from, String value) {
        if (quantization.get(value).bipolar()) {
            quantizeSigns(from, value);
            return;
        }
        String node = value + "/quantize";
        conversions.put(node, ActivationCodes.of(quantization.get(value)));
        nodes.add(new Node(node, new Op.QuantizeLinear(1, DataType.UINT8), List.of(from), List.of(newCodes(value))));
    }

    /**
     * Bipolar codes in two steps: codes 0 and 1, for less than 0 and the rest, which no real but 0 is near enough to
     * miss as the step is the smallest float; then a table.
     */
    private void quantizeSigns(String from, String value) {
        Quantization signs = Quantization.perTensor(Float.MIN_VALUE, 1, 1, false);
        String name = value + "/sign";
        String node = value + "/quantize";
        types.put(name, types.get(value));
        codes.put(name, signs);
        conversions.put(node, ActivationCodes.of(signs));
        nodes.add(new Node(node, new Op.QuantizeLinear(1, DataType.UINT8), List.of(from), List.of(name)));
        addRequantize(value + "/bipolar", name, signs, newCodes(value), quantization.get(value));
    }

    private void addDequantize(String from, String to, String value) {
        String node = value + "/dequantize";
        conversions.put(node, ActivationCodes.of(quantization.get(value)));
        nodes.add(new Node(node, new Op.DequantizeLinear(1), List.of(from), List.of(to)));
    }

    // --- names -----------------------------------------------------------------------------------------------------

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
        boolean visible = outputs.contains(value)
                || graph.inputs().stream().anyMatch(input -> input.name().equals(value));
        String name = visible ? value + "/codes" : value;
        codeNames.put(value, name);
        types.put(name, types.get(value));
        codes.put(name, quantization.get(value));
        return name;
    }

    private String codeName(String value) {
        return measured.contains(value) ? measuredName(value) : codeNames.get(value);
    }

    /** Name of the real form of a value, made where there is none yet. */
    private String realName(String value) {
        if (!quantization.containsKey(value) && !measured.contains(value)) {
            return value;
        }
        return realNames.computeIfAbsent(value, this::makeReal);
    }

    private String makeReal(String value) {
        if (measured.contains(value)) {
            nodes.add(new Node(value + "/dequantize", new Op.DequantizeLinear(1), List.of(measuredName(value)),
                    List.of(value)));
            return value;
        }
        String name = value + "/real";
        types.put(name, types.get(value));
        Tensor constant = graph.constants().get(value);
        if (constant != null) {
            constants.put(name, RealConstants.of(constant, quantization.get(value)));
            return name;
        }
        String node = name + "/dequantize";
        conversions.put(node, ActivationCodes.of(quantization.get(value)));
        nodes.add(new Node(node, new Op.DequantizeLinear(1), List.of(codeName(value)), List.of(name)));
        return name;
    }
}
