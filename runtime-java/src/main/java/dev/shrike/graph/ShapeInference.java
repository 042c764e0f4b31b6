package dev.shrike.graph;

import java.util.Map;

/** Types and shapes of every value of a graph. */
public final class ShapeInference {
    private ShapeInference() {}

    /**
     * Type and shape of every input, constant and node output, by name. Dimensions that depend on open input
     * dimensions are {@link Shape#OPEN}.
     *
     * @throws dev.shrike.ModelException if shapes or types do not fit; names the node, what was found and expected
     */
    public static Map<String, ValueInfo> infer(Graph graph) {
        throw new UnsupportedOperationException("placeholder until inference lands: " + graph.name());
    }
}
