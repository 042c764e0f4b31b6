package dev.shrike.spi;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import java.nio.file.Path;
import java.util.List;

/**
 * An engine that runs networks. Implementations are found with {@link java.util.ServiceLoader}; constructing one must
 * not load native code, so that a missing library never breaks class loading.
 */
public interface Backend {
    /** Short name for {@code --engine} and logs, such as {@code "cpu"}. */
    String name();

    /** Whether this engine can run on this machine, and if not, what is missing and how to add it. */
    Availability probe();

    /**
     * How this engine will run networks here, a line each, for people: what its options are and what they lead to. Only
     * asked of engines that can run here.
     */
    default List<String> details() {
        return List.of();
    }

    /** Engines with a higher rank are tried first. The CPU engine has rank 0. */
    int rank();

    /**
     * Whether detectors may run networks of several images on this engine. Where they may not, a network of a fixed
     * batch is refused. Where they may, a first dimension that the model leaves open is left open in
     * {@link ExecutorOptions#inputShapes} as well: the engine chooses its size, and the detector takes it from the
     * binding of the input.
     */
    default boolean runsBatches() {
        return false;
    }

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
     * The names of the kernels that {@link BuildOptions#kernel} may ask for, in the order of its documentation; empty
     * if there is no choice.
     */
    default List<String> kernels() {
        return List.of();
    }

    /**
     * What is in a file that {@link #build} wrote, on this machine or another one.
     *
     * @throws dev.shrike.ModelException if the file is damaged or of a newer version; names it and the way out
     * @throws UnsupportedModelException if this engine builds no files
     */
    default BuiltModel read(Path model) {
        throw new UnsupportedModelException(model + ": the engine '" + name() + "' reads no built models");
    }

    /** The network alone that is in a file; otherwise as {@link #read}. */
    default Graph load(Path model) {
        return read(model).graph();
    }

    /**
     * Whether files that {@link #build} writes run on other machines. Where they do, the build itself tries nothing
     * here.
     */
    default boolean isPortable() {
        return true;
    }

    /**
     * Writes a network in the form that this engine loads fastest. The file is written beside the target under another
     * name, then renamed.
     *
     * @param graph the network after its passes, with known shapes
     * @return what people should know about it, a line each: what was chosen, what could not be had
     * @throws dev.shrike.ShrikeException if the file cannot be written
     * @throws UnsupportedModelException if this engine builds no files, or none that hold such a network, or not for
     *     such batches, or no layer can use the kernel that the options name
     * @throws IllegalArgumentException if there is no kernel of that name
     */
    default List<String> build(Graph graph, Path file, BuildOptions options) {
        throw new UnsupportedModelException(file + ": the engine '" + name() + "' builds no files");
    }

    /** As {@link #build(Graph, Path, BuildOptions)} with the engine's own choice of kernels. */
    default void build(Graph graph, Path file) {
        build(graph, file, BuildOptions.UNTUNED);
    }
}
