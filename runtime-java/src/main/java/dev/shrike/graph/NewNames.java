package dev.shrike.graph;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Names for values and nodes that no other value or node of a graph has. */
public final class NewNames {
    private final Set<String> taken = new HashSet<>();
    // Where counting goes on for a wish that comes again, so that many equal ones take no quadratic time.
    private final Map<String, Integer> nextNumber = new HashMap<>();

    /** Names that are new to this graph. */
    public NewNames(Graph graph) {
        graph.inputs().forEach(input -> taken.add(input.name()));
        taken.addAll(graph.constants().keySet());
        for (Node node : graph.nodes()) {
            taken.add(node.name());
            taken.addAll(node.outputs());
        }
    }

    /** The wish itself, or the wish with a number behind it; taken from now on. */
    public String next(String wish) {
        if (taken.add(wish)) {
            return wish;
        }
        int number = nextNumber.getOrDefault(wish, 2);
        while (!taken.add(wish + "." + number)) {
            number++;
        }
        nextNumber.put(wish, number + 1);
        return wish + "." + number;
    }
}
