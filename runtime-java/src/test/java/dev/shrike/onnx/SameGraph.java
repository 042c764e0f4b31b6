package dev.shrike.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import java.util.Map;
import java.util.stream.Collectors;

/** Equality of graphs down to the bytes of their constants; keys of metadata that describe the file are left out. */
final class SameGraph {
    private SameGraph() {}

    static void check(Graph expected, Graph actual, String context) {
        assertEquals(expected.name(), actual.name(), context);
        assertEquals(expected.inputs(), actual.inputs(), context);
        assertEquals(expected.outputs(), actual.outputs(), context);
        assertEquals(expected.nodes().size(), actual.nodes().size(), context);
        for (int i = 0; i < expected.nodes().size(); i++) {
            check(expected.nodes().get(i), actual.nodes().get(i), context);
        }
        assertEquals(expected.quantization(), actual.quantization(), context);
        assertEquals(ownMetadata(expected), ownMetadata(actual), context);
        assertEquals(expected.constants().keySet(), actual.constants().keySet(), context);
        expected.constants()
                .forEach((name, tensor) -> check(tensor, actual.constants().get(name), context + " " + name));
    }

    private static void check(Node expected, Node actual, String context) {
        if (expected.op() instanceof Op.ConstantOfShape left && actual.op() instanceof Op.ConstantOfShape right) {
            check(left.value(), right.value(), context + " " + expected.name());
            assertEquals(expected, actual.withOp(expected.op()), context);
            return;
        }
        assertEquals(expected, actual, context);
    }

    private static void check(Tensor expected, Tensor actual, String context) {
        assertEquals(expected.type(), actual.type(), context);
        assertEquals(expected.shape(), actual.shape(), context);
        assertEquals(-1, expected.data().mismatch(actual.data()), context);
    }

    private static Map<String, String> ownMetadata(Graph graph) {
        return graph.metadata().entrySet().stream()
                .filter(entry -> !entry.getKey().startsWith("onnx."))
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }
}
