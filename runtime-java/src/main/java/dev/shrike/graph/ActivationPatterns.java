package dev.shrike.graph;

import java.util.List;
import java.util.Optional;

/** Ways in which exporters write activation functions. */
public final class ActivationPatterns {
    /** How far a constant may be off: 1/6 in half precision is off by 2.4e-4 of itself. */
    private static final double TOLERANCE = 3e-4;

    private ActivationPatterns() {}

    /**
     * An activation found.
     *
     * @param op what computes it in one node
     * @param input what it is computed of
     * @param inner nodes that are no longer needed, besides the one that gives the result
     */
    public record Match(Op.Unary op, String input, List<Node> inner) {}

    /** The activation whose result this node gives. */
    public static Optional<Match> match(Links links, Node node) {
        return silu(links, node)
                .or(() -> mish(links, node))
                .or(() -> gelu(links, node))
                .or(() -> hardSwishByHardSigmoid(links, node))
                .or(() -> hardSwishDividedLast(links, node))
                .or(() -> hardSigmoid(links, node));
    }

    /** {@code x * sigmoid(x)}. */
    private static Optional<Match> silu(Links links, Node node) {
        for (int i = 0; i < 2 && isBinary(node, Op.Binary.Kind.MUL); i++) {
            Node gate = inner(links, node.input(i));
            if (gate != null && gate.op() instanceof Op.Unary unary && unary.kind() == Op.Unary.Kind.SIGMOID
                    && gate.input(0).equals(node.input(1 - i))) {
                return Optional.of(new Match(Op.Unary.of(Op.Unary.Kind.SILU), gate.input(0), List.of(gate)));
            }
        }
        return Optional.empty();
    }

    /** {@code x * tanh(softplus(x))}. */
    private static Optional<Match> mish(Links links, Node node) {
        for (int i = 0; i < 2 && isBinary(node, Op.Binary.Kind.MUL); i++) {
            Node tangent = inner(links, node.input(i));
            Node softplus = isUnary(tangent, Op.Unary.Kind.TANH) ? inner(links, tangent.input(0)) : null;
            if (isUnary(softplus, Op.Unary.Kind.SOFTPLUS) && softplus.input(0).equals(node.input(1 - i))) {
                return Optional.of(new Match(Op.Unary.of(Op.Unary.Kind.MISH), softplus.input(0),
                        List.of(tangent, softplus)));
            }
        }
        return Optional.empty();
    }

