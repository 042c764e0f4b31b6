package dev.shrike.onnx;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import dev.shrike.onnx.proto.Onnx.AttributeProto;
import dev.shrike.onnx.proto.Onnx.GraphProto;
import dev.shrike.onnx.proto.Onnx.NodeProto;
import dev.shrike.onnx.proto.Onnx.TensorProto;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** If whose condition follows from the file: the branch taken becomes part of the graph. */
final class Branches {
    private final TensorReader tensors;
    private final Drafts drafts;

    Branches(TensorReader tensors) {
        this.tensors = tensors;
        this.drafts = new Drafts(tensors);
    }

    void read(NodeDraft draft, NodeReader reader) {
        draft.expect(1, 1, Integer.MAX_VALUE);
        ReadScope scope = draft.scope();
        Tensor condition = scope.value(draft.input(0))
                .orElseThrow(() -> draft.unsupported("which branch it takes is not known before it runs; export the"
                        + " network with a fixed input size (dynamic=False), or run onnxsim over it"));
        if (condition.type() != DataType.BOOL || condition.elements() != 1) {
            throw draft.broken("the condition is " + condition + ", must be one BOOL");
        }
        GraphProto then = draft.attributes().graph("then_branch")
                .orElseThrow(() -> draft.broken("attribute 'then_branch' is missing"));
        GraphProto otherwise = draft.attributes().graph("else_branch")
                .orElseThrow(() -> draft.broken("attribute 'else_branch' is missing"));
        GraphProto branch = condition.longAt(0) != 0 ? then : otherwise;
        if (branch.getOutputCount() < draft.outputs().size() || branch.getInputCount() > 0) {
            throw draft.broken("the branch taken has " + branch.getInputCount() + " inputs and "
                    + branch.getOutputCount() + " outputs, must have none and " + draft.outputs().size());
        }
        Map<String, String> names = ownNames(draft, branch);
        for (TensorProto initializer : branch.getInitializerList()) {
            scope.addConstant(names.get(initializer.getName()), tensors.read(initializer, draft.where()
                    + ": initializer '" + initializer.getName() + "'"));
        }
        List<NodeProto> nodes = branch.getNodeList().stream().map(node -> renamed(node, names, true)).toList();
        for (NodeDraft inner : TopologicalOrder.of(drafts.of(nodes, scope))) {
            reader.read(inner);
        }
        for (int i = 0; i < draft.outputs().size(); i++) {
            String output = draft.outputs().get(i);
            String value = branch.getOutput(i).getName();
            if (!output.isEmpty()) {
                scope.addNode(new Node(scope.freshNode(draft.name() + "_" + i), new Op.Identity(),
                        List.of(names.getOrDefault(value, value)), List.of(output)));
            }
        }
    }

    /** Names in the graph of what the branch has itself. */
    private static Map<String, String> ownNames(NodeDraft draft, GraphProto branch) {
        Map<String, String> names = new HashMap<>();
        for (String name : written(branch)) {
            names.put(name, draft.scope().freshValue(name));
        }
        return names;
    }

    private static Set<String> written(GraphProto graph) {
        Set<String> written = new HashSet<>();
        graph.getInitializerList().forEach(tensor -> written.add(tensor.getName()));
        graph.getNodeList().forEach(node -> written.addAll(node.getOutputList()));
        written.remove("");
        return written;
    }

    private static NodeProto renamed(NodeProto node, Map<String, String> names, boolean outputsToo) {
        NodeProto.Builder result = node.toBuilder();
        for (int i = 0; i < node.getInputCount(); i++) {
            result.setInput(i, names.getOrDefault(node.getInput(i), node.getInput(i)));
        }
        for (int i = 0; outputsToo && i < node.getOutputCount(); i++) {
            result.setOutput(i, names.getOrDefault(node.getOutput(i), node.getOutput(i)));
        }
        for (int i = 0; i < node.getAttributeCount(); i++) {
            AttributeProto attribute = node.getAttribute(i);
            if (attribute.hasG()) {
                result.setAttribute(i, attribute.toBuilder().setG(renamed(attribute.getG(), names)));
            }
        }
        return result.build();
    }

    /** A branch within a branch: what it reads from outside has other names now, what it has itself keeps its own. */
    private static GraphProto renamed(GraphProto graph, Map<String, String> names) {
        Map<String, String> outer = new HashMap<>(names);
        outer.keySet().removeAll(written(graph));
        GraphProto.Builder result = graph.toBuilder();
        for (int i = 0; i < graph.getNodeCount(); i++) {
            result.setNode(i, renamed(graph.getNode(i), outer, false));
        }
        for (int i = 0; i < graph.getOutputCount(); i++) {
            String name = graph.getOutput(i).getName();
            result.setOutput(i, graph.getOutput(i).toBuilder().setName(outer.getOrDefault(name, name)));
        }
        return result.build();
    }

    /** Names of outer values that a node's branches read. */
    static List<String> captured(NodeProto node) {
        List<String> names = new ArrayList<>();
        for (AttributeProto attribute : node.getAttributeList()) {
            if (!attribute.hasG()) {
                continue;
            }
            Set<String> own = written(attribute.getG());
            List<String> read = new ArrayList<>();
            for (NodeProto inner : attribute.getG().getNodeList()) {
                read.addAll(inner.getInputList());
                read.addAll(captured(inner));
            }
            attribute.getG().getOutputList().forEach(output -> read.add(output.getName()));
            read.removeIf(name -> name.isEmpty() || own.contains(name));
            names.addAll(read);
        }
        return names;
    }
}
