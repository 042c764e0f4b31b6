package dev.shrike.graph.passes;

import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.Links;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Lets a convolution add a value of the shape of its result, after its activation, instead of an Add behind it. The
 * convolution moves to the place of the Add, where the other value exists. Where its result is quantised the sum is one
 * of codes, computed after the convolution has rounded its own, and stays.
 */
public final class FuseResidual implements GraphPass {
    @Override
    public Graph apply(Graph graph) {
        Links links = new Links(graph);
        Map<String, ValueInfo> infos = ShapeInference.infer(graph);
        // What convolutions gave before they moved; behind the move nobody gives it.
        Set<String> moved = new HashSet<>();
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            Node conv = node.op() instanceof Op.Binary binary && binary.kind() == Op.Binary.Kind.ADD
                    ? convolution(node, graph, links, infos, moved) : null;
            if (conv == null) {
                nodes.add(node);
                continue;
            }
            moved.add(conv.output());
            String residual = node.input(0).equals(conv.output()) ? node.input(1) : node.input(0);
            nodes.add(new Node(conv.name(), conv.op(),
                    List.of(conv.input(0), conv.input(1), conv.input(2), residual), List.of(node.output())));
        }
        if (moved.isEmpty()) {
            return graph;
        }
        nodes.removeIf(node -> moved.contains(node.output()));
        return graph.withNodes(nodes);
    }

    /** The convolution that can take in this Add, the second operand if both can; or null. */
    private static Node convolution(Node add, Graph graph, Links links, Map<String, ValueInfo> infos,
            Set<String> moved) {
        Node found = null;
        for (int i = 0; i < 2; i++) {
            Node writer = links.writer(add.input(i));
            if (writer == null || !(writer.op() instanceof Op.Conv) || writer.hasInput(3)
                    || !links.hasSingleReader(writer.output()) || moved.contains(writer.output())
                    || graph.quantization().containsKey(writer.output())) {
                continue;
            }
            Shape shape = infos.get(writer.output()).shape();
            if (shape.isKnown() && shape.equals(infos.get(add.input(1 - i)).shape())) {
                found = writer;
            }
        }
        return found;
    }
}
