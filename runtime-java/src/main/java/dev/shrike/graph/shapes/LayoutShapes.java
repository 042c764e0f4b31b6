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
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/** Shapes of operations that only move elements. */
public final class LayoutShapes {
    private LayoutShapes() {}

    static List<TensorType> concat(NodeView view, Op.Concat concat) {
        Shape first = view.shape(0);
        int axis = view.axis(concat.axis(), first.rank());
        long[] dims = first.toArray();
        for (int i = 1; i < view.inputCount(); i++) {
            view.requireSameType(0, i);
            Shape other = view.shape(i);
            if (other.rank() != dims.length) {
                throw view.mismatch("input " + i + " has shape " + other, dims.length + " dimensions like " + first);
            }
            for (int d = 0; d < dims.length; d++) {
                if (d == axis) {
                    dims[d] = dims[d] == Shape.OPEN || other.dim(d) == Shape.OPEN
                            ? Shape.OPEN : Math.addExact(dims[d], other.dim(d));
                } else if (differ(dims[d], other.dim(d))) {
                    throw view.mismatch("input " + i + " has shape " + other,
                            "the sizes of " + first + " except on axis " + axis);
                } else {
                    dims[d] = Math.max(dims[d], other.dim(d));
                }
            }
        }
        return one(view.type(0), Shape.of(dims));
    }

    static List<TensorType> split(NodeView view, Op.Split split) {
        Shape x = view.shape(0);
        int axis = view.axis(split.axis(), x.rank());
        int parts = view.node().outputs().size();
        long[] sizes = splitSizes(view, x.dim(axis), parts);
        List<TensorType> types = new ArrayList<>();
        for (long size : sizes) {
            long[] dims = x.toArray();
            dims[axis] = size;
            types.add(new TensorType(view.type(0), Shape.of(dims)));
        }
        return types;
    }

    private static long[] splitSizes(NodeView view, long size, int parts) {
        long[] sizes = new long[parts];
        Arrays.fill(sizes, Shape.OPEN);
        if (!view.has(1)) {
            if (size != Shape.OPEN) {
                long chunk = Math.ceilDiv(size, (long) parts);
                for (int i = 0; i < parts; i++) {
                    sizes[i] = Math.clamp(size - chunk * i, 0, chunk);
                }
            }
            return sizes;
        }
        Optional<long[]> given = view.integers(1);
        if (given.isEmpty()) {
            return sizes;
        }
        long sum = 0;
        for (long part : given.get()) {
            if (part < 0) {
                throw view.mismatch("size " + part, "sizes of at least 0");
            }
            sum = Math.addExact(sum, part);
        }
        if (given.get().length != parts || differ(sum, size)) {
            throw view.mismatch("sizes " + Arrays.toString(given.get()), parts + " sizes that add up to " + size);
        }
        return given.get();
    }

    static List<TensorType> slice(NodeView view) {
        Shape x = view.shape(0);
        Optional<SliceBounds> bounds = SliceBounds.of(view);
        if (bounds.isPresent()) {
            return one(view.type(0), bounds.get().shape());
        }
        return one(view.type(0), partlyOpen(view, x, view.integers(3), view.has(3)));
    }

    /** The shape with the sliced axes open; all open if the axes are not known. */
    private static Shape partlyOpen(NodeView view, Shape x, Optional<long[]> axes, boolean given) {
        if (given && axes.isEmpty()) {
            return WindowShapes.open(x.rank());
        }
        long[] dims = x.toArray();
        if (axes.isPresent()) {
            for (long axis : axes.get()) {
                dims[view.axis(axis, x.rank())] = Shape.OPEN;
            }
            return Shape.of(dims);
        }
        long count = view.length(1);
        Arrays.fill(dims, 0, count == Shape.OPEN ? dims.length : (int) Math.min(count, dims.length), Shape.OPEN);
        return Shape.of(dims);
    }

