package dev.shrike.jetson;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A detection network that was exported for one image, for a batch: every Reshape to a constant shape that begins
 * with 1 keeps the batch of its input instead. Who uses it compares results with those of one image.
 */
final class BatchedNetwork {
    private BatchedNetwork() {}

    static Graph of(Graph single, int batch) {
        Map<String, Tensor> constants = new HashMap<>(single.constants());
        List<Node> nodes = new ArrayList<>();
        for (Node node : single.nodes()) {
            nodes.add(node.op() instanceof Op.Reshape(boolean allowZero) && !allowZero
                    ? keepBatch(node, constants) : node);
        }
        return single.withNodes(nodes, constants).withInputs(with(single.inputs(), batch))
                .withOutputs(with(single.outputs(), batch));
    }

    private static List<ValueInfo> with(List<ValueInfo> values, int batch) {
        return values.stream().map(value -> {
            long[] dims = value.shape().toArray();
            dims[0] = batch;
            return new ValueInfo(value.name(), value.type(), Shape.of(dims));
        }).toList();
    }

    private static Node keepBatch(Node node, Map<String, Tensor> constants) {
        Tensor target = constants.get(node.inputs().get(1));
        if (target == null || target.toLongs()[0] != 1) {
            return node;
        }
        long[] dims = target.toLongs();
        dims[0] = 0;
        String name = node.inputs().get(1) + " of a batch in " + node.name();
        constants.put(name, Tensor.vector(dims));
        return new Node(node.name(), node.op(), List.of(node.inputs().getFirst(), name), node.outputs());
    }
}
