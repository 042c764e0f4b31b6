package dev.shrike.cpu.lowering;

import dev.shrike.graph.Tensor;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;

/**
 * A network in which every value is either floats or codes, with explicit steps between the two.
 *
 * @param name name of the network
 * @param inputs names of what a run must be given, floats
 * @param outputs names of what a run returns, floats
 * @param nodes the operations in the order in which they run
 * @param tensors the values by name: inputs and results of nodes
 * @param constants what nodes read beside values, as floats or, for indices and bounds, integers; the weights of a
 *     {@link QuantizedConv} are not among them
 */
public record LoweredNetwork(
        String name,
        List<String> inputs,
        List<String> outputs,
        List<LoweredNode> nodes,
        Map<String, LoweredTensor> tensors,
        Map<String, Tensor> constants) {
    /**
     * Checks that every name is written once and before it is read, and that operations read and write codes and
     * floats as they must: who took one for the other would read beyond the end of a buffer.
     *
     * @throws IllegalArgumentException if not; names the node
     */
    public LoweredNetwork {
        Objects.requireNonNull(name, "name");
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        nodes = List.copyOf(nodes);
        tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
        constants = Map.copyOf(constants);
        requireOrder(inputs, outputs, nodes, tensors.keySet(), constants.keySet());
        for (LoweredNode node : nodes) {
            requireFormats(node, tensors);
        }
    }

    private static void requireOrder(
            List<String> inputs, List<String> outputs, List<LoweredNode> nodes, Set<String> tensors,
            Set<String> constants) {
        Set<String> written = new HashSet<>(constants);
        for (String input : inputs) {
            require(tensors.contains(input) && written.add(input), () -> "the input '" + input + "'");
        }
        for (LoweredNode node : nodes) {
            for (String input : node.inputs()) {
                require(input.isEmpty() || written.contains(input), () -> node.describe() + " that reads " + input);
            }
            for (String output : node.outputs()) {
                require(output.isEmpty() || tensors.contains(output) && written.add(output),
                        () -> node.describe() + " that writes " + output);
            }
        }
        for (String output : outputs) {
            require(written.contains(output), () -> "the output '" + output + "'");
        }
        require(written.size() == tensors.size() + constants.size(), () -> "values that nothing gives");
    }

    /** Requires of one node that what it reads and writes are codes or floats. */
    private static void requireFormats(LoweredNode node, Map<String, LoweredTensor> tensors) {
        boolean codes = isCodes(node.input(0), tensors);
        boolean dynamic = isDynamic(node.input(0), tensors);
        switch (node.op()) {
            case LoweredOp.FloatOp _ -> requireFormats(node, tensors, node.inputs().size(), false, false);
            case ViewOp _ -> requireFormats(node, tensors, 1, codes, codes);
            case LoweredOp.Concat _ -> requireFormats(node, tensors, node.inputs().size(), codes, codes);
            case QuantizedConv conv -> {
                requireFormats(node, tensors, 1, true, conv.toCodes());
                require(dynamic == conv.dynamic(), () -> node.describe() + " that reads " + node.input(0));
                require(!node.hasInput(1) || isCodes(node.input(1), tensors) == conv.toCodes(),
                        () -> node.describe() + " that adds " + node.input(1));
            }
            case CodesOp.Lut _,CodesOp.MaxPoolCodes _,CodesOp.ResizeCodes _,CodesOp.DepthToSpaceCodes _ ->
                requireFormats(node, tensors, 1, true, true);
            case CodesOp.AddCodes _ -> requireFormats(node, tensors, 2, true, true);
            case CodesOp.Quantize _ -> requireFormats(node, tensors, 1, false, true);
            case CodesOp.Dequantize _ -> {
                requireFormats(node, tensors, 1, true, false);
                require(!dynamic, () -> node.describe() + " that reads " + node.input(0));
            }
            case CodesOp.QuantizeDynamic _ -> {
                requireFormats(node, tensors, 1, false, true);
                require(isDynamic(node.output(), tensors), () -> node.describe() + " that writes " + node.output());
            }
            case CodesOp.DequantizeDynamic _ -> {
                requireFormats(node, tensors, 1, true, false);
                require(dynamic, () -> node.describe() + " that reads " + node.input(0));
            }
        }
    }

    /** Requires that the first inputs and all outputs are codes, or are floats. */
    private static void requireFormats(
            LoweredNode node, Map<String, LoweredTensor> tensors, int inputs, boolean fromCodes, boolean toCodes) {
        for (String input : node.inputs().subList(0, Math.min(inputs, node.inputs().size()))) {
            require(isCodes(input, tensors) == fromCodes, () -> node.describe() + " that reads " + input);
        }
        for (String output : node.outputs()) {
            require(output.isEmpty() || isCodes(output, tensors) == toCodes,
                    () -> node.describe() + " that writes " + output);
        }
    }

    private static boolean isCodes(String value, Map<String, LoweredTensor> tensors) {
        return tensors.containsKey(value) && tensors.get(value).isCodes();
    }

    private static boolean isDynamic(String value, Map<String, LoweredTensor> tensors) {
        return tensors.containsKey(value)
                && tensors.get(value).format() instanceof LoweredTensor.Format.DynamicCodes;
    }

    private static void require(boolean holds, Supplier<String> what) {
        if (!holds) {
            throw new IllegalArgumentException("a lowered network with " + what.get());
        }
    }
}
