package dev.shrike.cpu.lowering;

import dev.shrike.graph.Graph;
import dev.shrike.graph.NewNames;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.kernels.LookupTable;
import dev.shrike.graph.quantization.QuantParams;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Collects nodes and tensors of a lowered network. Knows which forms each value of the graph has, floats, codes or
 * both, and makes a form that is missing when it is asked for, once.
 */
final class NetworkBuilder {
    private final Graph graph;
    private final Map<String, ValueInfo> types;
    private final NewNames names;
    private final Set<String> inputs = new HashSet<>();
    private final Set<String> outputs = new HashSet<>();

    private final List<LoweredNode> nodes = new ArrayList<>();
    private final Map<String, LoweredTensor> tensors = new LinkedHashMap<>();
    private final Map<String, Tensor> constants;
    /** Names of the codes of values of the graph. */
    private final Map<String, String> codeNames = new HashMap<>();
    /** Names of the floats of values that are codes. */
    private final Map<String, String> floatNames = new HashMap<>();
    /** Names of the codes of values that are rounded by their own range, and to no other codes. */
    private final Map<String, String> dynamicNames = new HashMap<>();
    /** Names of the codes that floats have by their own range. */
    private final Map<String, String> roundedByRange = new HashMap<>();

    /**
     * Nothing yet but the inputs.
     *
     * @param graph the graph that is lowered, with the quantisation of every value that is to be codes
     * @param types type and known shape of its values
     */
    NetworkBuilder(Graph graph, Map<String, ValueInfo> types) {
        this.graph = graph;
        this.types = types;
        this.names = new NewNames(graph);
        this.constants = new HashMap<>(graph.constants());
        for (ValueInfo input : graph.inputs()) {
            inputs.add(input.name());
            write(floats(input.name(), input.name()));
        }
        graph.outputs().forEach(output -> outputs.add(output.name()));
    }

    /** The network of what was added; every output of the graph is there as floats. */
    LoweredNetwork build() {
        List<String> results = graph.outputs().stream().map(ValueInfo::name).toList();
        for (String output : results) {
            if (!inputs.contains(output)) {
                floats(output);
            }
        }
        Set<String> read = new HashSet<>(results);
        nodes.forEach(node -> read.addAll(node.inputs()));
        constants.keySet().retainAll(read);
        return new LoweredNetwork(graph.name(), graph.inputs().stream().map(ValueInfo::name).toList(), results, nodes,
                tensors, constants);
    }

    // --- what the graph says of a value -----------------------------------------------------------------------------

    boolean isCodes(String value) {
        return graph.quantization().containsKey(value) && !graph.constants().containsKey(value);
    }

    /** Whether a value is codes, and not bipolar ones. */
    boolean isPlainCodes(String value) {
        return isCodes(value) && !quantization(value).bipolar();
    }

    /** Whether a value is codes whose scale and zero point each run finds. */
    boolean isDynamic(String value) {
        return dynamicNames.containsKey(value);
    }

    boolean isOutput(String value) {
        return outputs.contains(value);
    }

    Quantization quantization(String value) {
        return graph.quantization().get(value);
    }

    QuantParams params(String value) {
        return QuantParams.of(quantization(value));
    }

    /** Whether the codes of two values stand for the same floats. */
    boolean haveSameCodes(String a, String b) {
        return quantization(a).isSameAs(quantization(b));
    }

    Shape shape(String value) {
        return types.get(value).shape();
    }

    // --- names of values --------------------------------------------------------------------------------------------

    /** Name of the codes of a value that some node wrote as codes. */
    String codes(String value) {
        return isDynamic(value) ? dynamicNames.get(value) : codeNames.get(value);
    }

    /** Name of the floats of a value, made where there are none yet. */
    String floats(String value) {
        if (!graph.quantization().containsKey(value) && !isDynamic(value)) {
            return value;
        }
        return floatNames.computeIfAbsent(value, this::makeFloats);
    }

    private String makeFloats(String value) {
        Tensor constant = graph.constants().get(value);
        if (constant != null) {
            String name = isOutput(value) ? value : names.next(value + "/real");
            constants.put(name, FloatConstants.of(constant, quantization(value)));
            return name;
        }
        boolean isOwnNameFree = isDynamic(value) || isOutput(value) && !inputs.contains(value);
        String name = isOwnNameFree ? value : names.next(value + "/real");
        CodesOp op = isDynamic(value) ? new CodesOp.DequantizeDynamic() : new CodesOp.Dequantize(params(value));
        add(names.next(name + "/dequantize"), op, List.of(codes(value)), floats(name, value));
        return name;
    }