    /** {@code x * (1 + erf(x / sqrt(2))) / 2}, halved before or after the other product. */
    private static Optional<Match> gelu(Links links, Node node) {
        for (int i = 0; i < 2 && isBinary(node, Op.Binary.Kind.MUL); i++) {
            Node other = inner(links, node.input(i));
            if (other == null || !isBinary(other, Op.Binary.Kind.MUL)) {
                continue;
            }
            for (int j = 0; j < 2; j++) {
                Optional<Match> match = Optional.empty();
                if (isScalarConstant(links, node.input(1 - i), 0.5)) {
                    match = gelu(links, other.input(j), other.input(1 - j), other);
                } else if (isScalarConstant(links, other.input(j), 0.5)) {
                    match = gelu(links, other.input(1 - j), node.input(1 - i), other);
                    match = match.isPresent() ? match : gelu(links, node.input(1 - i), other.input(1 - j), other);
                }
                if (match.isPresent()) {
                    return match;
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<Match> gelu(Links links, String x, String factor, Node product) {
        Node sum = inner(links, factor);
        for (int i = 0; i < 2 && sum != null && isBinary(sum, Op.Binary.Kind.ADD); i++) {
            Node erf = inner(links, sum.input(i));
            Node scaled = isUnary(erf, Op.Unary.Kind.ERF) ? inner(links, erf.input(0)) : null;
            if (scaled == null || !isScalarConstant(links, sum.input(1 - i), 1)) {
                continue;
            }
            boolean divided = isBinary(scaled, Op.Binary.Kind.DIV) && scaled.input(0).equals(x)
                    && isScalarConstant(links, scaled.input(1), Math.sqrt(2));
            boolean multiplied = isBinary(scaled, Op.Binary.Kind.MUL)
                    && (scaled.input(0).equals(x) && isScalarConstant(links, scaled.input(1), Math.sqrt(0.5))
                            || scaled.input(1).equals(x) && isScalarConstant(links, scaled.input(0), Math.sqrt(0.5)));
            if (divided || multiplied) {
                return Optional.of(new Match(Op.Unary.of(Op.Unary.Kind.GELU), x,
                        List.of(product, sum, erf, scaled)));
            }
        }
        return Optional.empty();
    }

    /** {@code x * hardSigmoid(x, 1/6, 1/2)}. */
    private static Optional<Match> hardSwishByHardSigmoid(Links links, Node node) {
        for (int i = 0; i < 2 && isBinary(node, Op.Binary.Kind.MUL); i++) {
            Node gate = inner(links, node.input(i));
            if (gate != null && gate.op() instanceof Op.Unary unary && unary.kind() == Op.Unary.Kind.HARD_SIGMOID
                    && near(unary.alpha(), 1 / 6.0) && near(unary.beta(), 0.5)
                    && gate.input(0).equals(node.input(1 - i))) {
                return Optional.of(new Match(Op.Unary.of(Op.Unary.Kind.HARD_SWISH), gate.input(0), List.of(gate)));
            }
        }
        return Optional.empty();
    }

    /** {@code x * clip(x + 3, 0, 6) / 6}, where the division comes last. */
    private static Optional<Match> hardSwishDividedLast(Links links, Node node) {
        Node product = inner(links, sixthOf(links, node));
        for (int i = 0; i < 2 && product != null && isBinary(product, Op.Binary.Kind.MUL); i++) {
            Node clip = inner(links, product.input(i));
            Node sum = clip == null ? null : shifted(links, clip);
            if (sum != null && shiftedValue(links, sum).equals(product.input(1 - i))) {
                return Optional.of(new Match(Op.Unary.of(Op.Unary.Kind.HARD_SWISH), product.input(1 - i),
                        List.of(product, clip, sum)));
            }
        }
        return Optional.empty();
    }

    /** {@code clip(x + 3, 0, 6) / 6}. */
    private static Optional<Match> hardSigmoid(Links links, Node node) {
        Node clip = inner(links, sixthOf(links, node));
        Node sum = clip == null ? null : shifted(links, clip);
        return sum == null ? Optional.empty()
                : Optional.of(new Match(new Op.Unary(Op.Unary.Kind.HARD_SIGMOID, 1 / 6f, 0.5f),
                        shiftedValue(links, sum), List.of(clip, sum)));
    }

    /** The node that adds 3 to a value of which {@code clip} takes what is within 0 and 6, or null. */
    private static Node shifted(Links links, Node clip) {
        if (!(clip.op() instanceof Op.Clip) || links.scalar(clip.input(1)) != 0
                || links.scalar(clip.input(2)) != 6) {
            return null;
        }
        Node sum = inner(links, clip.input(0));
        return sum != null && isBinary(sum, Op.Binary.Kind.ADD) && !shiftedValue(links, sum).isEmpty() ? sum : null;
    }

    /** What 3 is added to, or the empty name. */
    private static String shiftedValue(Links links, Node sum) {
        if (isScalarConstant(links, sum.input(1), 3)) {
            return sum.input(0);
        }
        return isScalarConstant(links, sum.input(0), 3) ? sum.input(1) : "";
    }

    /** What this node takes a sixth of, or the empty name. */
    private static String sixthOf(Links links, Node node) {
        if (isBinary(node, Op.Binary.Kind.DIV) && isScalarConstant(links, node.input(1), 6)) {
            return node.input(0);
        }
        for (int i = 0; i < 2 && isBinary(node, Op.Binary.Kind.MUL); i++) {
            if (isScalarConstant(links, node.input(i), 1 / 6.0)) {
                return node.input(1 - i);
            }
        }
        return "";
    }

    /** The activation that this node applies to its first input, if a convolution can apply it. */
    public static Optional<Activation> activation(Links links, Node node) {
        if (node.op() instanceof Op.Clip) {
            return clip(links, node);
        }
        if (!(node.op() instanceof Op.Unary unary)) {
            return Optional.empty();
        }
        return switch (unary.kind()) {
            case SIGMOID -> Optional.of(Activation.of(Activation.Kind.SIGMOID));
            case SILU -> Optional.of(Activation.SILU);
            case RELU -> Optional.of(Activation.of(Activation.Kind.RELU));
            case LEAKY_RELU -> Optional.of(new Activation(Activation.Kind.LEAKY_RELU, unary.alpha(), 0));
            case HARD_SIGMOID ->
                Optional.of(new Activation(Activation.Kind.HARD_SIGMOID, unary.alpha(), unary.beta()));
            case HARD_SWISH -> Optional.of(Activation.of(Activation.Kind.HARD_SWISH));
            case TANH -> Optional.of(Activation.of(Activation.Kind.TANH));
            case EXP, LOG, SQRT, NEG, ABS, FLOOR, CEIL, ROUND, RECIPROCAL, SIGN, NOT, ERF, SOFTPLUS, MISH,
                    ELU, SELU, CELU, GELU, GELU_TANH, SOFTSIGN, THRESHOLDED_RELU, SIN, COS, ATAN ->
                Optional.empty();
        };
    }

    /** ONNX gives the upper bound to all where it is below the lower one. */
    private static Optional<Activation> clip(Links links, Node node) {
        float low = node.hasInput(1) ? links.scalar(node.input(1)) : Float.NEGATIVE_INFINITY;
        float high = node.hasInput(2) ? links.scalar(node.input(2)) : Float.POSITIVE_INFINITY;
        return Float.isNaN(low) || Float.isNaN(high)
                ? Optional.empty() : Optional.of(new Activation(Activation.Kind.CLIP, Math.min(low, high), high));
    }

    /** The writer of a value that only one node reads, or null. */
    private static Node inner(Links links, String name) {
        return links.hasSingleReader(name) ? links.writer(name) : null;
    }

    private static boolean isUnary(Node node, Op.Unary.Kind kind) {
        return node != null && node.op() instanceof Op.Unary unary && unary.kind() == kind;
    }

    private static boolean isBinary(Node node, Op.Binary.Kind kind) {
        return node.op() instanceof Op.Binary binary && binary.kind() == kind;
    }

    /** Whether the name is a constant of that single value, of a rank that broadcasts without adding dimensions. */
    private static boolean isScalarConstant(Links links, String name, double value) {
        Tensor tensor = links.constant(name);
        return tensor != null && tensor.shape().rank() <= 1 && near(links.scalar(name), value);
    }

    private static boolean near(double value, double wanted) {
        return Math.abs(value - wanted) <= TOLERANCE * Math.abs(wanted);
    }
}
