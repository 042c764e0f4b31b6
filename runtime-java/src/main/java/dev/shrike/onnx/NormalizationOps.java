package dev.shrike.onnx;

import dev.shrike.graph.Op;
import dev.shrike.graph.Window;
import java.util.stream.LongStream;

/** Normalisations as means, differences and quotients. */
final class NormalizationOps {
    private NormalizationOps() {}

    /** J. Ba et al., "Layer normalization" (2016): over all dimensions from the axis on. */
    static Op layer(NodeDraft draft) {
        draft.attributes().ignore("stash_type");
        draft.expect(2, 3);
        Expansion nodes = new Expansion(draft);
        String x = draft.input(0);
        String axes = fromAxisOn(draft, nodes, x);
        String normal = normalized(nodes, x, axes, draft.attributes().floating("epsilon", 1e-5f));
        return scaled(nodes, normal, draft.input(1), draft.input(2));
    }

    /** B. Zhang and R. Sennrich, "Root mean square layer normalization" (2019). */
    static Op rootMeanSquare(NodeDraft draft) {
        draft.attributes().ignore("stash_type");
        draft.expect(2, 2);
        Expansion nodes = new Expansion(draft);
        String x = draft.input(0);
        String axes = fromAxisOn(draft, nodes, x);
        String root = rootOfMeanSquare(nodes, x, axes, draft.attributes().floating("epsilon", 1e-5f));
        return scaled(nodes, nodes.binary("normal", Op.Binary.Kind.DIV, x, root), draft.input(1), "");
    }

    private static String fromAxisOn(NodeDraft draft, Expansion nodes, String x) {
        int axis = draft.attributes().integer("axis", -1);
        long end = axis < 0 ? 0 : nodes.rank(x);
        if (axis >= end) {
            throw draft.broken("attribute 'axis' is " + axis + " for " + end + " dimensions");
        }
        return nodes.vector("axes", LongStream.range(axis, end).toArray());
    }

    static Op instance(NodeDraft draft) {
        draft.expect(3, 3);
        Expansion nodes = new Expansion(draft);
        String x = draft.input(0);
        String normal = normalized(nodes, x, nodes.spatialAxes("axes", x),
                draft.attributes().floating("epsilon", 1e-5f));
        int behind = nodes.rank(x) - 2;
        return scaled(nodes, normal, nodes.perChannel("scale", draft.input(1), behind),
                nodes.perChannel("bias", draft.input(2), behind));
    }

    /** Y. Wu and K. He, "Group normalization" (2018); scales were per group before opset 21. */
    static Op group(NodeDraft draft) {
        draft.attributes().ignore("stash_type");
        draft.expect(3, 3);
        int groups = draft.attributes().requiredInteger("num_groups");
        if (groups < 1) {
            throw draft.broken("attribute 'num_groups' is " + groups + ", must be positive");
        }
        Expansion nodes = new Expansion(draft);
        String x = draft.input(0);
        int behind = nodes.rank(x) - 2;
        String grouped = nodes.node("grouped", new Op.Reshape(false), x, nodes.vector("groups", 0, groups, -1));
        String normal = normalized(nodes, grouped, nodes.vector("axes", 2),
                draft.attributes().floating("epsilon", 1e-5f));
        String shape = nodes.sizes("shape", x, 0, Integer.MAX_VALUE);
        if (draft.scope().opset() >= 21) {
            String back = nodes.node("back", new Op.Reshape(true), normal, shape);
            return scaled(nodes, back, nodes.perChannel("scale", draft.input(1), behind),
                    nodes.perChannel("bias", draft.input(2), behind));
        }
        String product = nodes.binary("scaled", Op.Binary.Kind.MUL, normal,
                nodes.perChannel("scale", draft.input(1), 1));
        String sum = nodes.binary("shifted", Op.Binary.Kind.ADD, product,
                nodes.perChannel("bias", draft.input(2), 1));
        return nodes.last(new Op.Reshape(true), sum, shape);
    }

    static Op meanVariance(NodeDraft draft) {
        draft.expect(1, 1);
        long[] axes = draft.attributes().integers("axes").orElse(new long[] {0, 2, 3});
        Expansion nodes = new Expansion(draft);
        String x = draft.input(0);
        String named = nodes.vector("axes", axes);
        String difference = difference(nodes, x, named);
        String root = nodes.unary("root", Op.Unary.Kind.SQRT, meanSquare(nodes, difference, named));
        String divisor = nodes.binary("divisor", Op.Binary.Kind.ADD, root, nodes.number("epsilon", 1e-9, x));
        return nodes.last(new Op.Binary(Op.Binary.Kind.DIV), difference, divisor);
    }

