package dev.shrike.graph.kernels;

import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Numbers;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.TensorType;
import java.util.function.DoubleUnaryOperator;
import java.util.function.LongUnaryOperator;

/** Reference code of element-wise operations. */
public final class ElementMath {
    private ElementMath() {}

    static Tensor unary(NodeView view, Op.Unary unary) {
        Tensor x = view.known(0);
        if (x.type().isFloating()) {
            DoubleUnaryOperator function = function(unary);
            double[] values = Numbers.floats(x);
            for (int i = 0; i < values.length; i++) {
                values[i] = function.applyAsDouble(values[i]);
            }
            return Numbers.real(x.type(), x.shape(), values);
        }
        LongUnaryOperator function = switch (unary.kind()) {
            case NEG -> value -> -value;
            case ABS -> Math::abs;
            case SIGN -> Long::signum;
            case RELU -> value -> Math.max(0, value);
            case NOT -> value -> 1 - value;
            case SIGMOID, SILU, LEAKY_RELU, HARD_SIGMOID, HARD_SWISH, TANH, EXP, LOG, SQRT, FLOOR, CEIL, ROUND,
                    RECIPROCAL, ERF, SOFTPLUS, MISH, ELU, SELU, CELU, GELU, GELU_TANH, SOFTSIGN, THRESHOLDED_RELU, SIN,
                    COS, ATAN ->
                throw view.mismatch("type " + x.type(), "a floating-point type");
        };
        long[] values = x.toLongs();
        for (int i = 0; i < values.length; i++) {
            values[i] = function.applyAsLong(values[i]);
        }
        return Tensor.of(x.type(), x.shape(), values);
    }

    /** The function of a node over floats. */
    public static DoubleUnaryOperator function(Op.Unary unary) {
        double alpha = unary.alpha();
        double beta = unary.beta();
        return switch (unary.kind()) {
            case SIGMOID -> ElementMath::sigmoid;
            case SILU -> x -> x * sigmoid(x);
            case RELU -> x -> Math.max(0, x);
            case LEAKY_RELU -> x -> x < 0 ? alpha * x : x;
            case HARD_SIGMOID -> x -> Math.max(0, Math.min(1, alpha * x + beta));
            case HARD_SWISH -> x -> x * Math.max(0, Math.min(1, x / 6 + 0.5));
            case TANH -> Math::tanh;
            case EXP -> Math::exp;
            case LOG -> Math::log;
            case SQRT -> Math::sqrt;
            case NEG -> x -> -x;
            case ABS -> Math::abs;
            case FLOOR -> Math::floor;
            case CEIL -> Math::ceil;
            case ROUND -> Math::rint;
            case RECIPROCAL -> x -> 1 / x;
            case SIGN -> Math::signum;
            case ERF -> ElementMath::erf;
            case SOFTPLUS -> ElementMath::softplus;
            case MISH -> x -> x * Math.tanh(softplus(x));
            case ELU -> x -> x > 0 ? x : alpha * Math.expm1(x);
            case SELU -> x -> beta * (x > 0 ? x : alpha * Math.expm1(x));
            case CELU -> x -> x > 0 ? x : alpha * Math.expm1(x / alpha);
            case GELU -> x -> x / 2 * (1 + erf(x / Math.sqrt(2)));
            case GELU_TANH -> x -> x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
            case SOFTSIGN -> x -> x / (1 + Math.abs(x));
            case THRESHOLDED_RELU -> x -> x > alpha ? x : 0;
            case SIN -> Math::sin;
            case COS -> Math::cos;
            case ATAN -> Math::atan;
            case NOT -> throw new IllegalStateException("NOT of a real number");
        };
    }

    /** The function of a convolution's activation. */
    public static DoubleUnaryOperator function(Activation activation) {
        double alpha = activation.alpha();
        double beta = activation.beta();
        return switch (activation.kind()) {
            case NONE -> DoubleUnaryOperator.identity();
            case SILU -> x -> x * sigmoid(x);
            case RELU -> x -> Math.max(0, x);
            case LEAKY_RELU -> x -> x < 0 ? alpha * x : x;
            case SIGMOID -> ElementMath::sigmoid;
            case HARD_SIGMOID -> x -> Math.max(0, Math.min(1, alpha * x + beta));
            case HARD_SWISH -> x -> x * Math.max(0, Math.min(1, x / 6 + 0.5));
            case TANH -> Math::tanh;
            case CLIP -> x -> Math.min(Math.max(x, alpha), beta);
        };
    }

