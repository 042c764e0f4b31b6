package dev.shrike.onnx;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import dev.shrike.onnx.proto.Onnx.NodeProto;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A node of the file on its way to the graph's normal form: inputs may still be added or dropped. */
final class NodeDraft {
    private final String name;
    private final String domain;
    private final String opType;
    private final Attributes attributes;
    private final List<String> inputs;
    private final List<String> outputs;
    private final List<String> captured;
    private final ReadScope scope;

    NodeDraft(NodeProto proto, String name, ReadScope scope) {
        this.name = name;
        this.domain = proto.getDomain().equals("ai.onnx") ? "" : proto.getDomain();
        this.opType = proto.getOpType();
        this.attributes = new Attributes(where(), proto.getAttributeList());
        this.inputs = withoutTrailingBlanks(proto.getInputList());
        this.outputs = withoutTrailingBlanks(proto.getOutputList());
        this.captured = Branches.captured(proto);
        this.scope = scope;
    }

    String name() {
        return name;
    }

    /** Family of the operator; empty for ONNX's own. */
    String domain() {
        return domain;
    }

    String opType() {
        return opType;
    }

    Attributes attributes() {
        return attributes;
    }

    List<String> inputs() {
        return inputs;
    }

    /** Values that its branches read, besides its inputs. */
    List<String> captured() {
        return captured;
    }

    List<String> outputs() {
        return outputs;
    }

    ReadScope scope() {
        return scope;
    }

    /** How messages name this node. */
    String where() {
        return "node '" + name + "' (" + (domain.isEmpty() ? "" : domain + ".") + opType + ")";
    }

    ModelException broken(String what) {
        return new ModelException(where() + ": " + what);
    }

    UnsupportedModelException unsupported(String what) {
        return new UnsupportedModelException(where() + ": " + what);
    }

    /**
     * Checks the number of inputs, the first {@code least} of which must be there, and that only one output is used.
     */
    void expect(int least, int most) {
        expect(least, most, 1);
    }

    void expect(int least, int most, int mostOutputs) {
        if (inputs.size() > most) {
            throw broken("has " + inputs.size() + " inputs, at most " + most + " are allowed");
        }
        for (int i = 0; i < least; i++) {
            if (input(i).isEmpty()) {
                throw broken("input " + i + " is missing");
            }
        }
        while (outputs.size() > mostOutputs && !scope.isRead(outputs.getLast())) {
            outputs.removeLast();
        }
        if (outputs.isEmpty() || outputs.getFirst().isEmpty()) {
            throw broken("has no output");
        }
        if (outputs.size() > mostOutputs) {
            throw unsupported("output " + mostOutputs + " ('" + outputs.get(mostOutputs)
                    + "') is used, which Shrike does not compute");
        }
    }

    String input(int index) {
        return index < inputs.size() ? inputs.get(index) : "";
    }

    boolean hasInput(int index) {
        return !input(index).isEmpty();
    }

    /** Sets an input, filling the gap before it with left-out ones; the empty name takes it away. */
    void setInput(int index, String value) {
        while (inputs.size() <= index) {
            inputs.add("");
        }
        inputs.set(index, value);
        while (!inputs.isEmpty() && inputs.getLast().isEmpty()) {
            inputs.removeLast();
        }
    }

    /** Makes a constant of the tensor and reads it as input {@code index}; {@code role} becomes part of its name. */
    void setConstant(int index, String role, Tensor tensor) {
        setInput(index, scope.addGenerated(name + "_" + role, tensor));
    }

    /** The constant that input {@code index} reads, if it is one. */
    Optional<Tensor> constant(int index) {
        return hasInput(index) ? scope.constant(input(index)) : Optional.empty();
    }

    /** Adds this node to the graph. */
    void emit(Op op) {
        scope.addNode(new Node(name, op, inputs, outputs));
    }

    private static List<String> withoutTrailingBlanks(List<String> names) {
        List<String> kept = new ArrayList<>(names);
        while (!kept.isEmpty() && kept.getLast().isEmpty()) {
            kept.removeLast();
        }
        return kept;
    }
}
