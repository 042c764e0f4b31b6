package dev.shrike.graph;

/** A rewrite of a graph that keeps what it computes. */
@FunctionalInterface
public interface GraphPass {
    /**
     * The rewritten graph, or the same object if there was nothing to do.
     *
     * @throws dev.shrike.ModelException if the graph is inconsistent
     */
    Graph apply(Graph graph);
}
