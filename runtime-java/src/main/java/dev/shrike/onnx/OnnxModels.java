package dev.shrike.onnx;

import dev.shrike.graph.Graph;
import java.nio.file.Path;

/** ONNX files as graphs, and back. */
public final class OnnxModels {
    private OnnxModels() {}

    /** Reads a model. */
    public static Graph read(Path file) {
        throw new UnsupportedOperationException("placeholder until the reader lands: " + file);
    }

    /** Writes a model, to a temporary file first, then renamed. */
    public static void write(Graph graph, Path file) {
        throw new UnsupportedOperationException("placeholder until the writer lands: " + graph.name() + file);
    }
}
