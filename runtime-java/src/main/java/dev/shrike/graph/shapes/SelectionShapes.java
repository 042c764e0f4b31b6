package dev.shrike.graph.shapes;

import static dev.shrike.graph.NodeView.one;
import static dev.shrike.graph.shapes.ShapeRules.differ;

import dev.shrike.graph.DataType;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Shapes of operations that pick, place, order or accumulate elements. */
final class SelectionShapes {
    private SelectionShapes() {}

    static List<TensorType> gatherElements(NodeView view, Op.GatherElements gather) {
        requireIndices(view, 1);
        atElements(view, view.axis(gather.axis(), view.shape(0).rank()));
        return one(view.type(0), view.shape(1));
    }

    static List<TensorType> scatterElements(NodeView view, Op.ScatterElements scatter) {
        requireIndices(view, 1);
        view.requireSameType(0, 2);
        requireNumbers(view, scatter.reduction());
        atElements(view, view.axis(scatter.axis(), view.shape(0).rank()));
        requireShape(view, 2, view.shape(1));
        return one(view.type(0), view.shape(0));
    }

    /** Checks that indices lie within the input beside the axis. */
    private static void atElements(NodeView view, int axis) {
        Shape x = view.shape(0);
        Shape indices = view.shape(1);
        boolean fits = indices.rank() == x.rank();
        for (int d = 0; fits && d < x.rank(); d++) {
            fits = d == axis || indices.dim(d) == Shape.OPEN || x.dim(d) == Shape.OPEN || indices.dim(d) <= x.dim(d);
        }
        if (!fits) {
            throw view.mismatch("indices have shape " + indices, "at most the sizes of " + x + " beside axis " + axis);
        }
    }

    static List<TensorType> gatherNd(NodeView view, Op.GatherNd gather) {
        requireIndices(view, 1);
        Shape x = view.shape(0);
        Shape indices = view.shape(1);
        int batch = gather.batchDims();
        long length = tupleLength(view, x.rank() - batch);
        if (batch < 0 || batch >= Math.min(x.rank(), indices.rank())) {
            throw view.mismatch("batch_dims is " + batch, "less than the dimensions of " + x + " and " + indices);
        }
        for (int d = 0; d < batch; d++) {
            if (differ(x.dim(d), indices.dim(d))) {
                throw view.mismatch("indices have shape " + indices, "the first " + batch + " sizes of " + x);
            }
        }
        List<Long> dims = new ArrayList<>(indices.dims().subList(0, indices.rank() - 1));
        dims.addAll(x.dims().subList(batch + (int) length, x.rank()));
        return one(view.type(0), new Shape(dims));
    }

    static List<TensorType> scatterNd(NodeView view) {
        requireIndices(view, 1);
        view.requireSameType(0, 2);
        requireNumbers(view, ((Op.ScatterNd) view.node().op()).reduction());
        Shape x = view.shape(0);
        Shape indices = view.shape(1);
        long length = tupleLength(view, x.rank());
        List<Long> dims = new ArrayList<>(indices.dims().subList(0, indices.rank() - 1));
        dims.addAll(x.dims().subList((int) length, x.rank()));
        requireShape(view, 2, new Shape(dims));
        return one(view.type(0), x);
    }

    /** How many indices make a place: the last dimension of input 1. */
    private static long tupleLength(NodeView view, int most) {
        Shape indices = view.shape(1);
        if (indices.rank() == 0) {
            throw view.mismatch("indices are a scalar", "at least 1 dimension");
        }
        long length = indices.dim(-1);
        if (length == Shape.OPEN) {
            throw view.unsupported("the last dimension of its indices is not known before it runs");
        }
        if (length < 1 || length > most) {
            throw view.mismatch("indices have shape " + indices, "1 to " + most + " indices for a place in "
                    + view.shape(0));
        }
        return length;
    }

    private static void requireShape(NodeView view, int input, Shape wanted) {
        Shape shape = view.shape(input);
        boolean fits = shape.rank() == wanted.rank();
        for (int d = 0; fits && d < wanted.rank(); d++) {
            fits = !differ(shape.dim(d), wanted.dim(d));
        }
        if (!fits) {
            throw view.mismatch("input " + input + " has shape " + shape, wanted.toString());
        }
    }

