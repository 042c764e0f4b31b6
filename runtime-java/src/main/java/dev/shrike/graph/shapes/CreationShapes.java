package dev.shrike.graph.shapes;

import static dev.shrike.graph.NodeView.one;

import dev.shrike.graph.Broadcast;
import dev.shrike.graph.DataType;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.TensorType;
import java.util.List;
import java.util.Optional;

/** Shapes of operations that make tensors out of shapes and ranges. */
public final class CreationShapes {
    private CreationShapes() {}

    /** An open shape with as many dimensions as the vector at input {@code index} has elements. */
    static Shape openOfLength(NodeView view, int index) {
        long length = view.length(index);
        if (length == Shape.OPEN) {
            throw view.unsupported("the number of dimensions of its result is not known before it runs");
        }
        if (length > TensorType.MAX_RANK) {
            throw view.mismatch("a shape of " + length + " dimensions", "at most " + TensorType.MAX_RANK);
        }
        return WindowShapes.open((int) length);
    }

    static List<TensorType> shapeOf(NodeView view, Op.ShapeOf op) {
        int[] bounds = shapeBounds(view, op);
        return one(DataType.INT64, Shape.of(bounds[1] - bounds[0]));
    }

    /** First and one past the last dimension that ShapeOf returns. */
    public static int[] shapeBounds(NodeView view, Op.ShapeOf op) {
        int rank = view.shape(0).rank();
        int start = Math.clamp(op.start() < 0 ? (long) op.start() + rank : op.start(), 0, rank);
        int end = Math.clamp(op.end() < 0 ? (long) op.end() + rank : op.end(), 0, rank);
        return new int[] {start, Math.max(start, end)};
    }

    static List<TensorType> range(NodeView view) {
        DataType type = view.type(0);
        if (type == DataType.BOOL) {
            throw view.mismatch("inputs have type BOOL", "numbers");
        }
        for (int i = 0; i < 3; i++) {
            view.requireSameType(0, i);
            if (view.length(i) > 1) {
                throw view.mismatch("input " + i + " has shape " + view.shape(i), "a scalar");
            }
        }
        Optional<Tensor> start = view.value(0);
        Optional<Tensor> limit = view.value(1);
        Optional<Tensor> delta = view.value(2);
        if (start.isEmpty() || limit.isEmpty() || delta.isEmpty()) {
            return one(type, Shape.of(Shape.OPEN));
        }
        return one(type, Shape.of(rangeLength(view, start.get(), limit.get(), delta.get())));
    }

    private static long rangeLength(NodeView view, Tensor start, Tensor limit, Tensor delta) {
        if (start.elements() != 1 || limit.elements() != 1 || delta.elements() != 1) {
            throw view.mismatch("an empty start, limit or delta", "one number each");
        }
        if (delta.doubleAt(0) == 0) {
            throw view.mismatch("delta 0", "a delta other than 0");
        }
        if (!start.type().isFloating()) {
            long distance = Math.subtractExact(limit.longAt(0), start.longAt(0));
            return Math.max(0, Math.ceilDiv(distance, delta.longAt(0)));
        }
        double count = Math.ceil((limit.doubleAt(0) - start.doubleAt(0)) / delta.doubleAt(0));
        if (Double.isNaN(count)) {
            throw view.mismatch("start, limit or delta is not a number", "numbers");
        }
        return (long) Math.max(0, count);
    }

    static List<TensorType> expand(NodeView view) {
        Shape target = view.integers(1).map(dims -> sizes(view, dims)).orElseGet(() -> openOfLength(view, 1));
        return one(view.type(0), Broadcast.shape(view, view.shape(0), target));
    }

    private static Shape sizes(NodeView view, long[] dims) {
        for (long dim : dims) {
            if (dim < 0) {
                throw view.mismatch("size " + dim, "a size of at least 0");
            }
        }
        return Shape.of(dims);
    }

    static List<TensorType> tile(NodeView view) {
        Shape x = view.shape(0);
        Optional<long[]> repeats = view.integers(1);
        if (repeats.isEmpty()) {
            return one(view.type(0), WindowShapes.open(x.rank()));
        }
        if (repeats.get().length != x.rank()) {
            throw view.mismatch(repeats.get().length + " repeats", x.rank() + " for input shape " + x);
        }
        long[] dims = new long[x.rank()];
        for (int i = 0; i < dims.length; i++) {
            if (repeats.get()[i] < 0) {
                throw view.mismatch("repeat " + repeats.get()[i], "repeats of at least 0");
            }
            dims[i] = WindowShapes.times(x.dim(i), repeats.get()[i]);
        }
        return one(view.type(0), Shape.of(dims));
    }

    static List<TensorType> constantOfShape(NodeView view, Op.ConstantOfShape op) {
        if (op.value().elements() != 1) {
            throw view.mismatch("value " + op.value(), "one element");
        }
        Shape shape = view.integers(0).map(dims -> sizes(view, dims)).orElseGet(() -> openOfLength(view, 0));
        return one(op.value().type(), shape);
    }
}
