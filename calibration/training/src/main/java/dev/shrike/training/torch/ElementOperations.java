package dev.shrike.training.torch;

import dev.shrike.graph.Op;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Element-wise operations on tensors. */
final class ElementOperations {
    private ElementOperations() {}

    static Tensor unary(Op.Unary unary, Tensor x) {
        Scalar alpha = Tensors.scalar(unary.alpha());
        return switch (unary.kind()) {
            case SIGMOID -> x.sigmoid();
            case SILU -> torch.silu(x);
            case RELU -> x.relu();
            case LEAKY_RELU -> torch.leaky_relu(x, alpha);
            case HARD_SIGMOID -> between(x.mul(alpha).add(Tensors.scalar(unary.beta())), 0, 1);
            case HARD_SWISH -> x.mul(between(x.div(Tensors.scalar(6)).add(Tensors.scalar(0.5)), 0, 1));
            case TANH -> x.tanh();
            case EXP -> x.exp();
            case LOG -> x.log();
            case SQRT -> x.sqrt();
            case NEG -> x.neg();
            case ABS -> x.abs();
            case FLOOR -> x.floor();
            case CEIL -> x.ceil();
            case ROUND -> x.round();
            case RECIPROCAL -> x.reciprocal();
            case SIGN -> x.sign();
            case ERF -> x.erf();
            case SOFTPLUS -> torch.softplus(x);
            case MISH -> torch.mish(x);
            case ELU -> torch.elu(x, alpha, Tensors.scalar(1), Tensors.scalar(1));
            case SELU -> torch.elu(x, alpha, Tensors.scalar(unary.beta()), Tensors.scalar(1));
            case CELU -> torch.celu(x, alpha);
            case GELU -> torch.gelu(x);
            case GELU_TANH -> torch.gelu(x, "tanh");
            case SOFTSIGN -> x.div(x.abs().add(Tensors.scalar(1)));
            case THRESHOLDED_RELU -> torch.threshold(x, alpha, Tensors.scalar(0));
            case SIN -> x.sin();
            case COS -> x.cos();
            case ATAN -> x.atan();
            case NOT -> throw new IllegalStateException("NOT of a real number");
        };
    }

    private static Tensor between(Tensor x, double low, double high) {
        return torch.clamp(x, new ScalarOptional(Tensors.scalar(low)), new ScalarOptional(Tensors.scalar(high)));
    }

    static Tensor binary(Op.Binary binary, Tensor x, Tensor y) {
        return switch (binary.kind()) {
            case ADD -> x.add(y);
            case SUB -> x.sub(y);
            case MUL -> x.mul(y);
            case DIV -> x.div(y);
            case POW -> x.pow(y);
            case MIN -> x.minimum(y);
            case MAX -> x.maximum(y);
            case PRELU -> x.relu().sub(y.mul(x.neg().relu()));
            case MOD, EQUAL, GREATER, GREATER_OR_EQUAL, LESS, LESS_OR_EQUAL, AND, OR, XOR ->
                throw new IllegalStateException(binary.kind() + " has no gradient");
        };
    }
}
