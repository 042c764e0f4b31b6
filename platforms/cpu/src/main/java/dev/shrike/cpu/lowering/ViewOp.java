package dev.shrike.cpu.lowering;

import java.util.List;

/**
 * An operation that only looks differently at its one input, floats or codes: each result can be a view of it. The
 * dimensions of the results are those of their tensors.
 */
public sealed interface ViewOp extends LoweredOp {
    /** The same elements in the same order under other dimensions. */
    record Reshape() implements ViewOp {}

    /** The input itself. */
    record Identity() implements ViewOp {}

    /** The input repeated along dimensions of size 1 and new leading ones. */
    record Broadcast() implements ViewOp {}

    /**
     * The dimensions in another order.
     *
     * @param permutation dimension i of the result is dimension {@code permutation[i]} of the input
     */
    record Transpose(List<Integer> permutation) implements ViewOp {
        public Transpose {
            permutation = List.copyOf(permutation);
        }
    }

    /**
     * Several parts along one dimension.
     *
     * @param axis the dimension, counted from the first one
     * @param starts first index of each result
     */
    record Split(int axis, List<Long> starts) implements ViewOp {
        public Split {
            starts = List.copyOf(starts);
        }
    }

    /**
     * Every so-many-th index along some dimensions.
     *
     * @param cuts what is taken, dimension by dimension
     */
    record Slice(List<Cut> cuts) implements ViewOp {
        public Slice {
            cuts = List.copyOf(cuts);
        }
    }

    /**
     * Indices along one dimension.
     *
     * @param axis the dimension, counted from the first one
     * @param start first index
     * @param step distance to the next one; may be negative
     */
    record Cut(int axis, long start, long step) {}
}
