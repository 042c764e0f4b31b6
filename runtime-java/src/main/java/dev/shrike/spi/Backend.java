package dev.shrike.spi;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import java.nio.file.Path;

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

    /**
     * Ending of the names of the files that {@link #build} writes, such as {@code ".shrike"}; empty if it writes none.
     */
    default String extension() {
        return "";
    }

    /** Whether this engine built the file, going by its first bytes; false as well if it cannot be read. */
    default boolean reads(Path model) {
        return false;
    }

    /**
     * The network in a file that {@link #build} wrote, on this machine or another one. Its constants may be views of
     * the mapped file: while the graph is in use the file may be replaced by renaming another one over it, but must not
     * be overwritten in place.
     *
     * @throws dev.shrike.ModelException if the file is damaged or of a newer version; names it and the way out
     * @throws UnsupportedModelException if this engine builds no files
     */
    default Graph load(Path model) {
        throw new UnsupportedModelException(model + ": the engine '" + name() + "' reads no built models");
    }

    /**
     * Writes a network in the form that this engine loads fastest. The file is written beside the target under another
     * name, then renamed.
     *
     * @param graph the network after its passes, with known shapes
     * @throws dev.shrike.ShrikeException if the file cannot be written
     * @throws UnsupportedModelException if this engine builds no files, or none that hold such a network
     */
    default void build(Graph graph, Path file) {
        throw new UnsupportedModelException(file + ": the engine '" + name() + "' builds no files");
    }
}
