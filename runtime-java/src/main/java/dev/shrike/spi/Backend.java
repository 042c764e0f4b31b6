package dev.shrike.spi;

import dev.shrike.graph.Graph;

/**
 * An engine that runs networks. Implementations are found with {@link java.util.ServiceLoader}; constructing one must
 * not load native code, so that a missing library never breaks class loading.
 */
public interface Backend {
    /** Short name for {@code --engine} and logs, such as {@code "cpu"}. */
    String name();

    /** Whether this engine can run on this machine, and if not, what is missing and how to add it. */
    Availability probe();

    /** Engines with a higher rank are tried first. The CPU engine has rank 0. */
    int rank();

    /**
     * Prepares a network for running.
     *
     * @param graph any graph; open dimensions of its inputs are fixed by the options
     * @throws dev.shrike.UnsupportedModelException if the graph needs what this engine lacks; names the node
     * @throws dev.shrike.ModelException if the graph is inconsistent
     * @throws dev.shrike.BackendUnavailableException if the engine cannot run here
     */
    GraphExecutor open(Graph graph, ExecutorOptions options);
}