    private static void requireIndices(NodeView view, int input) {
        DataType type = view.type(input);
        if (type != DataType.INT64 && type != DataType.INT32) {
            throw view.mismatch("indices have type " + type, "INT64 or INT32");
        }
    }

    private static void requireNumbers(NodeView view, Op.Reduction reduction) {
        if (reduction != Op.Reduction.NONE && view.type(0) == DataType.BOOL) {
            throw view.mismatch("input 0 has type BOOL", "numbers to reduce");
        }
    }

    static List<TensorType> topK(NodeView view, Op.TopK topK) {
        requireNotBool(view);
        Shape x = view.shape(0);
        int axis = view.axis(topK.axis(), x.rank());
        Optional<long[]> k = view.integers(1);
        long[] dims = x.toArray();
        if (k.isPresent() && k.get().length != 1) {
            throw view.mismatch("k has " + k.get().length + " elements", "one");
        }
        long count = k.map(values -> values[0]).orElse(Shape.OPEN);
        if (k.isPresent() && (count < 0 || dims[axis] != Shape.OPEN && count > dims[axis])) {
            throw view.mismatch("k is " + count, "within 0 and the " + dims[axis] + " elements along axis " + axis);
        }
        dims[axis] = count;
        return List.of(new TensorType(view.type(0), Shape.of(dims)), new TensorType(DataType.INT64, Shape.of(dims)));
    }

    static List<TensorType> argExtreme(NodeView view, Op.ArgExtreme arg) {
        requireNotBool(view);
        Shape x = view.shape(0);
        int axis = view.axis(arg.axis(), x.rank());
        if (x.dim(axis) == 0) {
            throw view.mismatch("input 0 has shape " + x, "elements along axis " + axis);
        }
        List<Long> dims = new ArrayList<>(x.dims());
        if (arg.keepDims()) {
            dims.set(axis, 1L);
        } else {
            dims.remove(axis);
        }
        return one(DataType.INT64, new Shape(dims));
    }

    static List<TensorType> hardmax(NodeView view, Op.Hardmax hardmax) {
        view.requireFloat(0);
        view.axis(hardmax.axis(), view.shape(0).rank());
        return one(view.type(0), view.shape(0));
    }

    static List<TensorType> oneHot(NodeView view, Op.OneHot oneHot) {
        if (view.type(0) == DataType.BOOL) {
            throw view.mismatch("indices have type BOOL", "numbers");
        }
        List<Long> dims = new ArrayList<>(view.shape(0).dims());
        int axis = view.axis(oneHot.axis(), dims.size() + 1);
        Shape values = view.shape(2);
        if (values.rank() != 1 || differ(values.dim(0), 2)) {
            throw view.mismatch("input 2 has shape " + values, "two values, off and on");
        }
        Tensor depth = view.value(1).orElse(null);
        if (depth != null && (depth.elements() != 1 || depth.longAt(0) < 0)) {
            throw view.mismatch("depth " + depth, "one number of at least 0");
        }
        dims.add(axis, depth == null ? Shape.OPEN : depth.longAt(0));
        return one(view.type(2), new Shape(dims));
    }

    static List<TensorType> trilu(NodeView view) {
        if (view.shape(0).rank() < 2) {
            throw view.mismatch("input 0 has shape " + view.shape(0), "matrices");
        }
        if (view.has(1)) {
            requireIndices(view, 1);
            requireOne(view, 1);
        }
        return one(view.type(0), view.shape(0));
    }

    static List<TensorType> cumSum(NodeView view) {
        requireNotBool(view);
        requireIndices(view, 1);
        requireOne(view, 1);
        view.value(1).ifPresent(axis -> view.axis(axis.longAt(0), view.shape(0).rank()));
        return one(view.type(0), view.shape(0));
    }

    private static void requireOne(NodeView view, int input) {
        if (view.shape(input).isKnown() && view.shape(input).elements() != 1) {
            throw view.mismatch("input " + input + " has shape " + view.shape(input), "one element");
        }
    }

    private static void requireNotBool(NodeView view) {
        if (view.type(0) == DataType.BOOL) {
            throw view.mismatch("input 0 has type BOOL", "numbers");
        }
    }
}
