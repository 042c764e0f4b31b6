package dev.shrike.onnx;

import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.Window;
import java.util.OptionalInt;
import java.util.stream.LongStream;

/** Reductions, norms and pooling that are sums or maxima of something simple. */
final class ReductionOps {
    private ReductionOps() {}

    static Op globalMaxPool(NodeDraft draft) {
        draft.expect(1, 1);
        Expansion nodes = new Expansion(draft);
        String x = draft.input(0);
        return nodes.last(new Op.Reduce(Op.Reduce.Kind.MAX, true), x, nodes.spatialAxes("axes", x));
    }

    static Op globalLpPool(NodeDraft draft) {
        draft.expect(1, 1);
        int p = power(draft);
        Expansion nodes = new Expansion(draft);
        String x = draft.input(0);
        String powers = powers(nodes, x, p);
        String sum = nodes.reduce("sum", Op.Reduce.Kind.SUM, powers, nodes.spatialAxes("axes", x));
        return root(nodes, sum, p);
    }

    /** The mean that an AveragePool gives, times the number of elements in the window. */
    static Op lpPool(NodeDraft draft) {
        draft.expect(1, 1);
        int p = power(draft);
        if (draft.attributes().flag("ceil_mode", false)) {
            throw draft.unsupported("ceil_mode is not supported here; export with ceil_mode=False");
        }
        if (draft.attributes().length("kernel_shape") == 1) {
            throw draft.unsupported("a window over one dimension is not supported here");
        }
        Window window = WindowOps.pool(draft);
        Expansion nodes = new Expansion(draft);
        String x = draft.input(0);
        String mean = nodes.node("mean", new Op.AveragePool(window, false, true), powers(nodes, x, p));
        String sum = nodes.binary("sum", Op.Binary.Kind.MUL, mean,
                nodes.number("area", (double) window.kernelHeight() * window.kernelWidth(), x));
        return root(nodes, sum, p);
    }

    private static int power(NodeDraft draft) {
        int p = draft.attributes().integer("p", 2);
        if (p < 1) {
            throw draft.broken("attribute 'p' is " + p + ", must be positive");
        }
        return p;
    }

    /** {@code |x|^p}. */
    static String powers(Expansion nodes, String x, int p) {
        if (p == 2) {
            return nodes.binary("square", Op.Binary.Kind.MUL, x, x);
        }
        String magnitude = nodes.unary("abs", Op.Unary.Kind.ABS, x);
        return p == 1 ? magnitude
                : nodes.binary("power", Op.Binary.Kind.POW, magnitude, nodes.number("p", p, x));
    }

    /** The p-th root as the draft's own node. */
    private static Op root(Expansion nodes, String sum, int p) {
        return switch (p) {
            case 1 -> nodes.last(new Op.Identity(), sum);
            case 2 -> nodes.last(Op.Unary.of(Op.Unary.Kind.SQRT), sum);
            default -> nodes.last(new Op.Binary(Op.Binary.Kind.POW), sum, nodes.number("root", 1.0 / p, sum));
        };
    }

    static Op reduce(NodeDraft draft) {
        draft.attributes().integers("axes").ifPresent(axes -> draft.setConstant(1, "axes", Tensor.vector(axes)));
        draft.expect(1, 2);
        boolean keep = draft.attributes().flag("keepdims", true);
        boolean noAxes = !draft.hasInput(1) || draft.constant(1).filter(axes -> axes.elements() == 0).isPresent();
        if (draft.attributes().flag("noop_with_empty_axes", false) && noAxes) {
            throw draft.unsupported("noop_with_empty_axes without axes is not supported");
        }
        Expansion nodes = new Expansion(draft);
        String x = draft.input(0);
        String axes = noAxes ? "" : draft.input(1);
        Op.Reduce sum = new Op.Reduce(Op.Reduce.Kind.SUM, keep);
        return switch (draft.opType()) {
            case "ReduceL1" -> nodes.last(sum, nodes.unary("abs", Op.Unary.Kind.ABS, x), axes);
            case "ReduceSumSquare" -> nodes.last(sum, powers(nodes, x, 2), axes);
            case "ReduceL2" -> nodes.last(Op.Unary.of(Op.Unary.Kind.SQRT),
                    nodes.node("sum", sum, powers(nodes, x, 2), axes));
            case "ReduceLogSum" ->
                nodes.last(Op.Unary.of(Op.Unary.Kind.LOG), nodes.node("sum", sum, x, axes));
            default -> {
                // The sum over dimensions of size 1 only drops them.
                String kept = logSumExp(nodes, x, axes);
                yield nodes.last(sum, kept, axes);
            }
        };
    }

    /** {@code m + log(sum(exp(x - m)))} with the largest element m, which overflows nowhere. */
    private static String logSumExp(Expansion nodes, String x, String axes) {
        String most = nodes.reduce("most", Op.Reduce.Kind.MAX, x, axes);
        String below = nodes.binary("below", Op.Binary.Kind.SUB, x, most);
        String sum = nodes.reduce("sum", Op.Reduce.Kind.SUM, nodes.unary("exp", Op.Unary.Kind.EXP, below), axes);
        return nodes.binary("all", Op.Binary.Kind.ADD, nodes.unary("log", Op.Unary.Kind.LOG, sum), most);
    }

    static Op logSoftmax(NodeDraft draft) {
        draft.expect(1, 1);
        ReadScope scope = draft.scope();
        Expansion nodes = new Expansion(draft);
        String x = draft.input(0);
        int axis = draft.attributes().integer("axis", scope.opset() < 13 ? 1 : -1);
        long[] axes = {axis};
        if (scope.opset() < 13 && axis != -1) {
            // All dimensions from the axis on, as if the input were flattened to a matrix.
            int rank = nodes.rank(x);
            axes = LongStream.range(axis < 0 ? axis + rank : axis, rank).toArray();
        }
        String all = logSumExp(nodes, x, nodes.vector("axes", axes));
        return nodes.last(new Op.Binary(Op.Binary.Kind.SUB), x, all);
    }

    /** The mean of any number of inputs, which broadcast. */
    static Op mean(NodeDraft draft) {
        int count = draft.inputs().size();
        draft.expect(Math.max(1, count), Integer.MAX_VALUE);
        if (count == 1) {
            return new Op.Identity();
        }
        Expansion nodes = new Expansion(draft);
        String sum = draft.input(0);
        for (int i = 1; i < count; i++) {
            sum = nodes.binary("partial", Op.Binary.Kind.ADD, sum, draft.input(i));
        }
        return nodes.last(new Op.Binary(Op.Binary.Kind.DIV), sum, nodes.number("count", count, sum));
    }

    static Op size(NodeDraft draft) {
        draft.expect(1, 1);
        Expansion nodes = new Expansion(draft);
        String x = draft.input(0);
        OptionalInt rank = draft.scope().rank(x);
        if (rank.isPresent() && rank.getAsInt() == 0) {
            String one = nodes.constant("one", Tensor.ofLongs(dev.shrike.graph.Shape.of(), 1));
            return nodes.last(new Op.Identity(), one);
        }
        return nodes.last(new Op.Reduce(Op.Reduce.Kind.PROD, false),
                nodes.sizes("shape", x, 0, Integer.MAX_VALUE));
    }
}
