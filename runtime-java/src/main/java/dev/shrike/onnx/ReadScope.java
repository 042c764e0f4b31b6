package dev.shrike.onnx;

import dev.shrike.ModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.GrowingTypes;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.onnx.names.UniqueNames;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/** What is known of a graph while its nodes are read: constants, declared ranks and types, names in use. */
final class ReadScope {
    /** Nodes that are looked through for the shape of what is made of constants. */
    private static final int MOST_OF_CONSTANTS = 32;
    private static final double WORK_ON_CONSTANTS = 1 << 16;

    private final int opset;
    private final Map<String, Tensor> constants = new LinkedHashMap<>();
    private final Map<String, Integer> ranks = new HashMap<>();
    private final Map<String, DataType> types = new HashMap<>();
    /** Index of the node that writes a value. */
    private final Map<String, Integer> writers = new HashMap<>();
    private final UniqueNames valueNames = new UniqueNames();
    private final UniqueNames nodeNames = new UniqueNames();
    private final Set<String> read = new HashSet<>();
    private final List<Node> nodes = new ArrayList<>();
    private final GrowingTypes inferred = new GrowingTypes();
    private int inferredNodes;

    ReadScope(int opset) {
        this.opset = opset;
    }

    /** The version of ONNX's own operators. */
    int opset() {
        return opset;
    }

    Map<String, Tensor> constants() {
        return constants;
    }

    List<Node> nodes() {
        return nodes;
    }

    /** Remembers that the file uses this value name, so that no generated one collides with it. */
    void useValueName(String name) {
        valueNames.use(name);
    }

    /** Remembers that a node or the graph's output reads this value. */
    void markRead(String name) {
        read.add(name);
    }

    boolean isRead(String name) {
        return read.contains(name);
    }

    void declareRank(String name, int rank) {
        ranks.put(name, rank);
    }

    void declareType(String name, DataType type) {
        types.put(name, type);
    }

    void addConstant(String name, Tensor tensor) {
        if (constants.putIfAbsent(name, tensor) != null) {
            throw new ModelException("constant '" + name + "' is given twice");
        }
        valueNames.use(name);
    }

    /** Adds a constant that the file holds in another form; returns its generated name. */
    String addGenerated(String wanted, Tensor tensor) {
        String name = freshValue(wanted);
        constants.put(name, tensor);
        return name;
    }

    Optional<Tensor> constant(String name) {
        return Optional.ofNullable(constants.get(name));
    }

    /** Tells of an input of the graph. */
    void addInput(ValueInfo input) {
        inferred.add(input);
    }

    /** The shape of a value, as far as it follows from the inputs and the nodes read so far. */
    Optional<Shape> shape(String name) {
        Tensor constant = constants.get(name);
        return constant != null ? Optional.of(constant.shape()) : inferred().shape(name);
    }

    /** A value that is a constant, or a small one that follows from the nodes read so far. */
    Optional<Tensor> value(String name) {
        return constant(name).or(() -> inferred().value(name));
    }

    /** What follows from the nodes so far; caught up only when somebody asks. */
    private GrowingTypes inferred() {
        for (; inferredNodes < nodes.size(); inferredNodes++) {
            Node node = nodes.get(inferredNodes);
            node.inputs().forEach(input -> constant(input).ifPresent(tensor -> inferred.add(input, tensor)));
            inferred.add(node);
        }
        return inferred;
    }

    /** Number of dimensions of a value, if it is a constant, or the file declares or implies it. */
    OptionalInt rank(String name) {
        Tensor constant = constants.get(name);
        if (constant != null) {
            return OptionalInt.of(constant.shape().rank());
        }
        Integer rank = ranks.get(name);
        if (rank != null) {
            return OptionalInt.of(rank);
        }
        return inferred().shape(name).map(shape -> OptionalInt.of(shape.rank())).orElseGet(OptionalInt::empty);
    }

    /** Element type of a value, if it is a constant, or the file declares or implies it. */
    Optional<DataType> type(String name) {
        Tensor constant = constants.get(name);
        return constant != null ? Optional.of(constant.type())
                : Optional.ofNullable(types.get(name)).or(() -> inferred().type(name));
    }

    /** A value name like the wanted one that nothing else has. */
    String freshValue(String wanted) {
        return valueNames.fresh(wanted);
    }

    /** A node name like the wanted one that no other node has. */
    String freshNode(String wanted) {
        return nodeNames.fresh(wanted);
    }

    void addNode(Node node) {
        node.outputs().forEach(output -> writers.put(output, nodes.size()));
        nodes.add(node);
    }

    /** The node that writes a value, if it was read already. */
    Optional<Node> writer(String value) {
        return Optional.ofNullable(writers.get(value)).map(nodes::get);
    }

    /**
     * Type and shape of a value that a few nodes make of constants alone, such as weights behind quantisers or masks.
     * Only nodes that were read already count.
     */
    Optional<ValueInfo> ofConstants(String name) {
        Tensor constant = constants.get(name);
        if (constant != null) {
            return Optional.of(new ValueInfo(name, constant.type(), constant.shape()));
        }
        Map<String, Tensor> leaves = new HashMap<>();
        SortedSet<Integer> needed = new TreeSet<>();
        Deque<String> open = new ArrayDeque<>(List.of(name));
        while (!open.isEmpty()) {
            String value = open.remove();
            Integer writer = writers.get(value);
            if (constants.containsKey(value)) {
                leaves.put(value, constants.get(value));
            } else if (writer == null || needed.size() == MOST_OF_CONSTANTS) {
                return Optional.empty();
            } else if (needed.add(writer)) {
                nodes.get(writer).inputs().stream().filter(input -> !input.isEmpty()).forEach(open::add);
            }
        }
        List<Node> ordered = needed.stream().map(nodes::get).toList();
        Graph part = new Graph("constants", List.of(), List.of(), ordered, leaves, Map.of(), Map.of());
        try {
            return Optional.ofNullable(ShapeInference.infer(part, WORK_ON_CONSTANTS).get(name));
        } catch (ModelException e) {
            // Told, with its reason, when the finished graph is looked at.
            return Optional.empty();
        }
    }
}
