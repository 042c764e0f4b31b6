package dev.shrike.cpu.lowering;

import java.util.List;
import java.util.Objects;

/**
 * One operation of a lowered network.
 *
 * @param name name of the node of the graph that it comes from, for messages
 * @param op what it does
 * @param inputs names of the values and constants read; an empty name is a left-out optional input
 * @param outputs names of the values written; an empty name is an output that nobody wants
 */
public record LoweredNode(String name, LoweredOp op, List<String> inputs, List<String> outputs) {
    public LoweredNode {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(op, "op");
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        if (outputs.isEmpty()) {
            throw new IllegalArgumentException("node '" + name + "' has no outputs");
        }
    }

    /** Name of input {@code index}, or the empty name if the node has fewer inputs. */
    public String input(int index) {
        return index < inputs.size() ? inputs.get(index) : "";
    }

    /** Whether input {@code index} is given. */
    public boolean hasInput(int index) {
        return !input(index).isEmpty();
    }

    /** Name of the first output. */
    public String output() {
        return outputs.getFirst();
    }

    /** Name and kind for messages: {@code "node 'head' (Conv)"}. */
    public String describe() {
        Object kind = op instanceof LoweredOp.FloatOp floats ? floats.op() : op;
        return "node '" + name + "' (" + kind.getClass().getSimpleName() + ")";
    }
}
