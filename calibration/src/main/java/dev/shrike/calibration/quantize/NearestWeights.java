package dev.shrike.calibration.quantize;

import dev.shrike.graph.Graph;
import dev.shrike.graph.NewNames;
import dev.shrike.graph.Node;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.passes.EliminateDeadNodes;
import dev.shrike.graph.quantization.IntegerWeights;
import dev.shrike.graph.quantization.WeightRounding;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Weights as the codes nearest to them, each layer for itself; no image is needed. */
final class NearestWeights {
    private NearestWeights() {}

    /**
     * The network with codes for the weights of all layers that have widths.
     *
     * @param activations how values are quantised
     */
    static Graph quantize(QuantizerPlacement placement, Map<String, Quantization> activations) {
        Graph graph = placement.graph();
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        Map<String, Quantization> quantization = new HashMap<>(activations);
        NewNames names = new NewNames(graph);
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            BitWidths widths = placement.widths().get(node.name());
            if (widths == null) {
                nodes.add(node);
                continue;
            }
            WeightRounding.Rounded rounded = WeightRounding.round(graph.constants().get(node.input(1)),
                    IntegerWeights.rowAxis(node), widths.weights());
            String name = names.next(node.input(1) + ".codes");
            constants.put(name, rounded.codes());
            quantization.put(name, rounded.how());
            List<String> inputs = new ArrayList<>(node.inputs());
            inputs.set(1, name);
            nodes.add(node.withInputs(inputs));
        }
        return new EliminateDeadNodes().apply(graph.withNodes(nodes, constants, quantization));
    }
}
