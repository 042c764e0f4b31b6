package dev.shrike.graph.inference;

import dev.shrike.ShrikeException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Node;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.TensorType;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.shapes.ShapeRules;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Types, shapes and small known values of a graph that is still being put together, for whoever must know them to put
 * together the rest. What does not hold together is just not known here: {@link ShapeInference} complains about it.
 */
public final class GrowingTypes {
    private static final long SMALL = 4096;
    private static final double WORK = 1 << 24;

    private final Map<String, TensorType> types = new HashMap<>();
    private final Map<String, Tensor> values = new HashMap<>();
    private final KnownValues known = new KnownValues(SMALL, WORK);

    /** Nothing is known yet. */
    public GrowingTypes() {}

    /** Adds an input of the graph. */
    public void add(ValueInfo input) {
        types.put(input.name(), new TensorType(input.type(), input.shape()));
    }

    /** Adds a constant. */
    public void add(String name, Tensor constant) {
        types.put(name, new TensorType(constant.type(), constant.shape()));
        values.put(name, constant);
    }

    /** Adds a node, all inputs of which were added before. */
    public void add(Node node) {
        if (node.inputs().stream().anyMatch(name -> !name.isEmpty() && !types.containsKey(name))) {
            return;
        }
        NodeView view = new NodeView(node, types::get, values::get);
        try {
            List<TensorType> outputs = ShapeRules.outputs(view);
            ShapeInference.put(types, node, outputs);
            known.compute(view, outputs).ifPresent(results -> ShapeInference.put(values, node, results));
        } catch (ShrikeException e) {
            // Told, with its reason, when the finished graph is looked at.
            return;
        }
    }

    /** The shape of a value, if it follows from what was added; dimensions may be open. */
    public Optional<Shape> shape(String value) {
        return Optional.ofNullable(types.get(value)).map(TensorType::shape);
    }

    /** The element type of a value, if it follows from what was added. */
    public Optional<DataType> type(String value) {
        return Optional.ofNullable(types.get(value)).map(TensorType::type);
    }

    /** A value that does not depend on what the graph is run with, if it is a small one. */
    public Optional<Tensor> value(String value) {
        return Optional.ofNullable(values.get(value));
    }
}
