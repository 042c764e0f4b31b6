package dev.shrike.onnx;

import dev.shrike.graph.Op;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/** Operators of ONNX Runtime's own domain that its optimiser makes of ONNX's. */
final class MicrosoftOps {
    static final String DOMAIN = "com.microsoft";

    private MicrosoftOps() {}

    static Op read(NodeDraft draft) {
        return switch (draft.opType()) {
            case "FusedConv" -> fusedConvolution(draft);
            case "FusedGemm" -> fusedGemm(draft);
            case "FusedMatMul" -> fusedMatMul(draft);
            case "Gelu" -> plain(draft, Op.Unary.Kind.GELU);
            case "BiasGelu" -> biased(draft, Op.Unary.Kind.GELU);
            case "FastGelu" -> draft.hasInput(1) ? biased(draft, Op.Unary.Kind.GELU_TANH)
                    : plain(draft, Op.Unary.Kind.GELU_TANH);
            case "QuickGelu" -> ActivationOps.swish(draft, draft.attributes().floating("alpha", 1.702f));
            default -> throw draft.unsupported("Shrike does not have this operator; " + Advice.of(draft));
        };
    }

    private static Op plain(NodeDraft draft, Op.Unary.Kind kind) {
        draft.expect(1, 1);
        return Op.Unary.of(kind);
    }

    private static Op biased(NodeDraft draft, Op.Unary.Kind kind) {
        draft.expect(2, 2);
        Expansion nodes = new Expansion(draft);
        String sum = nodes.binary("sum", Op.Binary.Kind.ADD, draft.input(0), draft.input(1));
        return nodes.last(Op.Unary.of(kind), sum);
    }

    /** Convolution, sum with the residual, then the activation. */
    private static Op fusedConvolution(NodeDraft draft) {
        draft.expect(2, 4);
        String name = draft.attributes().string("activation", "");
        float[] parameters = draft.attributes().floats("activation_params").orElse(new float[0]);
        Op.Conv conv = WindowOps.plainConvolution(draft);
        Expansion nodes = new Expansion(draft);
        String sum = nodes.node("conv", conv,
                draft.inputs().subList(0, Math.min(3, draft.inputs().size())).toArray(String[]::new));
        if (draft.hasInput(3)) {
            sum = nodes.binary("sum", Op.Binary.Kind.ADD, sum, draft.input(3));
        }
        if (name.isEmpty()) {
            return nodes.last(new Op.Identity(), sum);
        }
        if (!name.equals("Clip")) {
            return nodes.last(function(draft, name, parameters.length > 0 ? parameters[0] : Float.NaN,
                    parameters.length > 1 ? parameters[1] : Float.NaN), sum);
        }
        if (parameters.length != 2) {
            throw draft.broken("attribute 'activation_params' has " + parameters.length + " numbers, a Clip two");
        }
        return nodes.last(new Op.Clip(), sum, nodes.number("min", parameters[0], sum),
                nodes.number("max", parameters[1], sum));
    }

    private static Op fusedGemm(NodeDraft draft) {
        draft.expect(2, 3);
        Attributes attributes = draft.attributes();
        Op.Gemm gemm = new Op.Gemm(
                attributes.floating("alpha", 1),
                attributes.floating("beta", 1),
                attributes.flag("transA", false),
                attributes.flag("transB", false));
        String name = attributes.string("activation", "");
        float alpha = attributes.floating("activation_alpha", Float.NaN);
        float beta = attributes.floating("activation_beta", Float.NaN);
        attributes.ignore("activation_gamma");
        Op.Unary activation = function(draft, name, alpha, beta);
        Expansion nodes = new Expansion(draft);
        String product = nodes.node("product", gemm, draft.inputs().toArray(String[]::new));
        return nodes.last(activation, product);
    }

    private static Op fusedMatMul(NodeDraft draft) {
        draft.expect(2, 2);
        Attributes attributes = draft.attributes();
        if (attributes.flag("transBatchA", false) || attributes.flag("transBatchB", false)) {
            throw draft.unsupported("transBatchA and transBatchB are not supported; " + Advice.of(draft));
        }
        float alpha = attributes.floating("alpha", 1);
        Expansion nodes = new Expansion(draft);
        String a = turned(nodes, "left", draft.input(0), attributes.flag("transA", false));
        String b = turned(nodes, "right", draft.input(1), attributes.flag("transB", false));
        if (alpha == 1) {
            return nodes.last(new Op.MatMul(), a, b);
        }
        String product = nodes.node("product", new Op.MatMul(), a, b);
        return nodes.last(new Op.Binary(Op.Binary.Kind.MUL), product, nodes.number("alpha", alpha, product));
    }

    private static String turned(Expansion nodes, String role, String value, boolean turns) {
        if (!turns) {
            return value;
        }
        int rank = nodes.rank(value);
        List<Integer> order = new ArrayList<>(IntStream.range(0, rank).boxed().toList());
        if (rank >= 2) {
            Collections.swap(order, rank - 1, rank - 2);
        }
        return nodes.transpose(role, value, order);
    }

    private static Op.Unary function(NodeDraft draft, String name, float alpha, float beta) {
        return switch (name) {
            case "Relu" -> Op.Unary.of(Op.Unary.Kind.RELU);
            case "Sigmoid" -> Op.Unary.of(Op.Unary.Kind.SIGMOID);
            case "Tanh" -> Op.Unary.of(Op.Unary.Kind.TANH);
            case "HardSwish" -> Op.Unary.of(Op.Unary.Kind.HARD_SWISH);
            case "LeakyRelu" -> new Op.Unary(Op.Unary.Kind.LEAKY_RELU, or(alpha, 0.01f), 0);
            case "HardSigmoid" -> new Op.Unary(Op.Unary.Kind.HARD_SIGMOID, or(alpha, 0.2f), or(beta, 0.5f));
            default -> throw draft.unsupported("the activation '" + name + "' is not supported; " + Advice.of(draft));
        };
    }

    private static float or(float value, float otherwise) {
        return Float.isNaN(value) ? otherwise : value;
    }
}
