package dev.shrike.jetson.engine;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.passes.ExplicitQuantization;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.BatchProfile;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A network in the form that TensorRT parses.
 *
 * @param onnx an ONNX file with known shapes, but perhaps for the batch, and float32 inputs and outputs
 * @param nodes names of its nodes, in its order
 * @param quantized whether it brings its own ranges
 * @param batches sizes of its batch, if that is open
 */
public record NetworkSource(byte[] onnx, List<String> nodes, boolean quantized, Optional<BatchProfile> batches) {
    public NetworkSource {
        nodes = List.copyOf(nodes);
    }

    /** For the batch that the shapes give, or one image where both they and the model leave it open. */
    public static NetworkSource of(Graph graph, Map<String, Shape> inputShapes) {
        return of(graph, inputShapes, Optional.empty());
    }

    /**
     * The graph with everything decided that TensorRT need not know: shapes, constants, FP16 files, zero points.
     *
     * @param wanted sizes of the batch, where the caller wants more than one image
     * @throws UnsupportedModelException if the model fixes another batch than the wanted ones; says how to export it
     */
    public static NetworkSource of(Graph graph, Map<String, Shape> inputShapes, Optional<BatchProfile> wanted) {
        if (wanted.isEmpty()) {
            return fixed(GraphPasses.forInference(graph, inputShapes));
        }
        ValueInfo input = onlyInput(graph);
        Shape given = inputShapes.getOrDefault(input.name(), input.shape());
        BatchProfile batches = wanted.get();
        long own = input.shape().dim(0);
        if (own != Shape.OPEN && own != batches.most()) {
            throw new UnsupportedModelException("the model has a fixed batch of " + own + ", batches of "
                    + batches.describe() + " were asked for: export it again with 'export.py --batch " + batches.most()
                    + (batches.hasOneSize() ? "'" : "', or with '--dynamic' for batches of several sizes"));
        }
        if (own != Shape.OPEN || given.dim(0) != Shape.OPEN) {
            return fixed(GraphPasses.forInference(graph, inputShapes));
        }
        if (batches.hasOneSize()) {
            Map<String, Shape> shapes = new HashMap<>(inputShapes);
            long[] dims = given.toArray();
            dims[0] = batches.most();
            shapes.put(input.name(), Shape.of(dims));
            return fixed(GraphPasses.forInference(graph, shapes));
        }
        return of(DynamicBatch.of(graph, given), wanted);
    }

    private static ValueInfo onlyInput(Graph graph) {
        if (graph.inputs().size() != 1 || graph.inputs().getFirst().shape().rank() == 0) {
            throw new UnsupportedModelException("batches are for networks with one input, this one has "
                    + graph.inputs());
        }
        return graph.inputs().getFirst();
    }

    private static NetworkSource fixed(Graph graph) {
        return of(graph, Optional.empty());
    }

    private static NetworkSource of(Graph ready, Optional<BatchProfile> batches) {
        for (Node node : ready.nodes()) {
            if (node.op() instanceof Op.DynamicQuant || node.op() instanceof Op.DynamicQuantizeLinear) {
                throw new UnsupportedModelException("node '" + node.name() + "': TensorRT has no activation ranges that"
                        + " each image has of its own; quantise with --activation-ranges static, or give the float"
                        + " network and --data, or build a .shrike file");
            }
        }
        byte[] onnx = OnnxModels.toBytes(new ExplicitQuantization().apply(ready));
        return new NetworkSource(onnx, OnnxModels.nodeNames(onnx), !ready.quantization().isEmpty(), batches);
    }

    /** Name of the node at an index that TensorRT's parser gave. */
    Optional<String> nodeName(int index) {
        return index >= 0 && index < nodes.size() ? Optional.of(nodes.get(index)) : Optional.empty();
    }
}
