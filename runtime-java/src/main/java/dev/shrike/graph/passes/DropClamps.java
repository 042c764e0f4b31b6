package dev.shrike.graph.passes;

import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.Links;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

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
        Map<String, Integer> writers = new HashMap<>();
        Set<Integer> gone = new HashSet<>();
        for (int i = 0; i < nodes.size(); i++) {
            Node node = nodes.get(i);
            for (String output : node.outputs()) {
                writers.put(output, i);
            }
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
            int at = writers.get(x);
            Node found = nodes.get(at);
            nodes.set(at, found.withOutputs(
                    found.outputs().stream().map(name -> name.equals(x) ? node.output() : name).toList()));
            writers.put(node.output(), at);
            gone.add(i);
        }
        return changed ? graph.withNodes(IntStream.range(0, nodes.size()).filter(i -> !gone.contains(i))
                .mapToObj(nodes::get).toList()) : graph;
    }

    /** Whether the node is a ReLU of floats that rounding repeats. */
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
}
