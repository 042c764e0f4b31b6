package dev.shrike.cpu.lowering;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import java.util.Map;
import java.util.function.Supplier;

/** Types of the values of a graph whose shapes the engine can lay out. */
final class KnownShapes {
    /** Elements of the largest value, 2 GiB as floats. */
    private static final long MOST_ELEMENTS = Integer.MAX_VALUE / 4;

    private KnownShapes() {}

    /**
     * Type and shape of every value: every shape known, none too large, and none of inputs and results without
     * elements.
     *
     * @throws ModelException if a shape is open
     * @throws UnsupportedModelException if one is too large or has no elements
     */
    static Map<String, ValueInfo> of(Graph graph) {
        Map<String, ValueInfo> types = ShapeInference.infer(graph);
        for (ValueInfo input : graph.inputs()) {
            require(() -> "input '" + input.name() + "'", types.get(input.name()));
        }
        for (Node node : graph.nodes()) {
            for (String output : node.outputs()) {
                if (!output.isEmpty()) {
                    require(() -> NodeErrors.describe(node) + ": its result '" + output + "'", types.get(output));
                }
            }
        }
        return types;
    }

    private static void require(Supplier<String> what, ValueInfo info) {
        Shape shape = info.shape();
        if (!shape.isKnown()) {
            throw new ModelException("value '" + info.name() + "' has the open shape " + shape
                    + "; give the input size");
        }
        if (shape.dims().contains(0L)) {
            throw new UnsupportedModelException(what.get() + " has the shape " + shape.dims()
                    + " without elements, which the CPU engine does not compute");
        }
        long elements = 1;
        for (long d : shape.dims()) {
            elements = d > MOST_ELEMENTS / elements ? Long.MAX_VALUE : elements * d;
        }
        if (elements > MOST_ELEMENTS) {
            throw new UnsupportedModelException("value '" + info.name() + "' of shape " + shape
                    + " is larger than 2 GiB");
        }
    }
}
