package dev.shrike.calibration.activations;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.ValueInfo;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One layer of a network and what follows it up to the next layer: what must run once the layer is changed.
 *
 * @param layer the layer, or null for what comes before the first one
 * @param nodes the layer and what follows, in order
 * @param inputs values that they read from earlier stages
 * @param results values that later stages read
 */
public record Stage(Node layer, List<Node> nodes, Set<String> inputs, Set<String> results) {
    public Stage {
        nodes = List.copyOf(nodes);
        inputs = Set.copyOf(inputs);
        results = Set.copyOf(results);
    }

    /** The stages of what these layers need, in order. */
    public static List<Stage> of(Graph graph, Set<String> layers) {
        List<String> wanted =
                graph.nodes().stream().filter(n -> layers.contains(n.name())).map(Node::output).toList();
        List<List<Node>> parts = new ArrayList<>();
        parts.add(new ArrayList<>());
        for (Node node : Subgraphs.needed(graph, wanted)) {
            if (layers.contains(node.name())) {
                parts.add(new ArrayList<>());
            }
            parts.getLast().add(node);
        }
        List<Stage> stages = new ArrayList<>();
        Set<String> later = new HashSet<>();
        for (List<Node> part : parts.reversed()) {
            if (part.isEmpty()) {
                continue;
            }
            Set<String> read = new LinkedHashSet<>();
            Set<String> given = new LinkedHashSet<>();
            for (Node node : part) {
                node.inputs().stream()
                        .filter(name -> !name.isEmpty() && !graph.constants().containsKey(name)
                                && !given.contains(name))
                        .forEach(read::add);
                given.addAll(node.outputs());
            }
            Set<String> results = new LinkedHashSet<>(given);
            results.retainAll(later);
            later.addAll(read);
            Node first = part.getFirst();
            stages.addFirst(new Stage(layers.contains(first.name()) ? first : null, part, read, results));
        }
        return stages;
    }

    /** The stage as a graph of its own that gives its results and these values. */
    public Graph graph(Graph whole, Map<String, ValueInfo> infos, Set<String> more) {
        Set<String> outputs = new LinkedHashSet<>(results);
        outputs.addAll(more);
        return Subgraphs.of(whole, nodes, inputs.stream().sorted().map(infos::get).toList(),
                outputs.stream().sorted().map(infos::get).toList());
    }
}
