package dev.shrike.oracle;

import dev.shrike.graph.Activation;
import dev.shrike.graph.Op;
import dev.shrike.graph.Window;
import java.util.Arrays;
import java.util.List;

/** The operators between the quantisers, from their ONNX texts. */
final class OracleOperators {
    private final Formulas formulas;

    OracleOperators(Formulas formulas) {
        this.formulas = formulas;
    }

    List<IntervalTensor> apply(Op op, List<IntervalTensor> in) {
        IntervalTensor x = in.getFirst();
        return switch (op) {
            case Op.Conv conv -> List.of(convolution(conv, in));
            case Op.Unary unary -> List.of(new OracleFunction(formulas, unary.kind(), unary.alpha(), unary.beta())
                    .apply(x));
            case Op.Binary binary -> List.of(binary(binary.kind(), x, in.get(1)));
            case Op.Clip _ -> List.of(clip(x, bound(in, 1, Double.NEGATIVE_INFINITY),
                    bound(in, 2, Double.POSITIVE_INFINITY)));
            case Op.MaxPool pool -> List.of(maxPool(pool, x));
            case Op.Identity _ -> List.of(x);
            case Op.Concat concat -> List.of(OracleMoves.concat(concat.axis(), in));
            case Op.Split split -> OracleMoves.split(split.axis(), x, in.get(1));
            case Op.Resize resize -> List.of(OracleMoves.resize(resize, x, in));
            case Op.Reshape _ -> List.of(OracleMoves.reshape(x, in.get(1)));
            case Op.Transpose transpose -> List.of(OracleMoves.transpose(x, transpose.permutation()));
            default -> throw new IllegalArgumentException("the oracle does not know " + op);
        };
    }

    private static double bound(List<IntervalTensor> in, int index, double none) {
        return index < in.size() && in.get(index) != null ? in.get(index).value()[0] : none;
    }

    /** {@code Y[n, m, ...] = B[m] + sum of X * W}; padding is 0. Then, where the graph has fused them, f(Y) + R. */
    private IntervalTensor convolution(Op.Conv op, List<IntervalTensor> in) {
        IntervalTensor x = in.get(0);
        IntervalTensor w = in.get(1);
        IntervalTensor bias = in.size() > 2 ? in.get(2) : null;
        int height = x.dims()[2];
        int width = x.dims()[3];
        Window window = op.window().resolve(height, width);
        int rows = outputs(height + window.padTop() + window.padBottom(), window.effectiveHeight(),
                window.strideHeight());
        int columns = outputs(width + window.padLeft() + window.padRight(), window.effectiveWidth(),
                window.strideWidth());
        int channels = w.dims()[0];
        IntervalTensor y = IntervalTensor.empty(x.dims()[0], channels, rows, columns);
        for (int i = 0; i < y.size(); i++) {
            int channel = i / (rows * columns) % channels;
            double shift = bias == null ? 0 : bias.value()[bias.size() == 1 ? 0 : channel] * formulas.biasFactor();
            sum(op, window, x, w, y, i, shift);
        }
        IntervalTensor activated = activated(op.activation(), y);
        return in.size() > 3 ? binary(Op.Binary.Kind.ADD, activated, in.get(3)) : activated;
    }

    private void sum(Op.Conv op, Window window, IntervalTensor x, IntervalTensor w, IntervalTensor y, int to,
            double shift) {
        int column = to % y.dims()[3];
        int row = to / y.dims()[3] % y.dims()[2];
        int channel = to / (y.dims()[3] * y.dims()[2]) % y.dims()[1];
        int image = to / (y.dims()[3] * y.dims()[2] * y.dims()[1]);
        int depth = w.dims()[1];
        int first = channel / (w.dims()[0] / op.group()) * depth;
        double exact = 0;
        double centre = 0;
        double radius = 0;
        double weight = 0;
        for (int tap = 0; tap < depth * window.kernelHeight() * window.kernelWidth(); tap++) {
            int kernelColumn = tap % window.kernelWidth();
            int kernelRow = tap / window.kernelWidth() % window.kernelHeight();
            int c = first + tap / (window.kernelWidth() * window.kernelHeight());
            int h = row * window.strideHeight() + kernelRow * window.dilationHeight() - window.padTop();
            int v = column * window.strideWidth() + kernelColumn * window.dilationWidth() - window.padLeft();
            double factor = w.value()[channel * depth * window.kernelHeight() * window.kernelWidth() + tap];
            if (h < 0 || v < 0 || h >= x.dims()[2] || v >= x.dims()[3]) {
                double padding = formulas.paddingInCodes() ? x.zeroCode() : 0;
                exact += factor * padding;
                centre += factor * padding;
                continue;
            }
            int from = ((image * x.dims()[1] + c) * x.dims()[2] + h) * x.dims()[3] + v;
            exact += factor * x.value()[from];
            centre += factor * (x.low()[from] + x.high()[from]) / 2;
            radius += Math.abs(factor) * (x.high()[from] - x.low()[from]) / 2;
            weight += Math.abs(factor) * x.magnitude(from);
        }
        // Sums of codes are exact in integers; a sum of floats rounds with every term.
        double error = x.isCoded() && w.isCoded()
                ? formulas.error(Math.abs(centre) + radius + Math.abs(shift))
                : formulas.error(weight + Math.abs(shift)) * (1 + depth * window.kernelHeight() * window.kernelWidth());
        y.set(to, exact + shift, centre + shift - radius - error, centre + shift + radius + error);
    }

