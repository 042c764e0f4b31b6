package dev.shrike.graph;

import java.util.Map;

/** The passes in the order in which an engine wants them. */
public final class GraphPasses {
    private GraphPasses() {}

    /**
     * The graph ready for a float engine: known shapes, FLOAT32 for every floating type, constants folded, batch
     * normalisation, activations, residuals and padding folded into convolutions.
     *
     * @param inputShapes shapes for inputs with open dimensions; an open first dimension defaults to 1
     * @throws dev.shrike.ModelException if the graph is inconsistent or an input needs a size
     */
    public static Graph forInference(Graph graph, Map<String, Shape> inputShapes) {
        throw new UnsupportedOperationException("placeholder until the passes land: " + graph.name() + inputShapes);
    }
}
