package dev.shrike.graph;

import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A network: nodes in topological order over named values, each written once.
 *
 * <p>A value named in {@code quantization} is rounded to codes as soon as it is given or computed
 * ({@code code = clamp(rint(x / scale) + zeroPoint)}), and whoever reads it, outside too, sees
 * {@code scale * (code - zeroPoint)}. Its type is still the floating one of its scale. A constant named there holds
 * the codes themselves, as INT8 or UINT8 whatever their width, and is read as the floats they stand for.
 *
 * @param name name of the network
 * @param inputs what a run must be given; constants are not among them
 * @param outputs what a run returns
 * @param nodes operations; each reads inputs, constants or outputs of earlier nodes
 * @param constants weights and other constants by value name
 * @param quantization how values are quantised, by value name; values not named are real
 * @param metadata free text that came with the model ({@code names}, {@code stride} …)
 */
public record Graph(
        String name,
        List<ValueInfo> inputs,
        List<ValueInfo> outputs,
        List<Node> nodes,
        Map<String, Tensor> constants,
        Map<String, Quantization> quantization,
        Map<String, String> metadata) {
    public Graph {
        Objects.requireNonNull(name, "name");
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        nodes = List.copyOf(nodes);
        constants = Map.copyOf(constants);
        quantization = Map.copyOf(quantization);
        metadata = Map.copyOf(metadata);
        GraphCheck.check(inputs, outputs, nodes, constants);
        GraphCheck.check(quantization, constants);
    }

    /** The same graph with other nodes. */
    public Graph withNodes(List<Node> other) {
        return new Graph(name, inputs, outputs, other, constants, quantization, metadata);
    }

    /** The same graph with other nodes and constants. */
    public Graph withNodes(List<Node> other, Map<String, Tensor> otherConstants) {
        return new Graph(name, inputs, outputs, other, otherConstants, quantization, metadata);
    }

    /** The same graph with other nodes, constants and quantisation. */
    public Graph withNodes(List<Node> other, Map<String, Tensor> otherConstants,
            Map<String, Quantization> otherQuantization) {
        return new Graph(name, inputs, outputs, other, otherConstants, otherQuantization, metadata);
    }

    /** The same graph with other inputs. */
    public Graph withInputs(List<ValueInfo> other) {
        return new Graph(name, other, outputs, nodes, constants, quantization, metadata);
    }

    /** The same graph with other outputs. */
    public Graph withOutputs(List<ValueInfo> other) {
        return new Graph(name, inputs, other, nodes, constants, quantization, metadata);
    }

    /** Whether any value has codes, fixed ones or by its own range. */
    public boolean isQuantized() {
        return !quantization().isEmpty() || nodes().stream().anyMatch(node -> node.op() instanceof Op.DynamicQuant);
    }
}
