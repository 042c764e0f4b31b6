package dev.shrike.graph.shapes;

import static dev.shrike.graph.NodeView.one;
import static dev.shrike.graph.shapes.ShapeRules.differ;

import dev.shrike.graph.DataType;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.TensorType;
import dev.shrike.graph.Window;
import java.util.List;
import java.util.Optional;

/** Shapes of operations over images in NCHW: convolution, pooling, resizing. */
final class WindowShapes {
    private WindowShapes() {}

    static List<TensorType> conv(NodeView view, Op.Conv conv) {
        view.requireFloat(0);
        view.requireSameType(0, 1);
        view.requireRank(0, 4);
        view.requireRank(1, 4);
        Shape x = view.shape(0);
        Shape w = view.shape(1);
        view.requireElements("input 0", x);
        view.requireElements("weights", w);
        Window window = conv.window();
        if (differ(w.dim(2), window.kernelHeight()) || differ(w.dim(3), window.kernelWidth())) {
            throw view.mismatch("weights have shape " + w,
                    "a kernel of " + window.kernelHeight() + "x" + window.kernelWidth());
        }
        int group = conv.group();
        if (group < 1 || (w.dim(0) != Shape.OPEN && w.dim(0) % group != 0)) {
            throw view.mismatch("group " + group, "a divisor of the " + w.dim(0) + " output channels");
        }
        if (x.dim(1) != Shape.OPEN && w.dim(1) != Shape.OPEN
                && x.dim(1) != Math.multiplyExact(w.dim(1), (long) group)) {
            throw view.mismatch("input 0 has shape " + x, w.dim(1) * group + " channels as the weights " + w
                    + " in " + group + " groups need");
        }
        if (view.has(2)) {
            view.requireSameType(0, 2);
            view.requireRank(2, 1);
            if (differ(view.shape(2).dim(0), w.dim(0))) {
                throw view.mismatch("the bias has shape " + view.shape(2), "[" + w.dim(0) + "]");
            }
        }
        long height = extent(view, x.dim(2), window, true, false);
        long width = extent(view, x.dim(3), window, false, false);
        Shape out = Shape.of(x.dim(0), w.dim(0), height, width);
        if (view.has(3)) {
            requireResidual(view, out);
        }
        return one(view.type(0), out);
    }

    private static void requireResidual(NodeView view, Shape out) {
        view.requireSameType(0, 3);
        view.requireRank(3, 4);
        for (int i = 0; i < 4; i++) {
            if (differ(view.shape(3).dim(i), out.dim(i))) {
                throw view.mismatch("the residual has shape " + view.shape(3), out.toString());
            }
        }
    }

    static List<TensorType> pool(NodeView view, Window window, boolean ceilMode) {
        view.requireRank(0, 4);
        if (view.type(0) == DataType.BOOL) {
            throw view.mismatch("input 0 has type BOOL", "numbers");
        }
        if (window.padTop() >= window.effectiveHeight() || window.padBottom() >= window.effectiveHeight()
                || window.padLeft() >= window.effectiveWidth() || window.padRight() >= window.effectiveWidth()) {
            throw view.mismatch("padding as large as the window", "padding below the window's size");
        }
        Shape x = view.shape(0);
        view.requireElements("input 0", x);
        return one(view.type(0), Shape.of(x.dim(0), x.dim(1), extent(view, x.dim(2), window, true, ceilMode),
                extent(view, x.dim(3), window, false, ceilMode)));
    }

    /** Rows or columns of the result of sliding a window over {@code size} rows or columns. */
    private static long extent(NodeView view, long size, Window window, boolean vertical, boolean ceilMode) {
        if (size == Shape.OPEN) {
            return Shape.OPEN;
        }
        Window resolved = window.resolve(size, size);
        long before = vertical ? resolved.padTop() : resolved.padLeft();
        long after = vertical ? resolved.padBottom() : resolved.padRight();
        long kernel = vertical ? window.kernelHeight() : window.kernelWidth();
        long dilation = vertical ? window.dilationHeight() : window.dilationWidth();
        long effective = (kernel - 1) * dilation + 1;
        long stride = vertical ? window.strideHeight() : window.strideWidth();
        long room = size + before + after - effective;
        if (room < 0 || size == 0) {
            throw view.mismatch("input 0 has shape " + view.shape(0) + " and " + (before + after) + " of padding",
                    "at least " + effective + (vertical ? " rows" : " columns") + " for the window");
        }
        long count = (ceilMode ? Math.ceilDiv(room, stride) : room / stride) + 1;
        // A window that would begin in the padding behind the image is left out.
        return ceilMode && (count - 1) * stride >= size + before ? count - 1 : count;
    }

