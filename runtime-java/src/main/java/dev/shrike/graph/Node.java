package dev.shrike.graph;

import java.util.List;
import java.util.Objects;

/**
 * One operation of a graph.
 *
 * @param name name for messages, unique in its graph
 * @param op what it does
 * @param inputs names of the values read; an empty name is a left-out optional input
 * @param outputs names of the values written; an empty name is an output that nobody wants
 */
public record Node(String name, Op op, List<String> inputs, List<String> outputs) {
    public Node {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(op, "op");
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
    }

    /** Name of input {@code index}, or the empty name if the node has fewer inputs. */
    public String input(int index) {
        return index < inputs.size() ? inputs.get(index) : "";
    }

    /** Whether optional input {@code index} is given. */
    public boolean hasInput(int index) {
        return !input(index).isEmpty();
    }

    /** Name of the first output. */
    public String output() {
        return outputs.getFirst();
    }

    /** The same node with another operation. */
    public Node withOp(Op other) {
        return new Node(name, other, inputs, outputs);
    }

    /** The same node with other inputs. */
    public Node withInputs(List<String> names) {
        return new Node(name, op, names, outputs);
    }

    /** The same node with other outputs. */
    public Node withOutputs(List<String> names) {
        return new Node(name, op, inputs, names);
    }
}
