package dev.shrike.cpu.lowering;

import dev.shrike.graph.Activation;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Links;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.kernels.LookupTable;
import dev.shrike.graph.quantization.ActivationEpilogue;
import dev.shrike.graph.quantization.IntegerWeights;
import dev.shrike.graph.quantization.QuantParams;
import dev.shrike.graph.quantization.QuantizedAdd;
import dev.shrike.graph.quantization.Requantization;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Lowers convolutions and matrix products of codes by integer weights. Requantisation, a table for the activation
 * behind one and the sum with a residual become part of it.
 */
final class ConvLowering {
    /** Stand for the codes of a value whose scale and zero point each run finds. */
    private static final QuantParams DYNAMIC = QuantParams.of(Quantization.perTensor(1, 0, 8, false));

    private final Graph graph;
    private final NetworkBuilder network;
    private final Links links;
    private final Map<String, Integer> positions = new HashMap<>();
    /** Results of nodes that have become part of a convolution. */
    private final Set<String> absorbed = new HashSet<>();

    ConvLowering(Graph graph, NetworkBuilder network) {
        this.graph = graph;
        this.network = network;
        this.links = new Links(graph);
        for (int i = 0; i < graph.nodes().size(); i++) {
            Node node = graph.nodes().get(i);
            for (String output : node.outputs()) {
                positions.put(output, i);
            }
        }
    }

    /** Whether a node has become part of a convolution before it. */
    boolean hasAbsorbed(Node node) {
        return absorbed.contains(node.output());
    }

    /** A convolution that is lowered: its node and what all forms of its result need. */
    private record Sums(Node node, Activation activation, QuantParams from, IntegerWeights weights, double[] bias) {
        boolean hasResidual() {
            return node.op() instanceof Op.Conv && node.hasInput(3);
        }

        ConvGeometry geometry() {
            return node.op() instanceof Op.Conv conv ? new ConvGeometry.Images(conv.window(), conv.group())
                    : new ConvGeometry.Rows();
        }

        Requantization toFloats() {
            return Requantization.toReals(from, weights.scale(), bias);
        }
    }

    /** Adds a convolution or matrix product; false if it is none of codes by integer weights. */
    boolean lower(Node node) {
        boolean dynamic = network.isDynamic(node.input(0));
        if (!dynamic && !network.isCodes(node.input(0))
                || !IntegerWeights.isIntegerProduct(graph, node, network::isDynamic)) {
            return false;
        }
        IntegerWeights weights = IntegerWeights.of(graph, node);
        double[] bias = IntegerWeights.bias(graph, node, weights.rows());
        if (bias == null) {
            return false;
        }
        Activation activation = node.op() instanceof Op.Conv conv ? conv.activation() : Activation.NONE;
        Sums sums = new Sums(node, activation, dynamic ? DYNAMIC : network.params(node.input(0)), weights, bias);
        if (dynamic) {
            toFloats(sums);
        } else if (canGiveCodes(sums)) {
            toCodes(sums);
        } else if (!toSigns(sums)) {
            toFloats(sums);
        }
        return true;
    }

    private boolean canGiveCodes(Sums sums) {
        String result = sums.node.output();
        if (!network.isPlainCodes(result)) {
            return false;
        }
        if (sums.hasResidual()) {
            String residual = sums.node.input(3);
            return network.isPlainCodes(residual)
                    && ActivationEpilogue.canAdd(network.params(residual), network.params(result));
        }
        return Requantization.canClamp(sums.activation) || ActivationEpilogue.canGive(network.params(result));
    }

    private void toCodes(Sums sums) {
        Node node = sums.node;
        List<String> inputs = new ArrayList<>(List.of(network.codes(node.input(0))));
        if (sums.hasResidual()) {
            inputs.add(network.codes(node.input(3)));
            QuantParams residual = network.params(node.input(3));
            QuantParams to = network.params(node.output());
            add(sums, inputs, node.output(), new Epilogue.Activated(sums.toFloats(),
                    ActivationEpilogue.of(sums.activation, residual, to), null));
        } else if (Requantization.canClamp(sums.activation)) {
            toClampedCodes(sums, inputs);
        } else {
            QuantParams to = network.params(node.output());
            QuantizedAdd sum = absorbSum(node, node.output(), inputs);
            add(sums, inputs, resultOf(node.output(), sum), new Epilogue.Activated(sums.toFloats(),
                    ActivationEpilogue.of(sums.activation, to), sum));
        }
    }