    static List<TensorType> globalPool(NodeView view) {
        view.requireFloat(0);
        Shape x = view.shape(0);
        if (x.rank() < 3) {
            throw view.mismatch("input 0 has shape " + x, "at least 3 dimensions");
        }
        view.requireElements("input 0", x);
        long[] dims = x.toArray();
        for (int i = 2; i < dims.length; i++) {
            dims[i] = 1;
        }
        return one(view.type(0), Shape.of(dims));
    }

    static List<TensorType> resize(NodeView view) {
        Shape x = view.shape(0);
        view.requireElements("input 0", x);
        List<TensorType> result = resized(view, x);
        view.requireElements("its result", result.getFirst().shape());
        return result;
    }

    private static List<TensorType> resized(NodeView view, Shape x) {
        if (view.has(3) && (view.value(3).isEmpty() || view.known(3).elements() != 0)) {
            if (view.has(2) && (!view.shape(2).isKnown() || view.shape(2).elements() != 0)) {
                throw view.error("both scales and sizes are given");
            }
            return one(view.type(0), resizeTo(view, x));
        }
        if (!view.has(2)) {
            throw view.error("neither scales nor sizes are given");
        }
        Optional<Tensor> scales = view.value(2);
        if (scales.isEmpty()) {
            return one(view.type(0), open(x.rank()));
        }
        view.requireFloat(2);
        if (scales.get().elements() != x.rank()) {
            throw view.mismatch(scales.get().elements() + " scales", x.rank() + " for input shape " + x);
        }
        long[] dims = x.toArray();
        for (int i = 0; i < dims.length; i++) {
            float scale = scales.get().floatAt(i);
            if (!(scale > 0) || Float.isInfinite(scale)) {
                throw view.mismatch("scale " + scale, "a positive number");
            }
            // The product in float is what the common runtimes take the floor of.
            dims[i] = dims[i] == Shape.OPEN ? Shape.OPEN : (long) Math.floor(dims[i] * scale);
        }
        return one(view.type(0), Shape.of(dims));
    }

    private static Shape resizeTo(NodeView view, Shape x) {
        Optional<long[]> sizes = view.integers(3);
        if (sizes.isEmpty()) {
            return open(x.rank());
        }
        if (sizes.get().length != x.rank()) {
            throw view.mismatch(sizes.get().length + " sizes", x.rank() + " for input shape " + x);
        }
        for (long size : sizes.get()) {
            if (size < 0) {
                throw view.mismatch("size " + size, "a size of at least 0");
            }
        }
        return Shape.of(sizes.get());
    }

    static Shape open(int rank) {
        long[] dims = new long[rank];
        java.util.Arrays.fill(dims, Shape.OPEN);
        return Shape.of(dims);
    }

    static List<TensorType> depthToSpace(NodeView view, Op.DepthToSpace depth) {
        view.requireRank(0, 4);
        Shape x = view.shape(0);
        long block = depth.blockSize();
        if (block < 1 || (x.dim(1) != Shape.OPEN && x.dim(1) % (block * block) != 0)) {
            throw view.mismatch("input 0 has shape " + x, "channels divisible by " + block + "x" + block);
        }
        return one(view.type(0), Shape.of(x.dim(0), x.dim(1) == Shape.OPEN ? Shape.OPEN : x.dim(1) / (block * block),
                times(x.dim(2), block), times(x.dim(3), block)));
    }

    static List<TensorType> spaceToDepth(NodeView view, Op.SpaceToDepth space) {
        view.requireRank(0, 4);
        Shape x = view.shape(0);
        long block = space.blockSize();
        for (int d = 2; d < 4; d++) {
            if (x.dim(d) != Shape.OPEN && x.dim(d) % block != 0) {
                throw view.mismatch("input 0 has shape " + x, "rows and columns divisible by " + block);
            }
        }
        return one(view.type(0), Shape.of(x.dim(0), times(x.dim(1), block * block),
                x.dim(2) == Shape.OPEN ? Shape.OPEN : x.dim(2) / block,
                x.dim(3) == Shape.OPEN ? Shape.OPEN : x.dim(3) / block));
    }

    /** The product of two sizes of at least 0, or open if one is. */
    static long times(long a, long b) {
        return a == Shape.OPEN || b == Shape.OPEN ? Shape.OPEN : Math.multiplyExact(a, b);
    }
}
