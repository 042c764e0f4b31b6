package dev.shrike.graph;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Who writes and who reads each value of a graph. */
public final class Links {
    private final Graph graph;
    private final Map<String, Node> writers = new HashMap<>();
    private final Map<String, List<Node>> readers = new HashMap<>();
    private final Set<String> outputs = new HashSet<>();

    public Links(Graph graph) {
        this.graph = graph;
        for (Node node : graph.nodes()) {
            node.outputs().stream().filter(name -> !name.isEmpty()).forEach(name -> writers.put(name, node));
            for (String name : node.inputs()) {
                readers.computeIfAbsent(name, _ -> new ArrayList<>()).add(node);
            }
        }
        graph.outputs().forEach(output -> outputs.add(output.name()));
    }

    /** The node that writes the value, or null for inputs and constants. */
    public Node writer(String name) {
        return writers.get(name);
    }

    /** The nodes that read the value; one that reads it twice counts twice. */
    public List<Node> readers(String name) {
        return readers.getOrDefault(name, List.of());
    }

    public boolean isOutput(String name) {
        return outputs.contains(name);
    }

    /** Whether the value is inner and real: nobody outside sees it, and it is not rounded to codes. */
    public boolean isInner(String name) {
        return !outputs.contains(name) && !graph.quantization().containsKey(name);
    }

    /** Whether a single node reads the value and nobody else sees it. */
    public boolean hasSingleReader(String name) {
        return isInner(name) && readers(name).size() == 1;
    }

    /** A constant that is a real value as it stands, or null. */
    public Tensor constant(String name) {
        return graph.quantization().containsKey(name) ? null : graph.constants().get(name);
    }

    /** The only element of a constant, or NaN if it is none or has several. */
    public float scalar(String name) {
        Tensor tensor = constant(name);
        return tensor == null || tensor.elements() != 1 ? Float.NaN : tensor.floatAt(0);
    }

    /** The nodes on which the wanted values depend, in their order. */
    public static List<Node> needed(List<Node> nodes, Collection<String> wanted) {
        Set<String> needed = new HashSet<>(wanted);
        List<Node> kept = new ArrayList<>();
        for (Node node : nodes.reversed()) {
            if (node.outputs().stream().anyMatch(name -> !name.isEmpty() && needed.contains(name))) {
                needed.addAll(node.inputs());
                kept.add(node);
            }
        }
        Collections.reverse(kept);
        return kept;
    }
}
