package dev.shrike.calibration.quantize;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** The values of a graph that are read once: where that is an activation function, only what it gives shows. */
public final class SoleReaders {
    private SoleReaders() {}

    /** The node that alone reads a value, by the name of the value. */
    public static Map<String, Node> of(Graph graph) {
        Map<String, Node> readers = new HashMap<>();
        Set<String> shared = new HashSet<>();
        for (Node node : graph.nodes()) {
            for (String name : node.inputs()) {
                if (readers.put(name, node) != null) {
                    shared.add(name);
                }
            }
        }
        readers.keySet().removeAll(shared);
        return readers;
    }
}
