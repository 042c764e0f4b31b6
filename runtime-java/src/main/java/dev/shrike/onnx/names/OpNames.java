package dev.shrike.onnx.names;

import dev.shrike.graph.Op;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** ONNX's names of the operators that differ only in the function they apply. */
public final class OpNames {
    private static final Map<String, Op.Unary.Kind> UNARY = index(Op.Unary.Kind.values(), OpNames::of);
    private static final Map<String, Op.Binary.Kind> BINARY = index(Op.Binary.Kind.values(), OpNames::of);
    private static final Map<String, Op.Reduce.Kind> REDUCE = index(Op.Reduce.Kind.values(), OpNames::of);

    private OpNames() {}

    public static Optional<Op.Unary.Kind> unary(String opType) {
        return Optional.ofNullable(UNARY.get(opType));
    }

    public static Optional<Op.Binary.Kind> binary(String opType) {
        return Optional.ofNullable(BINARY.get(opType));
    }

    public static Optional<Op.Reduce.Kind> reduce(String opType) {
        return Optional.ofNullable(REDUCE.get(opType));
    }

    /**
     * The operator of that function; empty for SiLU, which ONNX up to opset 23 writes as Sigmoid and Mul, and for the
     * second function of Gelu.
     */
    public static String of(Op.Unary.Kind kind) {
        return switch (kind) {
            case SIGMOID -> "Sigmoid";
            case SILU -> "";
            case RELU -> "Relu";
            case LEAKY_RELU -> "LeakyRelu";
            case HARD_SIGMOID -> "HardSigmoid";
            case HARD_SWISH -> "HardSwish";
            case TANH -> "Tanh";
            case EXP -> "Exp";
            case LOG -> "Log";
            case SQRT -> "Sqrt";
            case NEG -> "Neg";
            case ABS -> "Abs";
            case FLOOR -> "Floor";
            case CEIL -> "Ceil";
            case ROUND -> "Round";
            case RECIPROCAL -> "Reciprocal";
            case SIGN -> "Sign";
            case NOT -> "Not";
            case ERF -> "Erf";
            case SOFTPLUS -> "Softplus";
            case MISH -> "Mish";
            case ELU -> "Elu";
            case SELU -> "Selu";
            case CELU -> "Celu";
            case GELU -> "Gelu";
            case GELU_TANH -> "";
            case SOFTSIGN -> "Softsign";
            case THRESHOLDED_RELU -> "ThresholdedRelu";
            case SIN -> "Sin";
            case COS -> "Cos";
            case ATAN -> "Atan";
        };
    }

    public static String of(Op.Binary.Kind kind) {
        return switch (kind) {
            case ADD -> "Add";
            case SUB -> "Sub";
            case MUL -> "Mul";
            case DIV -> "Div";
            case POW -> "Pow";
            case MIN -> "Min";
            case MAX -> "Max";
            case MOD -> "Mod";
            case EQUAL -> "Equal";
            case GREATER -> "Greater";
            case GREATER_OR_EQUAL -> "GreaterOrEqual";
            case LESS -> "Less";
            case LESS_OR_EQUAL -> "LessOrEqual";
            case AND -> "And";
            case OR -> "Or";
            case XOR -> "Xor";
            case PRELU -> "PRelu";
        };
    }

    public static String of(Op.Reduce.Kind kind) {
        return switch (kind) {
            case MEAN -> "ReduceMean";
            case SUM -> "ReduceSum";
            case MAX -> "ReduceMax";
            case MIN -> "ReduceMin";
            case PROD -> "ReduceProd";
        };
    }

    private static <K> Map<String, K> index(K[] kinds, Function<K, String> name) {
        return Arrays.stream(kinds)
                .filter(kind -> !name.apply(kind).isEmpty())
                .collect(Collectors.toUnmodifiableMap(name, Function.identity()));
    }
}
