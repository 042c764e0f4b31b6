package dev.shrike.jetson;

import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPasses;
import dev.shrike.graph.Shape;
import dev.shrike.onnx.OnnxModels;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A network in the form that TensorRT parses.
 *
 * @param onnx an ONNX file with known shapes and float32 inputs and outputs
 * @param nodes names of its nodes, in its order
 * @param quantized whether it brings its own ranges
 */
record NetworkSource(byte[] onnx, List<String> nodes, boolean quantized) {
    NetworkSource {
        nodes = List.copyOf(nodes);
    }

    /** The graph with everything decided that TensorRT need not know: shapes, constants, FP16 files, zero points. */
    static NetworkSource of(Graph graph, Map<String, Shape> inputShapes) {
        Graph fixed = GraphPasses.forInference(graph, inputShapes);
        byte[] onnx = OnnxModels.toBytes(new SymmetricCodes().apply(fixed));
        return new NetworkSource(onnx, OnnxModels.nodeNames(onnx), !fixed.quantization().isEmpty());
    }

    /** Name of the node at an index that TensorRT's parser gave. */
    Optional<String> nodeName(int index) {
        return index >= 0 && index < nodes.size() ? Optional.of(nodes.get(index)) : Optional.empty();
    }
}
