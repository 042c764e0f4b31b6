package dev.shrike.graph.shapes;

import static dev.shrike.graph.NodeView.one;
import static dev.shrike.graph.shapes.ShapeRules.differ;

import dev.shrike.graph.Broadcast;
import dev.shrike.graph.DataType;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Shapes of matrix products and reductions. */
public final class ProductShapes {
    private ProductShapes() {}

    /** As {@code numpy.matmul}: a vector on the left is a row, on the right a column, and is dropped again. */
    static List<TensorType> matMul(NodeView view) {
        view.requireSameType(0, 1);
        if (view.type(0) == DataType.BOOL) {
            throw view.mismatch("inputs have type BOOL", "numbers");
        }
        Shape a = view.shape(0);
        Shape b = view.shape(1);
        if (a.rank() == 0 || b.rank() == 0) {
            throw view.mismatch("shapes " + a + " and " + b, "at least 1 dimension each");
        }
        long inner = b.rank() == 1 ? b.dim(0) : b.dim(-2);
        if (differ(a.dim(-1), inner)) {
            throw view.mismatch("shapes " + a + " and " + b, "equal inner sizes");
        }
        Shape batchA = Shape.of(java.util.Arrays.copyOf(a.toArray(), Math.max(0, a.rank() - 2)));
        Shape batchB = Shape.of(java.util.Arrays.copyOf(b.toArray(), Math.max(0, b.rank() - 2)));
        List<Long> dims = new ArrayList<>(Broadcast.shape(view, batchA, batchB).dims());
        if (a.rank() > 1) {
            dims.add(a.dim(-2));
        }
        if (b.rank() > 1) {
            dims.add(b.dim(-1));
        }
        return one(view.type(0), new Shape(dims));
    }

    static List<TensorType> gemm(NodeView view, Op.Gemm gemm) {
        view.requireFloat(0);
        view.requireSameType(0, 1);
        view.requireRank(0, 2);
        view.requireRank(1, 2);
        Shape a = view.shape(0);
        Shape b = view.shape(1);
        if (differ(a.dim(gemm.transA() ? 0 : 1), b.dim(gemm.transB() ? 1 : 0))) {
            throw view.mismatch("shapes " + a + (gemm.transA() ? "' and " : " and ") + b + (gemm.transB() ? "'" : ""),
                    "equal inner sizes");
        }
        Shape out = Shape.of(a.dim(gemm.transA() ? 1 : 0), b.dim(gemm.transB() ? 0 : 1));
        if (view.has(2)) {
            view.requireSameType(0, 2);
            Shape c = view.shape(2);
            if (c.rank() > 2 || (c.isKnown() && out.isKnown() && !Broadcast.shape(view, c, out).equals(out))) {
                throw view.mismatch("input 2 has shape " + c, "a shape that can be repeated to " + out);
            }
        }
        return one(view.type(0), out);
    }

    static List<TensorType> reduce(NodeView view, Op.Reduce reduce) {
        if (view.type(0) == DataType.BOOL) {
            throw view.mismatch("input 0 has type BOOL", "numbers");
        }
        Shape x = view.shape(0);
        if (view.has(1) && view.value(1).isEmpty()) {
            if (!reduce.keepDims()) {
                throw view.unsupported("its axes are not known before it runs");
            }
            return one(view.type(0), WindowShapes.open(x.rank()));
        }
        boolean[] reduced = reducedAxes(view);
        List<Long> dims = new ArrayList<>();
        for (int i = 0; i < x.rank(); i++) {
            if (!reduced[i]) {
                dims.add(x.dim(i));
            } else if (reduce.keepDims()) {
                dims.add(1L);
            }
        }
        return one(view.type(0), new Shape(dims));
    }

    /** Which dimensions of input 0 go away; no axes means all. */
    public static boolean[] reducedAxes(NodeView view) {
        int rank = view.shape(0).rank();
        Optional<long[]> axes = view.integers(1);
        if (axes.isEmpty() || axes.get().length == 0) {
            boolean[] all = new boolean[rank];
            java.util.Arrays.fill(all, true);
            return all;
        }
        return view.axes(axes.get(), rank);
    }
}
