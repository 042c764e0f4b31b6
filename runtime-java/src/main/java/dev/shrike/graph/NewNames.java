package dev.shrike.graph;

import java.util.HashSet;
import java.util.Set;

/** Names for values and nodes that no other value or node of a graph has. */
final class NewNames {
    private final Set<String> taken = new HashSet<>();

    NewNames(Graph graph) {
        graph.inputs().forEach(input -> taken.add(input.name()));
        taken.addAll(graph.constants().keySet());
        for (Node node : graph.nodes()) {
            taken.add(node.name());
            taken.addAll(node.outputs());
        }
    }

    /** The wish itself, or the wish with a number behind it. */
    String next(String wish) {
        String name = wish;
        for (int i = 2; !taken.add(name); i++) {
            name = wish + "." + i;
        }
        return name;
    }
}
