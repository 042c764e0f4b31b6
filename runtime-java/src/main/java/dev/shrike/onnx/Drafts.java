package dev.shrike.onnx;

import dev.shrike.ModelException;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.onnx.proto.Onnx.NodeProto;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Nodes of a graph or of a branch as drafts; constants among them go to the scope. */
final class Drafts {
    private final TensorReader tensors;

    Drafts(TensorReader tensors) {
        this.tensors = tensors;
    }

    // Names that the file gives go first, so that generated ones cannot take them.
    List<NodeDraft> of(List<NodeProto> protos, ReadScope scope) {
        Map<Integer, String> names = new HashMap<>();
        for (int i = 0; i < protos.size(); i++) {
            if (!protos.get(i).getName().isEmpty()) {
                names.put(i, scope.freshNode(protos.get(i).getName()));
            }
        }
        List<NodeDraft> drafts = new ArrayList<>();
        for (int i = 0; i < protos.size(); i++) {
            NodeProto node = protos.get(i);
            String name = names.containsKey(i) ? names.get(i) : scope.freshNode(node.getOpType() + "_" + i);
            if (node.getOpType().isEmpty()) {
                throw new ModelException("node '" + name + "' (number " + i + ") has no op_type");
            }
            for (NodeProto piece : QuantizedOperators.expand(node, name, scope)) {
                NodeDraft draft = new NodeDraft(piece, piece == node ? name : piece.getName(), scope);
                if (draft.opType().equals("Constant") && draft.domain().isEmpty()) {
                    addConstant(draft, scope);
                } else {
                    drafts.add(draft);
                }
            }
        }
        return drafts;
    }

    private void addConstant(NodeDraft draft, ReadScope scope) {
        draft.expect(0, 0);
        Attributes attributes = draft.attributes();
        Tensor tensor;
        if (attributes.has("value")) {
            tensor = tensors.read(attributes.tensor("value").orElseThrow(), draft.where());
        } else if (attributes.has("value_float")) {
            tensor = Tensor.scalar(attributes.floating("value_float", 0));
        } else if (attributes.has("value_floats")) {
            float[] values = attributes.floats("value_floats").orElseThrow();
            tensor = Tensor.ofFloats(Shape.of(values.length), values);
        } else if (attributes.has("value_int")) {
            tensor = Tensor.ofLongs(Shape.of(), attributes.wide("value_int"));
        } else if (attributes.has("value_ints")) {
            tensor = Tensor.vector(attributes.integers("value_ints").orElseThrow());
        } else {
            throw draft.unsupported("has no value, or one that is sparse or text");
        }
        attributes.finish();
        scope.addConstant(draft.outputs().getFirst(), tensor);
    }
}