    private static double softplus(double x) {
        return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    /**
     * The error function by its series of positive terms (Abramowitz and Stegun 7.1.6), which loses no digits:
     * {@code erf(x) = 2 / sqrt(pi) * exp(-x^2) * sum 2^n x^(2n+1) / (1 * 3 * ... * (2n+1))}.
     */
    private static double erf(double x) {
        if (Double.isNaN(x)) {
            return x;
        }
        if (Math.abs(x) > 6) {
            return Math.signum(x);
        }
        double term = x;
        double sum = x;
        for (int n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }
        return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
    }

    static Tensor binary(NodeView view, Op.Binary binary, TensorType out) {
        Tensor a = Numbers.expand(view.known(0), out.shape());
        Tensor b = Numbers.expand(view.known(1), out.shape());
        if (a.type().isFloating()) {
            return floats(binary.kind(), Numbers.floats(a), Numbers.floats(b), out);
        }
        if (b.type().isFloating()) {
            // Only Pow has mixed types: its result has the type of the base.
            double[] power = floats(binary.kind(), Numbers.floats(a), Numbers.floats(b));
            return Numbers.cast(Numbers.real(DataType.FLOAT64, out.shape(), power), out.type());
        }
        long[] x = a.toLongs();
        long[] y = b.toLongs();
        for (int i = 0; i < x.length; i++) {
            x[i] = whole(view, binary.kind(), x[i], y[i]);
        }
        return Tensor.of(out.type(), out.shape(), x);
    }

    private static Tensor floats(Op.Binary.Kind kind, double[] x, double[] y, TensorType out) {
        double[] result = floats(kind, x, y);
        if (out.type() != DataType.BOOL) {
            return Numbers.real(out.type(), out.shape(), result);
        }
        long[] truths = new long[result.length];
        for (int i = 0; i < truths.length; i++) {
            truths[i] = (long) result[i];
        }
        return Tensor.of(DataType.BOOL, out.shape(), truths);
    }

    private static double[] floats(Op.Binary.Kind kind, double[] x, double[] y) {
        for (int i = 0; i < x.length; i++) {
            x[i] = real(kind, x[i], y[i]);
        }
        return x;
    }

    private static double real(Op.Binary.Kind kind, double x, double y) {
        return switch (kind) {
            case ADD -> x + y;
            case SUB -> x - y;
            case MUL -> x * y;
            case DIV -> x / y;
            case POW -> Math.pow(x, y);
            case MIN -> Math.min(x, y);
            case MAX -> Math.max(x, y);
            case MOD -> x % y;
            case EQUAL -> x == y ? 1 : 0;
            case GREATER -> x > y ? 1 : 0;
            case GREATER_OR_EQUAL -> x >= y ? 1 : 0;
            case LESS -> x < y ? 1 : 0;
            case LESS_OR_EQUAL -> x <= y ? 1 : 0;
            case PRELU -> x < 0 ? x * y : x;
            case AND, OR, XOR -> throw new IllegalStateException(kind + " of real numbers");
        };
    }

    private static long whole(NodeView view, Op.Binary.Kind kind, long x, long y) {
        return switch (kind) {
            case ADD -> x + y;
            case SUB -> x - y;
            case MUL -> x * y;
            case DIV -> x / nonZero(view, y);
            case POW -> power(x, y);
            case MIN -> Math.min(x, y);
            case MAX -> Math.max(x, y);
            case MOD -> Math.floorMod(x, nonZero(view, y));
            case EQUAL -> x == y ? 1 : 0;
            case GREATER -> x > y ? 1 : 0;
            case GREATER_OR_EQUAL -> x >= y ? 1 : 0;
            case LESS -> x < y ? 1 : 0;
            case LESS_OR_EQUAL -> x <= y ? 1 : 0;
            case AND -> x & y;
            case OR -> x | y;
            case XOR -> x ^ y;
            case PRELU -> x < 0 ? x * y : x;
        };
    }

    private static long nonZero(NodeView view, long divisor) {
        if (divisor == 0) {
            throw view.error("integer division by zero");
        }
        return divisor;
    }

    /** Integer power by squaring, cut to 64 bits; a negative exponent gives the power truncated towards zero. */
    private static long power(long base, long exponent) {
        if (exponent < 0) {
            return (long) Math.pow(base, exponent);
        }
        long result = 1;
        long square = base;
        for (long e = exponent; e > 0; e >>= 1) {
            result = (e & 1) == 1 ? result * square : result;
            square *= square;
        }
        return result;
    }

    static Tensor clip(NodeView view) {
        Tensor x = view.known(0);
        if (x.type().isFloating()) {
            double low = view.value(1).map(t -> t.doubleAt(0)).orElse(Double.NEGATIVE_INFINITY);
            double high = view.value(2).map(t -> t.doubleAt(0)).orElse(Double.POSITIVE_INFINITY);
            double[] values = Numbers.floats(x);
            for (int i = 0; i < values.length; i++) {
                values[i] = Math.min(Math.max(values[i], low), high);
            }
            return Numbers.real(x.type(), x.shape(), values);
        }
        long low = view.value(1).map(t -> t.longAt(0)).orElse(Long.MIN_VALUE);
        long high = view.value(2).map(t -> t.longAt(0)).orElse(Long.MAX_VALUE);
        long[] values = x.toLongs();
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.min(Math.max(values[i], low), high);
        }
        return Tensor.of(x.type(), x.shape(), values);
    }

    static Tensor where(NodeView view, Shape out) {
        long[] condition = Numbers.expand(view.known(0), out).toLongs();
        Tensor a = Numbers.expand(view.known(1), out);
        Tensor b = Numbers.expand(view.known(2), out);
        if (a.type().isFloating()) {
            double[] x = Numbers.floats(a);
            double[] y = Numbers.floats(b);
            for (int i = 0; i < x.length; i++) {
                x[i] = condition[i] != 0 ? x[i] : y[i];
            }
            return Numbers.real(a.type(), out, x);
        }
        long[] x = a.toLongs();
        long[] y = b.toLongs();
        for (int i = 0; i < x.length; i++) {
            x[i] = condition[i] != 0 ? x[i] : y[i];
        }
        return Tensor.of(a.type(), out, x);
    }
}