    static List<TensorType> reshape(NodeView view, Op.Reshape reshape) {
        Shape x = view.shape(0);
        Optional<long[]> target = view.integers(1);
        if (target.isEmpty()) {
            return one(view.type(0), CreationShapes.openOfLength(view, 1));
        }
        long[] dims = target.get().clone();
        int inferred = -1;
        for (int i = 0; i < dims.length; i++) {
            if (dims[i] == -1) {
                if (inferred >= 0) {
                    throw view.mismatch("shape " + Arrays.toString(target.get()), "a single -1");
                }
                inferred = i;
            } else if (dims[i] < -1) {
                throw view.mismatch("size " + dims[i], "a size of at least -1");
            } else if (dims[i] == 0 && !reshape.allowZero()) {
                if (i >= x.rank()) {
                    throw view.mismatch("size 0 at position " + i, "one of the " + x.rank() + " dimensions of " + x);
                }
                dims[i] = x.dim(i);
            }
        }
        if (inferred >= 0) {
            dims[inferred] = remainder(view, x, dims, inferred, target.get());
        }
        Shape shape = Shape.of(dims);
        if (x.isKnown() && shape.isKnown() && x.elements() != shape.elements()) {
            throw view.mismatch("shape " + Arrays.toString(target.get()), "the " + x.elements() + " elements of " + x);
        }
        return one(view.type(0), shape);
    }

    /** The size at -1. Open dimensions that were copied from the input cancel out. */
    private static long remainder(NodeView view, Shape x, long[] dims, int inferred, long[] target) {
        long have = 1;
        long want = 1;
        for (int i = 0; i < x.rank(); i++) {
            boolean copied = i < dims.length && target[i] == 0 && i != inferred && dims[i] == x.dim(i);
            if (!copied) {
                have = WindowShapes.times(have, x.dim(i));
            }
        }
        for (int i = 0; i < dims.length; i++) {
            boolean copied = i < x.rank() && target[i] == 0 && dims[i] == x.dim(i);
            if (i != inferred && !copied) {
                want = WindowShapes.times(want, dims[i]);
            }
        }
        if (have == Shape.OPEN || want == Shape.OPEN) {
            return Shape.OPEN;
        }
        if (want == 0 || have % want != 0) {
            throw view.mismatch("shape " + Arrays.toString(target), "a divisor of the elements of " + x);
        }
        return have / want;
    }

    static List<TensorType> transpose(NodeView view, Op.Transpose transpose) {
        Shape x = view.shape(0);
        List<Integer> permutation = permutation(view, transpose);
        long[] dims = new long[x.rank()];
        for (int i = 0; i < dims.length; i++) {
            dims[i] = x.dim(permutation.get(i));
        }
        return one(view.type(0), Shape.of(dims));
    }

    /** The permutation; an empty one turns the dimensions round. */
    public static List<Integer> permutation(NodeView view, Op.Transpose transpose) {
        int rank = view.shape(0).rank();
        List<Integer> permutation = transpose.permutation();
        if (permutation.isEmpty()) {
            List<Integer> reversed = new ArrayList<>();
            for (int i = rank - 1; i >= 0; i--) {
                reversed.add(i);
            }
            return reversed;
        }
        if (permutation.size() != rank || new TreeSet<>(permutation).size() != rank
                || permutation.stream().anyMatch(p -> p < 0 || p >= rank)) {
            throw view.mismatch("permutation " + permutation, "each dimension of " + view.shape(0) + " once");
        }
        return permutation;
    }

    static List<TensorType> flatten(NodeView view, Op.Flatten flatten) {
        Shape x = view.shape(0);
        int axis = flatten.axis() == x.rank() ? x.rank() : view.axis(flatten.axis(), Math.max(1, x.rank()));
        long rows = 1;
        long columns = 1;
        for (int i = 0; i < x.rank(); i++) {
            if (i < axis) {
                rows = WindowShapes.times(rows, x.dim(i));
            } else {
                columns = WindowShapes.times(columns, x.dim(i));
            }
        }
        return one(view.type(0), Shape.of(rows, columns));
    }

    static List<TensorType> squeeze(NodeView view) {
        Shape x = view.shape(0);
        Optional<long[]> axes = view.integers(1);
        if (view.has(1) && axes.isEmpty()) {
            throw view.unsupported("its axes are not known before it runs");
        }
        boolean[] gone = view.axes(axes.orElse(new long[0]), x.rank());
        List<Long> dims = new ArrayList<>();
        for (int i = 0; i < x.rank(); i++) {
            if (gone[i] && differ(x.dim(i), 1)) {
                throw view.mismatch("dimension " + i + " of " + x, "size 1");
            }
            if (axes.isEmpty() && x.dim(i) == Shape.OPEN) {
                throw view.unsupported("which dimensions of " + x + " it drops is not known before it runs");
            }
            if (axes.isPresent() ? !gone[i] : x.dim(i) != 1) {
                dims.add(x.dim(i));
            }
        }
        return one(view.type(0), new Shape(dims));
    }

