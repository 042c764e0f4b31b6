package dev.shrike.jetson.engine;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.passes.GraphPasses;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A network that is ready but for the size of its batch. The network is prepared for two sizes, and what differs
 * between the results is what depends on the batch: the shapes that Reshape nodes give, which then take the batch of
 * their input. So everything that computes shapes while the network runs is gone, as it is from networks of a fixed
 * batch.
 */
final class DynamicBatch {
    private static final long ONE = 2;
    private static final long OTHER = 3;

    private final Graph graph;
    private final Graph other;
    private final Map<String, Tensor> constants;

    private DynamicBatch(Graph graph, Graph other) {
        this.graph = graph;
        this.other = other;
        this.constants = new HashMap<>(graph.constants());
    }

    /**
     * The network with an open first dimension of its only input.
     *
     * @param shape shape of the input; its first dimension is not looked at
     * @throws UnsupportedModelException if the network cannot be left open; names the node or output
     */
    static Graph of(Graph network, Shape shape) {
        String input = network.inputs().getFirst().name();
        Graph one = GraphPasses.forInference(network, Map.of(input, withBatch(shape, ONE)));
        Graph another = GraphPasses.forInference(network, Map.of(input, withBatch(shape, OTHER)));
        return new DynamicBatch(one, another).opened();
    }

    private Graph opened() {
        if (!graph.nodes().equals(other.nodes()) || !graph.quantization().keySet().equals(other.quantization().keySet())
                || !graph.constants().keySet().equals(other.constants().keySet())) {
            throw refusal("the network itself");
        }
        for (Node node : graph.nodes()) {
            for (int i = 0; i < node.inputs().size(); i++) {
                String name = node.inputs().get(i);
                Tensor value = graph.constants().get(name);
                if (value != null && !same(value, other.constants().get(name))) {
                    constants.put(name, keepingBatch(node, i, name));
                }
            }
        }
        List<ValueInfo> outputs = new ArrayList<>();
        for (int i = 0; i < graph.outputs().size(); i++) {
            outputs.add(opened(graph.outputs().get(i), other.outputs().get(i)));
        }
        List<ValueInfo> inputs = List.of(opened(graph.inputs().getFirst(), other.inputs().getFirst()));
        return graph.withNodes(graph.nodes(), constants).withInputs(inputs).withOutputs(outputs);
    }

    private static boolean same(Tensor one, Tensor another) {
        return one.type() == another.type() && one.shape().equals(another.shape())
                && one.data().mismatch(another.data()) == -1;
    }

    /** A shape whose first size is the batch, with 0 in place of it: Reshape then takes that of its input. */
    private Tensor keepingBatch(Node node, int index, String name) {
        boolean reshapes = node.op() instanceof Op.Reshape(boolean allowZero) && !allowZero && index == 1;
        if (!reshapes) {
            throw refusal("node '" + node.name() + "'");
        }
        long[] sizes = graph.constants().get(name).toLongs();
        long[] others = other.constants().get(name).toLongs();
        boolean leads = sizes.length > 0 && sizes.length == others.length && sizes[0] == ONE && others[0] == OTHER;
        for (int i = 1; leads && i < sizes.length; i++) {
            leads = sizes[i] == others[i];
        }
        if (!leads) {
            throw refusal("node '" + node.name() + "'");
        }
        sizes[0] = 0;
        return Tensor.vector(sizes);
    }

    private static ValueInfo opened(ValueInfo one, ValueInfo another) {
        if (one.shape().rank() == 0 || one.shape().dim(0) != ONE || another.shape().dim(0) != OTHER) {
            throw refusal("output '" + one.name() + "' of " + one.shape() + " for " + ONE + " images");
        }
        return new ValueInfo(one.name(), one.type(), withBatch(one.shape(), Shape.OPEN));
    }

    private static Shape withBatch(Shape shape, long batch) {
        long[] dims = shape.toArray();
        dims[0] = batch;
        return Shape.of(dims);
    }

    private static UnsupportedModelException refusal(String what) {
        return new UnsupportedModelException(what + " depends on the size of the batch in a way that fixes it: ask for"
                + " one size, such as 8,8,8, or export the model with a fixed batch");
    }
}
