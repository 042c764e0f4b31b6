package dev.shrike.graph;

import dev.shrike.graph.evaluation.ReferenceEvaluator;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Builds small graphs for tests: every node is named after its first output. */
public final class GraphBuilder {
    private final List<ValueInfo> inputs = new ArrayList<>();
    private final List<ValueInfo> outputs = new ArrayList<>();
    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Tensor> constants = new HashMap<>();
    private final Map<String, Quantization> quantization = new HashMap<>();

    public GraphBuilder input(String name, DataType type, long... dims) {
        inputs.add(new ValueInfo(name, type, Shape.of(dims)));
        return this;
    }

    public GraphBuilder input(String name, long... dims) {
        return input(name, DataType.FLOAT32, dims);
    }

    public GraphBuilder constant(String name, Tensor value) {
        constants.put(name, value);
        return this;
    }

    public GraphBuilder constant(String name, float value) {
        return constant(name, Tensor.scalar(value));
    }

    public GraphBuilder quantized(String name, Quantization how) {
        quantization.put(name, how);
        return this;
    }

    /** A node with one output; {@code ""} is a left-out input. */
    public GraphBuilder node(String output, Op op, String... from) {
        return node(List.of(output), op, from);
    }

    public GraphBuilder node(List<String> to, Op op, String... from) {
        nodes.add(new Node(to.getFirst(), op, List.of(from), to));
        return this;
    }

    /** A float output whose shape nobody declared. */
    public GraphBuilder output(String name, long... dims) {
        outputs.add(new ValueInfo(name, DataType.FLOAT32, Shape.of(dims)));
        return this;
    }

    public Graph build() {
        return new Graph("test", inputs, outputs, nodes, constants, quantization, Map.of());
    }

    /** A graph of a single node over constants, whose result is {@code y}. */
    public static Graph single(Op op, Tensor... operands) {
        return single(op, 1, operands);
    }

    /** The same with results {@code y}, {@code y1} … */
    public static Graph single(Op op, int results, Tensor... operands) {
        GraphBuilder builder = new GraphBuilder();
        List<String> names = new ArrayList<>();
        for (int i = 0; i < operands.length; i++) {
            names.add(operands[i] == null ? "" : "c" + i);
            if (operands[i] != null) {
                builder.constant("c" + i, operands[i]);
            }
        }
        List<String> to = new ArrayList<>(List.of("y"));
        for (int i = 1; i < results; i++) {
            to.add("y" + i);
        }
        builder.node(to, op, names.toArray(String[]::new));
        to.forEach(builder::output);
        return builder.build();
    }

    /** The result of one node over constants. */
    public static Tensor evaluate(Op op, Tensor... operands) {
        return ReferenceEvaluator.run(single(op, operands), Map.of(), java.util.Set.of("y")).get("y");
    }

    /** Number of nodes of each operation, by the name of its class. */
    public static Map<String, Long> counts(Graph graph) {
        Map<String, Long> counts = new LinkedHashMap<>();
        graph.nodes().forEach(node -> counts.merge(node.op().getClass().getSimpleName(), 1L, Long::sum));
        return counts;
    }
}
