package dev.shrike.graph.passes;

import dev.shrike.graph.Activation;
import dev.shrike.graph.ActivationPatterns;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.Links;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Recognises activations that are written as several nodes ({@code x * sigmoid(x)} and the like) and lets a convolution
 * apply the activation that alone reads its result.
 */
public final class FuseActivation implements GraphPass {
    @Override
    public Graph apply(Graph graph) {
        return intoConvolutions(recognize(graph));
    }

    private static Graph recognize(Graph graph) {
        Links links = new Links(graph);
        Map<Node, Node> replaced = new HashMap<>();
        Set<Node> gone = new HashSet<>();
        for (Node node : graph.nodes()) {
            Optional<ActivationPatterns.Match> match = ActivationPatterns.match(links, node);
            if (match.isEmpty() || match.get().inner().stream().anyMatch(
                    inner -> gone.contains(inner) || replaced.containsKey(inner))) {
                continue;
            }
            gone.addAll(match.get().inner());
            replaced.put(node, new Node(node.name(), match.get().op(), List.of(match.get().input()), node.outputs()));
        }
        return rewrite(graph, replaced, gone);
    }

    private static Graph intoConvolutions(Graph graph) {
        Links links = new Links(graph);
        Map<Node, Node> replaced = new HashMap<>();
        Set<Node> gone = new HashSet<>();
        for (Node node : graph.nodes()) {
            if (!(node.op() instanceof Op.Conv conv) || conv.activation().kind() != Activation.Kind.NONE
                    || node.hasInput(3) || !links.hasSingleReader(node.output())) {
                continue;
            }
            Node reader = links.readers(node.output()).getFirst();
            Optional<Activation> activation = ActivationPatterns.activation(links, reader);
            if (activation.isPresent() && reader.input(0).equals(node.output())) {
                gone.add(reader);
                replaced.put(node, node.withOp(new Op.Conv(conv.window(), conv.group(), activation.get()))
                        .withOutputs(reader.outputs()));
            }
        }
        return rewrite(graph, replaced, gone);
    }

    private static Graph rewrite(Graph graph, Map<Node, Node> replaced, Set<Node> gone) {
        if (replaced.isEmpty()) {
            return graph;
        }
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            if (!gone.contains(node)) {
                nodes.add(replaced.getOrDefault(node, node));
            }
        }
        return graph.withNodes(nodes);
    }
}