    /** Codes that no activation moves; the function behind them, if any, becomes a table. */
    private void toClampedCodes(Sums sums, List<String> inputs) {
        String result = sums.node.output();
        QuantParams to = network.params(result);
        Requantization requantization = Requantization.toCodes(sums.from, sums.weights.scale(), sums.bias, to)
                .clamped(sums.activation, to);
        LookupTable table = null;
        Node function = onlyReader(result);
        if (function != null && function.op() instanceof Op.Unary unary && network.isCodes(function.output())) {
            table = LookupTable.of(unary, network.quantization(result), network.quantization(function.output()));
            result = function.output();
            absorbed.add(result);
        }
        QuantizedAdd sum = absorbSum(sums.node, result, inputs);
        add(sums, inputs, resultOf(result, sum), new Epilogue.Codes(requantization, table, sum));
    }

    /** Makes the sum that alone reads a convolution's result part of it, and its other operand an input; or null. */
    private QuantizedAdd absorbSum(Node convolution, String result, List<String> inputs) {
        Node add = onlyReader(result);
        if (!(convolution.op() instanceof Op.Conv) || add == null || !isResidual(add, result, convolution)) {
            return null;
        }
        String other = otherOperand(add, result);
        inputs.add(network.codes(other));
        absorbed.add(add.output());
        return QuantizedAdd.of(network.quantization(result), network.quantization(other),
                network.quantization(add.output()));
    }

    /** What a convolution writes whose own result may be part of a sum. */
    private String resultOf(String result, QuantizedAdd sum) {
        return sum == null ? result : onlyReader(result).output();
    }

    /** Bipolar codes straight from the sums; false if they cannot be had. */
    private boolean toSigns(Sums sums) {
        if (!network.isCodes(sums.node.output()) || sums.hasResidual()
                || sums.activation.kind() != Activation.Kind.NONE) {
            return false;
        }
        long largest = sums.weights.largestSum(sums.from);
        if (largest > Requantization.LARGEST_SIGNED_SUM) {
            return false;
        }
        add(sums, List.of(network.codes(sums.node.input(0))), sums.node.output(), new Epilogue.Codes(
                Requantization.toSigns(sums.from, sums.weights.scale(), sums.bias, (int) largest)));
        return true;
    }

    private void add(Sums sums, List<String> inputs, String result, Epilogue epilogue) {
        network.add(sums.node.name(), new QuantizedConv(sums.geometry(), sums.from, false, sums.weights, epilogue),
                inputs, network.newCodes(result));
    }

    private void toFloats(Sums sums) {
        Node node = sums.node;
        List<String> inputs = new ArrayList<>(List.of(network.codes(node.input(0))));
        if (sums.hasResidual()) {
            inputs.add(network.floats(node.input(3)));
        }
        LoweredTensor exact = network.exact(node.output());
        network.add(node.name(), new QuantizedConv(sums.geometry(), sums.from, network.isDynamic(node.input(0)),
                sums.weights, new Epilogue.Floats(sums.toFloats(), sums.activation)), inputs, exact);
        if (network.isCodes(node.output())) {
            network.quantize(exact.name(), node.output());
        }
    }

    private static String otherOperand(Node add, String operand) {
        return add.input(add.input(0).equals(operand) ? 1 : 0);
    }

    /** Whether a sum can be part of the convolution: its other operand is there by then, and both are codes. */
    private boolean isResidual(Node add, String result, Node convolution) {
        if (!(add.op() instanceof Op.Binary binary) || binary.kind() != Op.Binary.Kind.ADD
                || !network.isPlainCodes(add.output()) || add.input(0).equals(add.input(1))) {
            return false;
        }
        String other = otherOperand(add, result);
        return network.isPlainCodes(other)
                && positions.getOrDefault(other, -1) < positions.get(convolution.output())
                && network.shape(add.input(0)).equals(network.shape(add.input(1)));
    }

    private Node onlyReader(String value) {
        List<Node> list = links.readers(value);
        return list.size() == 1 && !network.isOutput(value) ? list.getFirst() : null;
    }
}
