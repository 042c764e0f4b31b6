package dev.shrike.cpu.lowering;

import dev.shrike.graph.Op;
import java.util.Objects;

/** What a node of a lowered network does. */
public sealed interface LoweredOp permits CodesOp, ViewOp, LoweredOp.Concat, LoweredOp.FloatOp {
    /**
     * Values side by side, all floats or all codes of one scale and zero point.
     *
     * @param axis the dimension along which they lie, counted from the first one
     */
    record Concat(int axis) implements LoweredOp {
        public Concat {
            Objects.checkIndex(axis, Integer.MAX_VALUE);
        }
    }

    /**
     * An operator of the graph on floats. The node's inputs are those of the operator.
     *
     * @param op the operator; none that a {@link ViewOp} or a {@link Concat} stands for
     */
    record FloatOp(Op op) implements LoweredOp {
        public FloatOp {
            Objects.requireNonNull(op, "op");
        }
    }
}
