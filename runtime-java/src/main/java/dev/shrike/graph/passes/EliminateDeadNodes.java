package dev.shrike.graph.passes;

import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.Links;
import dev.shrike.graph.Node;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Drops nodes and constants on which no output depends. Inputs stay, since callers set them by name. */
public final class EliminateDeadNodes implements GraphPass {
    @Override
    public Graph apply(Graph graph) {
        List<String> outputs = graph.outputs().stream().map(ValueInfo::name).toList();
        List<Node> nodes = Links.needed(graph.nodes(), outputs);
        Set<String> used = new HashSet<>(outputs);
        nodes.forEach(node -> {
            used.addAll(node.inputs());
            used.addAll(node.outputs());
        });
        graph.inputs().forEach(input -> used.add(input.name()));
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        constants.keySet().retainAll(used);
        Map<String, Quantization> quantization = new HashMap<>(graph.quantization());
        quantization.keySet().retainAll(used);
        if (nodes.size() == graph.nodes().size() && constants.size() == graph.constants().size()
                && quantization.size() == graph.quantization().size()) {
            return graph;
        }
        return new Graph(graph.name(), graph.inputs(), graph.outputs(), nodes, constants, quantization,
                graph.metadata());
    }
}
