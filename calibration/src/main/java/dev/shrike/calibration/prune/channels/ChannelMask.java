package dev.shrike.calibration.prune.channels;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The network with some units switched off but still there: the weights that make their channels are zero, and so is
 * the scale of a batch normalisation right behind. What remains of a channel is a constant: its bias, or the shift of
 * the normalisation, which is the mean of what the channel was in training.
 */
final class ChannelMask {
    private ChannelMask() {}

    static Graph apply(ChannelDependencies dependencies, Set<Integer> units) {
        Graph graph = dependencies.graph();
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        Map<String, List<Node>> norms = new HashMap<>();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.BatchNormalization) {
                norms.computeIfAbsent(node.input(0), _ -> new java.util.ArrayList<>()).add(node);
            }
        }
        dependencies.layers().forEach((name, made) -> {
            Node layer = dependencies.layer(name);
            constants.computeIfPresent(layer.input(1),
                    (_, weights) -> zeroed(weights, ChannelDependencies.outputAxis(layer), made, units));
            for (Node norm : norms.getOrDefault(layer.output(), List.of())) {
                constants.computeIfPresent(norm.input(1), (_, scale) -> zeroed(scale, 0, made, units));
            }
        });
        return graph.withNodes(graph.nodes(), constants);
    }

    private static Tensor zeroed(Tensor tensor, int axis, int[] channels, Set<Integer> units) {
        float[] values = tensor.toFloats();
        long[] dims = tensor.shape().toArray();
        int inner = 1;
        int at = axis < 0 ? axis + dims.length : axis;
        for (int i = at + 1; i < dims.length; i++) {
            inner *= (int) dims[i];
        }
        boolean touched = false;
        for (int i = 0; i < values.length; i++) {
            if (units.contains(channels[i / inner % channels.length])) {
                values[i] = 0;
                touched = true;
            }
        }
        return touched ? Tensor.ofFloats(tensor.shape(), values) : tensor;
    }
}