    static List<TensorType> unsqueeze(NodeView view) {
        Shape x = view.shape(0);
        long[] axes = view.integers(1)
                .orElseThrow(() -> view.unsupported("its axes are not known before it runs"));
        int rank = x.rank() + axes.length;
        boolean[] added = view.axes(axes, rank);
        long[] dims = new long[rank];
        int next = 0;
        for (int i = 0; i < rank; i++) {
            dims[i] = added[i] ? 1 : x.dim(next++);
        }
        return one(view.type(0), Shape.of(dims));
    }

    static List<TensorType> pad(NodeView view, Op.Pad pad) {
        if (view.has(2)) {
            view.requireSameType(0, 2);
            if (view.shape(2).isKnown() && view.shape(2).elements() != 1) {
                throw view.mismatch("the padding value has shape " + view.shape(2), "one element");
            }
        }
        Shape x = view.shape(0);
        Optional<long[]> pads = pads(view);
        if (pads.isEmpty()) {
            return one(view.type(0), WindowShapes.open(x.rank()));
        }
        long[] dims = x.toArray();
        int rank = dims.length;
        for (int i = 0; i < rank; i++) {
            if (dims[i] == Shape.OPEN) {
                continue;
            }
            long most = switch (pad.mode()) {
                case CONSTANT -> Long.MAX_VALUE;
                case REFLECT -> Math.max(0, dims[i] - 1);
                case EDGE -> dims[i] == 0 ? 0 : Long.MAX_VALUE;
                case WRAP -> dims[i];
            };
            if (pads.get()[i] > most || pads.get()[i + rank] > most) {
                throw view.mismatch("pads " + Arrays.toString(pads.get()), "at most " + most + " along dimension " + i
                        + " of " + x + " with the mode " + pad.mode());
            }
            dims[i] = Math.addExact(dims[i], Math.addExact(pads.get()[i], pads.get()[i + rank]));
            if (dims[i] < 0) {
                throw view.mismatch("pads " + Arrays.toString(pads.get()), "at most the size of " + x);
            }
        }
        return one(view.type(0), Shape.of(dims));
    }

    /** Elements added before each dimension, then after each; negative ones are cut off. */
    public static Optional<long[]> pads(NodeView view) {
        int rank = view.shape(0).rank();
        Optional<long[]> pads = view.integers(1);
        Optional<long[]> axes = view.integers(3);
        if (pads.isEmpty() || (view.has(3) && axes.isEmpty())) {
            return Optional.empty();
        }
        int n = axes.isPresent() ? axes.get().length : rank;
        if (pads.get().length != 2 * n) {
            throw view.mismatch(pads.get().length + " pads", 2 * n + " for input shape " + view.shape(0));
        }
        view.axes(axes.orElse(new long[0]), rank);
        long[] all = new long[2 * rank];
        for (int i = 0; i < n; i++) {
            int axis = view.axis(axes.isPresent() ? axes.get()[i] : i, rank);
            all[axis] = pads.get()[i];
            all[axis + rank] = pads.get()[i + n];
        }
        return Optional.of(all);
    }

    static List<TensorType> gather(NodeView view, Op.Gather gather) {
        DataType type = view.type(1);
        if (type != DataType.INT64 && type != DataType.INT32) {
            throw view.mismatch("indices have type " + type, "INT64 or INT32");
        }
        Shape x = view.shape(0);
        int axis = view.axis(gather.axis(), x.rank());
        List<Long> dims = new ArrayList<>(x.dims().subList(0, axis));
        dims.addAll(view.shape(1).dims());
        dims.addAll(x.dims().subList(axis + 1, x.rank()));
        if (x.dim(axis) != Shape.OPEN) {
            view.value(1).ifPresent(indices -> requireWithin(view, indices, x.dim(axis)));
        }
        return one(view.type(0), new Shape(dims));
    }

    /** Requires of known indices that each names one of {@code size} places, from the front or the end. */
    public static void requireWithin(NodeView view, Tensor indices, long size) {
        for (long i = 0; i < indices.elements(); i++) {
            long index = indices.longAt(i);
            if (index < -size || index >= size) {
                throw view.mismatch("index " + index, "within " + -size + " to " + (size - 1));
            }
        }
    }
}
