package dev.shrike.onnx;

import dev.shrike.ModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Node;
import dev.shrike.graph.Tensor;
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

    /** Number of dimensions of a value, if it is a constant or the file declares it. */
    OptionalInt rank(String name) {
        Tensor constant = constants.get(name);
        if (constant != null) {
            return OptionalInt.of(constant.shape().rank());
        }
        Integer rank = ranks.get(name);
        return rank == null ? OptionalInt.empty() : OptionalInt.of(rank);
    }

    /** Element type of a value, if it is a constant or the file declares it. */
    Optional<DataType> type(String name) {
        Tensor constant = constants.get(name);
        return constant != null ? Optional.of(constant.type()) : Optional.ofNullable(types.get(name));
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
