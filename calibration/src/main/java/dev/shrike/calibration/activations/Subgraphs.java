package dev.shrike.calibration.activations;

import dev.shrike.ModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Parts of graphs as graphs of their own. */
public final class Subgraphs {
    private Subgraphs() {}

    /** The nodes that these values need, in order. */
    public static List<Node> needed(Graph graph, Collection<String> values) {
        Set<String> wanted = new HashSet<>(values);
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes().reversed()) {
            if (node.outputs().stream().anyMatch(wanted::contains)) {
                nodes.addFirst(node);
                wanted.addAll(node.inputs());
            }
        }
        return nodes;
    }

    /** The graph up to these values, which become its outputs. */
    public static Graph upTo(Graph graph, List<ValueInfo> outputs) {
        return of(graph, needed(graph, outputs.stream().map(ValueInfo::name).toList()), graph.inputs(), outputs);
    }

    /**
     * Some nodes of a graph.
     *
     * @param nodes in topological order
     * @param inputs all values that they read from outside, constants apart
     * @param outputs values that they give, or inputs
     */
    public static Graph of(Graph graph, List<Node> nodes, List<ValueInfo> inputs, List<ValueInfo> outputs) {
        Set<String> names = new HashSet<>();
        inputs.forEach(input -> names.add(input.name()));
        outputs.forEach(output -> names.add(output.name()));
        nodes.forEach(node -> names.addAll(node.inputs()));
        nodes.forEach(node -> names.addAll(node.outputs()));
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        constants.keySet().retainAll(names);
        Map<String, Quantization> quantization = new HashMap<>(graph.quantization());
        quantization.keySet().retainAll(names);
        return new Graph(graph.name(), inputs, outputs, nodes, constants, quantization, Map.of());
    }

    /**
     * The part of a graph up to these values, run on an image of another size. What lies behind them may depend on the
     * size; convolutions and their like do not.
     *
     * @param names values to give
     * @throws ModelException if that part depends on the size as well
     */
    public static Graph resized(Graph graph, Shape image, Collection<String> names) {
        ValueInfo input = graph.inputs().getFirst();
        Graph bare = graph.withInputs(List.of(new ValueInfo(input.name(), input.type(), image)))
                .withOutputs(List.of()).withNodes(needed(graph, names));
        try {
            Map<String, ValueInfo> infos = ShapeInference.infer(bare);
            return upTo(bare, names.stream().sorted().map(infos::get).toList());
        } catch (ModelException e) {
            throw new ModelException("the network does not take windows of " + image.dim(3) + "x" + image.dim(2)
                    + " pixels (" + e.getMessage() + "); use whole images, crop 0", e);
        }
    }
}
