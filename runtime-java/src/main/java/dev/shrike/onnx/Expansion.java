package dev.shrike.onnx;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** Nodes that together compute what one operator of the file does; the last of them is the draft's own. */
final class Expansion {
    private final NodeDraft draft;

    Expansion(NodeDraft draft) {
        this.draft = draft;
    }

    /** Adds a node in front of the draft's own; gives the name of its result. */
    String node(String role, Op op, String... inputs) {
        ReadScope scope = draft.scope();
        String result = scope.freshValue(draft.name() + "_" + role);
        scope.addNode(new Node(scope.freshNode(draft.name() + "_" + role), op, List.of(inputs), List.of(result)));
        return result;
    }

    /** What the draft's own node is and reads. */
    Op last(Op op, String... inputs) {
        draft.inputs().clear();
        draft.inputs().addAll(List.of(inputs));
        return op;
    }

    String constant(String role, Tensor tensor) {
        return draft.scope().addGenerated(draft.name() + "_" + role, tensor);
    }

    String vector(String role, long... values) {
        return constant(role, Tensor.vector(values));
    }

    /** A number of the type that another value has. */
    String number(String role, double value, String like) {
        String name = constant(role, Tensor.scalar((float) value));
        DataType type = draft.scope().type(like).orElse(DataType.FLOAT32);
        return type == DataType.FLOAT32 ? name : node(role + "_typed", new Op.Cast(type), name);
    }

    String binary(String role, Op.Binary.Kind kind, String a, String b) {
        return node(role, new Op.Binary(kind), a, b);
    }

    String unary(String role, Op.Unary.Kind kind, String x) {
        return node(role, Op.Unary.of(kind), x);
    }

    /** A reduction that keeps the dimensions. */
    String reduce(String role, Op.Reduce.Kind kind, String x, String axes) {
        return node(role, new Op.Reduce(kind, true), x, axes);
    }

    /** The sizes of some dimensions as a vector; no end is {@link Integer#MAX_VALUE}. */
    String sizes(String role, String x, int from, int to) {
        return node(role, new Op.ShapeOf(from, to), x);
    }

    /** Constants of one value per channel with dimensions of size 1 behind, so that they match images. */
    String perChannel(String role, String vector, int dimensionsBehind) {
        if (dimensionsBehind == 0) {
            return vector;
        }
        long[] axes = LongStream.rangeClosed(1, dimensionsBehind).toArray();
        return node(role, new Op.Unsqueeze(), vector, vector(role + "_axes", axes));
    }

    /** The dimensions in another order; the value itself if that is its own. */
    String transpose(String role, String x, List<Integer> permutation) {
        boolean same = IntStream.range(0, permutation.size()).allMatch(i -> permutation.get(i) == i);
        return same ? x : node(role, new Op.Transpose(permutation), x);
    }

    /** Number of dimensions of a value. */
    int rank(String value) {
        return draft.scope()
                .rank(value)
                .orElseThrow(() -> draft.unsupported("the number of dimensions of '" + value + "' is not known; run"
                        + " ONNX's shape inference over the model"));
    }

    /** Rows, columns and whatever other dimensions an image has behind batch and channels. */
    String spatialAxes(String role, String image) {
        int rank = rank(image);
        if (rank < 3) {
            throw draft.broken("input '" + image + "' has " + rank + " dimensions, must have at least 3");
        }
        return vector(role, LongStream.range(2, rank).toArray());
    }

    /** Elements of a constant picked by index; -1 gives zero bytes. */
    static Tensor pick(Tensor from, Shape shape, int[] indices) {
        int size = from.type().bits() / 8;
        byte[] bytes = new byte[Math.multiplyExact(indices.length, size)];
        java.lang.foreign.MemorySegment to = java.lang.foreign.MemorySegment.ofArray(bytes);
        for (int i = 0; i < indices.length; i++) {
            if (indices[i] >= 0) {
                java.lang.foreign.MemorySegment.copy(from.data(), (long) indices[i] * size, to, (long) i * size, size);
            }
        }
        return new Tensor(from.type(), shape, to);
    }
}
