package dev.shrike;

import dev.shrike.graph.Activation;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.ValueInfo;
import java.util.HashMap;
import java.util.Map;

/**
 * Whether what looks like raw heads by its shapes is raw. Some exporters write heads of the same shapes behind the
 * sigmoid, and no value tells them apart for certain: decoding those once more would give wrong boxes without a word.
 */
final class RawHeads {
    private RawHeads() {}

    /**
     * Returns if no output of the network has passed a sigmoid.
     *
     * @throws UnsupportedModelException otherwise; names the output and the node
     */
    static void require(Graph network) {
        Map<String, Node> writers = new HashMap<>();
        for (Node node : network.nodes()) {
            node.outputs().forEach(output -> writers.put(output, node));
        }
        for (ValueInfo output : network.outputs()) {
            Node node = writers.get(output.name());
            while (node != null && movesOnly(node.op())) {
                node = writers.get(node.input(0));
            }
            if (node != null && isSigmoid(node.op())) {
                throw new UnsupportedModelException(
                        "the output '" + output.name() + "' has the shape of a raw YOLOv5 head"
                                + " but has passed the sigmoid of node '" + node.name()
                                + "': export the heads before it, or the"
                                + " whole model (export.py without --train)");
            }
        }
    }

    private static boolean movesOnly(Op op) {
        return op instanceof Op.Reshape || op instanceof Op.Transpose || op instanceof Op.Identity
                || op instanceof Op.Cast;
    }

    private static boolean isSigmoid(Op op) {
        return switch (op) {
            case Op.Unary unary -> unary.kind() == Op.Unary.Kind.SIGMOID || unary.kind() == Op.Unary.Kind.HARD_SIGMOID;
            case Op.Conv conv -> conv.activation().kind() == Activation.Kind.SIGMOID
                    || conv.activation().kind() == Activation.Kind.HARD_SIGMOID;
            default -> false;
        };
    }
}