    private static int outputs(int padded, int window, int stride) {
        return (padded - window) / stride + 1;
    }

    private IntervalTensor activated(Activation activation, IntervalTensor x) {
        Op.Unary.Kind kind = switch (activation.kind()) {
            case NONE -> null;
            case SILU -> Op.Unary.Kind.SILU;
            case RELU -> Op.Unary.Kind.RELU;
            case LEAKY_RELU -> Op.Unary.Kind.LEAKY_RELU;
            case SIGMOID -> Op.Unary.Kind.SIGMOID;
            case HARD_SIGMOID -> Op.Unary.Kind.HARD_SIGMOID;
            case HARD_SWISH -> Op.Unary.Kind.HARD_SWISH;
            case TANH -> Op.Unary.Kind.TANH;
            case CLIP -> null;
        };
        if (kind != null) {
            return new OracleFunction(formulas, kind, activation.alpha(), activation.beta()).apply(x);
        }
        return activation.kind() == Activation.Kind.CLIP ? clip(x, activation.alpha(), activation.beta()) : x;
    }

    private static IntervalTensor clip(IntervalTensor x, double least, double most) {
        IntervalTensor y = IntervalTensor.empty(x.dims());
        for (int i = 0; i < x.size(); i++) {
            y.set(i, Math.min(Math.max(x.value()[i], least), most), Math.min(Math.max(x.low()[i], least), most),
                    Math.min(Math.max(x.high()[i], least), most));
        }
        return y;
    }

    private IntervalTensor binary(Op.Binary.Kind kind, IntervalTensor a, IntervalTensor b) {
        int rank = Math.max(a.dims().length, b.dims().length);
        int[] dims = new int[rank];
        for (int i = 0; i < rank; i++) {
            int own = i - rank + a.dims().length;
            int other = i - rank + b.dims().length;
            dims[i] = Math.max(own < 0 ? 1 : a.dims()[own], other < 0 ? 1 : b.dims()[other]);
        }
        int[] left = a.broadcast(dims);
        int[] right = b.broadcast(dims);
        IntervalTensor y = IntervalTensor.empty(dims);
        // A sum of codes may carry the zero points as one constant, so that what is added is as large as their range.
        double spans = a.span() + b.span();
        for (int i = 0; i < left.length; i++) {
            double p = a.value()[left[i]];
            double q = b.value()[right[i]];
            double[] ends = ends(kind, a, left[i], b, right[i]);
            double terms = kind == Op.Binary.Kind.MUL
                    ? a.magnitude(left[i]) * b.magnitude(right[i])
                    : a.magnitude(left[i]) + b.magnitude(right[i]) + spans;
            double error = formulas.error(terms);
            y.set(i, compute(kind, p, q), ends[0] - error, ends[1] + error);
        }
        return y;
    }

    private static double compute(Op.Binary.Kind kind, double a, double b) {
        return switch (kind) {
            case ADD -> a + b;
            case SUB -> a - b;
            case MUL -> a * b;
            default -> throw new IllegalArgumentException("the oracle does not know " + kind);
        };
    }

    /** Each of these operations has its extremes at the ends of its operands. */
    private static double[] ends(Op.Binary.Kind kind, IntervalTensor a, int i, IntervalTensor b, int j) {
        double[] corners = {
                compute(kind, a.low()[i], b.low()[j]), compute(kind, a.low()[i], b.high()[j]),
                compute(kind, a.high()[i], b.low()[j]), compute(kind, a.high()[i], b.high()[j])};
        Arrays.sort(corners);
        return new double[] {corners[0], corners[3]};
    }

    /** The largest element below the window; padding never is. */
    private static IntervalTensor maxPool(Op.MaxPool op, IntervalTensor x) {
        int height = x.dims()[2];
        int width = x.dims()[3];
        Window window = op.window().resolve(height, width);
        int rows = outputs(height + window.padTop() + window.padBottom(), window.effectiveHeight(),
                window.strideHeight());
        int columns = outputs(width + window.padLeft() + window.padRight(), window.effectiveWidth(),
                window.strideWidth());
        if (op.ceilMode()) {
            throw new IllegalArgumentException("the oracle does not know ceil_mode");
        }
        IntervalTensor y = IntervalTensor.empty(x.dims()[0], x.dims()[1], rows, columns);
        for (int i = 0; i < y.size(); i++) {
            double[] best = {Double.NEGATIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.NEGATIVE_INFINITY};
            for (int tap = 0; tap < window.kernelHeight() * window.kernelWidth(); tap++) {
                int h = i / columns % rows * window.strideHeight()
                        + tap / window.kernelWidth() * window.dilationHeight() - window.padTop();
                int v = i % columns * window.strideWidth() + tap % window.kernelWidth() * window.dilationWidth()
                        - window.padLeft();
                if (h >= 0 && v >= 0 && h < height && v < width) {
                    int from = (i / (rows * columns) * height + h) * width + v;
                    best[0] = Math.max(best[0], x.value()[from]);
                    best[1] = Math.max(best[1], x.low()[from]);
                    best[2] = Math.max(best[2], x.high()[from]);
                }
            }
            y.set(i, best[0], best[1], best[2]);
        }
        return y.ofCodes(x.span(), x.zeroCode());
    }
}
