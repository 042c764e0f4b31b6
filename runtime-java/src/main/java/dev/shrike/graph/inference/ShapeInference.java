package dev.shrike.graph.inference;

import dev.shrike.ModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.TensorType;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.shapes.ShapeRules;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Types and shapes of every value of a graph. */
public final class ShapeInference {
    /** Values of up to this many elements are computed where they are constant, since shapes may depend on them. */
    private static final long SMALL = 4096;
    private static final double WORK = 1 << 24;

    private ShapeInference() {}

    /**
     * Type and shape of every input, constant and node output, by name, in the order of the graph. Dimensions that
     * depend on open input dimensions are {@link Shape#OPEN}; sizes that depend on constants are computed.
     *
     * @throws dev.shrike.ModelException if shapes or types do not fit or a tensor would have more than 2^31 - 1
     *     elements; names the node, what was found and what was expected
     * @throws dev.shrike.UnsupportedModelException if the number of dimensions of a value is not known before it runs
     */
    public static Map<String, ValueInfo> infer(Graph graph) {
        return infer(graph, WORK);
    }

    /**
     * As {@link #infer(Graph)}, without the sizes that take more than so many multiplications and moves to compute; a
     * node that needs them is refused.
     */
    public static Map<String, ValueInfo> infer(Graph graph, double work) {
        Map<String, TensorType> types = given(graph);
        Map<String, Tensor> values = new HashMap<>(graph.constants());
        // What is stored as codes is no real value to compute with.
        values.keySet().removeAll(graph.quantization().keySet());
        KnownValues known = new KnownValues(SMALL, work);
        for (Node node : graph.nodes()) {
            NodeView view = new NodeView(node, types::get, values::get);
            List<TensorType> outputs = ShapeRules.outputs(view);
            put(types, node, outputs);
            if (node.outputs().stream().noneMatch(graph.quantization()::containsKey)) {
                known.compute(view, outputs).ifPresent(results -> put(values, node, results));
            }
        }
        graph.quantization().forEach((name, how) -> requireFit(name, how, types.get(name)));
        Map<String, ValueInfo> infos = new LinkedHashMap<>();
        types.forEach((name, type) -> infos.put(name, new ValueInfo(name, type.type(), type.shape())));
        return infos;
    }

    /** Whether a value can be quantised like that; of constants that is known already. */
    private static void requireFit(String name, Quantization how, TensorType type) {
        if (type == null) {
            return;
        }
        if (!type.type().isFloating()) {
            throw new ModelException("value '" + name + "' of type " + type.type() + " is quantised, expected a"
                    + " floating-point type");
        }
        Shape shape = type.shape();
        if (!how.isPerTensor() && (how.axis() >= shape.rank()
                || ShapeRules.differ(shape.dim(how.axis()), how.scale().elements()))) {
            throw new ModelException("value '" + name + "' has " + how.scale().elements() + " scales along axis "
                    + how.axis() + " of " + shape + ", expected one for each index");
        }
    }

    /** Types of inputs and constants. */
    public static Map<String, TensorType> given(Graph graph) {
        Map<String, TensorType> types = new LinkedHashMap<>();
        for (ValueInfo input : graph.inputs()) {
            types.put(input.name(),
                    new TensorType(input.type(), input.shape()).checked("input '" + input.name() + "'"));
        }
        graph.constants().forEach((name, tensor) -> {
            Quantization codes = graph.quantization().get(name);
            DataType type = codes == null ? tensor.type() : codes.scale().type();
            types.put(name, new TensorType(type, tensor.shape()).checked("constant '" + name + "'"));
        });
        return types;
    }

    /** Stores one thing per output of the node that has a name. */
    public static <T> void put(Map<String, T> map, Node node, List<T> things) {
        for (int i = 0; i < node.outputs().size(); i++) {
            if (!node.outputs().get(i).isEmpty()) {
                map.put(node.outputs().get(i), things.get(i));
            }
        }
    }
}