    /** By the sum of magnitudes or the root of the sum of squares; zeros stay zeros. */
    static Op lp(NodeDraft draft) {
        draft.expect(1, 1);
        int p = draft.attributes().integer("p", 2);
        if (p != 1 && p != 2) {
            throw draft.broken("attribute 'p' is " + p + ", must be 1 or 2");
        }
        Expansion nodes = new Expansion(draft);
        String x = draft.input(0);
        String axes = nodes.vector("axes", draft.attributes().integer("axis", -1));
        String sum = nodes.reduce("sum", Op.Reduce.Kind.SUM, ReductionOps.powers(nodes, x, p), axes);
        String norm = p == 1 ? sum : nodes.unary("norm", Op.Unary.Kind.SQRT, sum);
        String divisor = nodes.binary("divisor", Op.Binary.Kind.MAX, norm, nodes.number("least", 1e-30, x));
        return nodes.last(new Op.Binary(Op.Binary.Kind.DIV), x, divisor);
    }

    /**
     * A. Krizhevsky et al., "ImageNet classification with deep convolutional neural networks" (2012): by the mean
     * square of neighbouring channels, which an AveragePool over images of channels by pixels gives.
     */
    static Op acrossChannels(NodeDraft draft) {
        draft.expect(1, 1);
        int size = draft.attributes().requiredInteger("size");
        float alpha = draft.attributes().floating("alpha", 1e-4f);
        float beta = draft.attributes().floating("beta", 0.75f);
        float bias = draft.attributes().floating("bias", 1);
        Expansion nodes = new Expansion(draft);
        String x = draft.input(0);
        int rank = nodes.rank(x);
        if (size < 1 || rank < 3) {
            throw draft.broken("attribute 'size' is " + size + " for " + rank + " dimensions");
        }
        long[] flat = new long[4];
        flat[3] = -1;
        String planes = nodes.node("planes", new Op.Unsqueeze(), ReductionOps.powers(nodes, x, 2),
                nodes.vector("plane", 1));
        String images = nodes.node("pictures", new Op.Reshape(false), planes, nodes.vector("flat", flat));
        Window window = new Window(size, 1, 1, 1, (size - 1) / 2, 0, size / 2, 0, 1, 1, Window.AutoPad.EXPLICIT);
        String mean = nodes.node("mean", new Op.AveragePool(window, false, true), images);
        String scaled = nodes.binary("scaled", Op.Binary.Kind.MUL, mean, nodes.number("alpha", alpha, x));
        String sum = nodes.binary("sum", Op.Binary.Kind.ADD, scaled, nodes.number("bias", bias, x));
        String power = nodes.binary("power", Op.Binary.Kind.POW, sum, nodes.number("beta", beta, x));
        String back = nodes.node("back", new Op.Reshape(true), power,
                nodes.sizes("shape", x, 0, Integer.MAX_VALUE));
        return nodes.last(new Op.Binary(Op.Binary.Kind.DIV), x, back);
    }

    private static String normalized(Expansion nodes, String x, String axes, float epsilon) {
        String difference = difference(nodes, x, axes);
        return nodes.binary("normal", Op.Binary.Kind.DIV, difference,
                rootOfMeanSquare(nodes, difference, axes, epsilon));
    }

    private static String difference(Expansion nodes, String x, String axes) {
        return nodes.binary("difference", Op.Binary.Kind.SUB, x, nodes.reduce("mean", Op.Reduce.Kind.MEAN, x, axes));
    }

    private static String rootOfMeanSquare(Expansion nodes, String x, String axes, float epsilon) {
        String sum = nodes.binary("variance", Op.Binary.Kind.ADD, meanSquare(nodes, x, axes),
                nodes.number("epsilon", epsilon, x));
        return nodes.unary("deviation", Op.Unary.Kind.SQRT, sum);
    }

    private static String meanSquare(Expansion nodes, String x, String axes) {
        return nodes.reduce("mean_square", Op.Reduce.Kind.MEAN, ReductionOps.powers(nodes, x, 2), axes);
    }

    /** The product with the scale and, if there is one, the sum with the bias as the draft's own node. */
    private static Op scaled(Expansion nodes, String normal, String scale, String bias) {
        if (bias.isEmpty()) {
            return nodes.last(new Op.Binary(Op.Binary.Kind.MUL), normal, scale);
        }
        String product = nodes.binary("scaled", Op.Binary.Kind.MUL, normal, scale);
        return nodes.last(new Op.Binary(Op.Binary.Kind.ADD), product, bias);
    }
}