    private LoweredTensor floats(String name, String value) {
        return tensor(name, value, new LoweredTensor.Format.Floats());
    }

    private LoweredTensor tensor(String name, String value, LoweredTensor.Format format) {
        return new LoweredTensor(name, types.get(value).type(), shape(value), format);
    }

    /** What an operator on floats writes for a value: the value itself, or floats beside it if it is codes. */
    LoweredTensor exact(String value) {
        return floats(isCodes(value) ? names.next(value + "/exact") : value, value);
    }

    /** The codes of a value that is about to be written. */
    LoweredTensor newCodes(String value) {
        boolean visible = isOutput(value) || inputs.contains(value);
        String name = visible ? names.next(value + "/codes") : value;
        codeNames.put(value, name);
        return codes(name, value, params(value));
    }

    private LoweredTensor codes(String name, String value, QuantParams params) {
        return tensor(name, value, new LoweredTensor.Format.Codes(params));
    }

    // --- nodes ------------------------------------------------------------------------------------------------------

    /** Adds a node of one result. */
    void add(String name, LoweredOp op, List<String> operands, LoweredTensor result) {
        write(result);
        nodes.add(new LoweredNode(name, op, operands, List.of(result.name())));
    }

    /** Adds a node of several results, of which unwanted ones are null. */
    void add(String name, LoweredOp op, List<String> operands, List<LoweredTensor> results) {
        results.stream().filter(result -> result != null).forEach(this::write);
        List<String> written = results.stream().map(result -> result == null ? "" : result.name()).toList();
        nodes.add(new LoweredNode(name, op, operands, written));
    }

    private void write(LoweredTensor tensor) {
        tensors.put(tensor.name(), tensor);
    }

    /** Adds the rounding of floats to the codes of a value. */
    void quantize(String from, String value) {
        if (quantization(value).bipolar()) {
            quantizeSigns(from, value);
        } else {
            quantize(from, newCodes(value), value, params(value));
        }
    }

    private void quantize(String from, LoweredTensor to, String value, QuantParams params) {
        add(names.next(value + "/quantize"), new CodesOp.Quantize(params), List.of(from), to);
    }

    /**
     * Bipolar codes in two steps: codes 0 and 1, for less than 0 and the rest, which no real but 0 is near enough to
     * miss as the step is the smallest float; then a table.
     */
    private void quantizeSigns(String from, String value) {
        Quantization signs = Quantization.perTensor(Float.MIN_VALUE, 1, 1, false);
        LoweredTensor name = codes(names.next(value + "/sign"), value, QuantParams.of(signs));
        quantize(from, name, value, QuantParams.of(signs));
        requantize(value + "/bipolar", name.name(), signs, newCodes(value), quantization(value));
    }

    private void requantize(String node, String from, Quantization in, LoweredTensor to, Quantization out) {
        add(names.next(node), new CodesOp.Lut(LookupTable.requantize(in, out)), List.of(from), to);
    }

    /** Codes of one value in those of another, until {@link #requantize(String, LoweredTensor, String)}. */
    LoweredTensor before(String value, String like) {
        return codes(names.next(value + "/before"), value, params(like));
    }

    /** Adds the way from codes like those of another value, as {@link #before} names them, to those of a value. */
    void requantize(String like, LoweredTensor before, String value) {
        requantize(value + "/requantize", before.name(), quantization(like), newCodes(value), quantization(value));
    }

    /** Name of the codes of an operand in those of the result; made if they differ. */
    String operand(String node, String value, int index, String result) {
        if (haveSameCodes(value, result)) {
            return codes(value);
        }
        LoweredTensor operand = codes(names.next(result + "/operand " + index), value, params(result));
        requantize(node + "/operand " + index, codes(value), quantization(value), operand, quantization(result));
        return operand.name();
    }

    /**
     * Adds the rounding of a value by its own range. Whoever rounds the same floats again gets the same codes; floats
     * of them are there only for those who want some.
     */
    void quantizeDynamic(String node, String from, String value) {
        String codes = roundedByRange.computeIfAbsent(floats(from), floats -> {
            LoweredTensor dynamic =
                    tensor(names.next(value + "/dynamic"), value, new LoweredTensor.Format.DynamicCodes());
            add(node, new CodesOp.QuantizeDynamic(), List.of(floats), dynamic);
            return dynamic.name();
        });
        if (isCodes(value)) {
            LoweredTensor exact = exact(value);
            add(names.next(exact.name() + "/dequantize"), new CodesOp.DequantizeDynamic(), List.of(codes), exact);
            quantize(exact.name(), value);
        } else {
            dynamicNames.put(value, codes);
        }
    }
}
