package dev.shrike.onnx;

import dev.shrike.ModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.GrowingTypes;
import dev.shrike.graph.Node;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** What is known of a graph while its nodes are read: constants, declared ranks and types, names in use. */
final class ReadScope {
    private final int opset;
    private final Map<String, Tensor> constants = new LinkedHashMap<>();
    private final Map<String, Integer> ranks = new HashMap<>();
    private final Map<String, DataType> types = new HashMap<>();
    private final Map<String, NodeDraft> producers = new HashMap<>();
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

    void addProducer(NodeDraft draft) {
        for (String output : draft.outputs()) {
            producers.put(output, draft);
        }
    }

    /** The node that writes a value, if one does. */
    Optional<NodeDraft> producer(String value) {
        return Optional.ofNullable(producers.get(value));
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
        nodes.add(node);
    }
}
