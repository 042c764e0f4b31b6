package dev.shrike.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Drops a ReLU whose result is rounded to codes of which none stands for less than 0: rounding clamps anyway. What gave
 * its input gives the codes itself; where somebody else reads that input as it is, an Identity stays.
 */
public final class DropClamps implements GraphPass {
    @Override
    public Graph apply(Graph graph) {
        Links links = new Links(graph);
        List<Node> nodes = new ArrayList<>(graph.nodes());
        boolean changed = false;
        for (int i = 0; i < nodes.size(); i++) {
            Node node = nodes.get(i);
            if (!isDone(graph, node)) {
                continue;
            }
            changed = true;
            String x = node.input(0);
            Node writer = links.writer(x);
            if (writer == null || !links.hasSingleReader(x)) {
                nodes.set(i, node.withOp(new Op.Identity()));
                continue;
            }
            int at = indexOfWriter(nodes, x);
            Node found = nodes.get(at);
            nodes.set(at, found.withOutputs(
                    found.outputs().stream().map(name -> name.equals(x) ? node.output() : name).toList()));
            nodes.remove(i--);
        }
        return changed ? graph.withNodes(nodes) : graph;
    }

    /** Whether the node is a ReLU of reals that rounding repeats. */
    private static boolean isDone(Graph graph, Node node) {
        Map<String, Quantization> quantization = graph.quantization();
        Quantization how = quantization.get(node.output());
        if (!(node.op() instanceof Op.Unary unary) || unary.kind() != Op.Unary.Kind.RELU || how == null
                || quantization.containsKey(node.input(0)) || graph.constants().containsKey(node.input(0))) {
            return false;
        }
        for (long i = 0; i < how.zeroPoint().elements(); i++) {
            if (how.zeroPoint().longAt(i) != how.minCode()) {
                return false;
            }
        }
        return true;
    }

    private static int indexOfWriter(List<Node> nodes, String name) {
        for (int i = 0; i < nodes.size(); i++) {
            if (nodes.get(i).outputs().contains(name)) {
                return i;
            }
        }
        throw new IllegalStateException("nobody writes '" + name + "'");
    }
}
