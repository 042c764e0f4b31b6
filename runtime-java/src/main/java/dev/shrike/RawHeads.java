package dev.shrike;

import dev.shrike.graph.Activation;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.ValueInfo;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

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
        Map<String, Node> writers = writers(network);
        for (ValueInfo output : network.outputs()) {
            Node node = writer(output, writers);
            if (node != null && isSigmoid(node.op())) {
                throw new UnsupportedModelException(
                        "the output '" + output.name() + "' has the shape of a raw YOLOv5 head"
                                + " but has passed the sigmoid of node '" + node.name()
                                + "': export the heads before it, or the"
                                + " whole model (export.py without --train)");
            }
        }
    }

    /** Names of the outputs that a convolution writes, with nothing but moves after it. */
    static Set<String> convolved(Graph network) {
        Map<String, Node> writers = writers(network);
        Set<String> found = new HashSet<>();
        for (ValueInfo output : network.outputs()) {
            if (writer(output, writers) instanceof Node node && node.op() instanceof Op.Conv) {
                found.add(output.name());
            }
        }
        return found;
    }

    private static Map<String, Node> writers(Graph network) {
        Map<String, Node> writers = new HashMap<>();
        for (Node node : network.nodes()) {
            node.outputs().forEach(output -> writers.put(output, node));
        }
        return writers;
    }

    /** The node that computes an output, before moves; null if it is an input or a constant. */
    private static Node writer(ValueInfo output, Map<String, Node> writers) {
        Node node = writers.get(output.name());
        while (node != null && movesOnly(node.op())) {
            node = writers.get(node.input(0));
        }
        return node;
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
