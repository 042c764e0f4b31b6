package dev.shrike.onnx;

import dev.shrike.graph.Op;

/** Activation functions with variants. */
final class ActivationOps {
    private ActivationOps() {}

    /** Exact or, with {@code approximate} tanh, by D. Hendrycks and K. Gimpel's formula (arXiv 1606.08415). */
    static Op gelu(NodeDraft draft) {
        String approximate = draft.attributes().string("approximate", "none");
        return switch (approximate) {
            case "none" -> Op.Unary.of(Op.Unary.Kind.GELU);
            case "tanh" -> Op.Unary.of(Op.Unary.Kind.GELU_TANH);
            default -> throw draft.broken("attribute 'approximate' is '" + approximate + "', must be none or tanh");
        };
    }

    /** {@code x * sigmoid(alpha * x)}. */
    static Op swish(NodeDraft draft, float alpha) {
        draft.expect(1, 1);
        if (alpha == 1) {
            return Op.Unary.of(Op.Unary.Kind.SILU);
        }
        Expansion nodes = new Expansion(draft);
        String x = draft.input(0);
        String scaled = nodes.binary("scaled", Op.Binary.Kind.MUL, x, nodes.number("alpha", alpha, x));
        String gate = nodes.unary("gate", Op.Unary.Kind.SIGMOID, scaled);
        return nodes.last(new Op.Binary(Op.Binary.Kind.MUL), x, gate);
    }
}
