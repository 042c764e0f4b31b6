package dev.shrike.graph.kernels;

import dev.shrike.graph.Broadcast;
import dev.shrike.graph.Indices;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Numbers;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.shapes.ProductShapes;

/** Reference code of matrix products, reductions, softmax and batch normalisation. */
final class ProductMath {
    private ProductMath() {}

    static Tensor matMul(NodeView view, Shape out) {
        Tensor a = view.known(0);
        Tensor b = view.known(1);
        int rows = a.shape().rank() == 1 ? 1 : (int) a.shape().dim(-2);
        int inner = (int) a.shape().dim(-1);
        int columns = b.shape().rank() == 1 ? 1 : (int) b.shape().dim(-1);
        int[] startA = batchStarts(view, a.shape(), b.shape(), true, rows * inner);
        int[] startB = batchStarts(view, a.shape(), b.shape(), false, inner * columns);
        if (!a.type().isFloating()) {
            return Tensor.of(a.type(), out, wholes(a.toLongs(), b.toLongs(), startA, startB, rows, inner, columns));
        }
        double[] x = Numbers.floats(a);
        double[] y = Numbers.floats(b);
        double[] result = new double[Math.toIntExact(out.elements())];
        for (int batch = 0; batch < startA.length; batch++) {
            for (int row = 0; row < rows; row++) {
                int to = (batch * rows + row) * columns;
                for (int k = 0; k < inner; k++) {
                    double left = x[startA[batch] + row * inner + k];
                    int from = startB[batch] + k * columns;
                    for (int column = 0; column < columns; column++) {
                        result[to + column] += left * y[from + column];
                    }
                }
            }
        }
        return Numbers.real(a.type(), out, result);
    }

    private static long[] wholes(long[] x, long[] y, int[] startA, int[] startB, int rows, int inner, int columns) {
        long[] result = new long[startA.length * rows * columns];
        for (int batch = 0; batch < startA.length; batch++) {
            for (int i = 0; i < rows * columns; i++) {
                long sum = 0;
                for (int k = 0; k < inner; k++) {
                    sum += x[startA[batch] + i / columns * inner + k] * y[startB[batch] + k * columns + i % columns];
                }
                result[batch * rows * columns + i] = sum;
            }
        }
        return result;
    }

    /** Where the matrix of each batch starts in a (or b), after broadcasting the leading dimensions. */
    private static int[] batchStarts(NodeView view, Shape a, Shape b, boolean first, int matrix) {
        Shape batchA = leading(a);
        Shape batchB = leading(b);
        int[] starts = Broadcast.indices(first ? batchA : batchB, Broadcast.shape(view, batchA, batchB));
        for (int i = 0; i < starts.length; i++) {
            starts[i] = Math.multiplyExact(starts[i], matrix);
        }
        return starts;
    }

    private static Shape leading(Shape shape) {
        return new Shape(shape.dims().subList(0, Math.max(0, shape.rank() - 2)));
    }

    static Tensor gemm(NodeView view, Op.Gemm gemm, Shape out) {
        double[] a = Numbers.floats(view.known(0));
        double[] b = Numbers.floats(view.known(1));
        int rows = (int) out.dim(0);
        int columns = (int) out.dim(1);
        int inner = (int) view.shape(0).dim(gemm.transA() ? 0 : 1);
        double[] c = view.has(2) ? Numbers.floats(Numbers.expand(view.known(2), out)) : new double[rows * columns];
        double[] result = new double[rows * columns];
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                double sum = 0;
                for (int k = 0; k < inner; k++) {
                    sum += a[gemm.transA() ? k * rows + row : row * inner + k]
                            * b[gemm.transB() ? column * inner + k : k * columns + column];
                }
                int at = row * columns + column;
                result[at] = gemm.alpha() * sum + gemm.beta() * c[at];
            }
        }
        return Numbers.real(view.type(0), out, result);
    }

    static Tensor reduce(NodeView view, Op.Reduce reduce, Shape out) {
        Tensor x = view.known(0);
        boolean[] reduced = ProductShapes.reducedAxes(view);
        long[] strides = new long[x.shape().rank()];
        long stride = 1;
        for (int i = strides.length - 1; i >= 0; i--) {
            strides[i] = reduced[i] ? 0 : stride;
            stride *= reduced[i] ? 1 : x.shape().dim(i);
        }
        int[] target = Indices.strided(x.shape(), strides, 0);
        int results = Math.toIntExact(out.elements());
        if (results > 0 && target.length == 0 && reduce.kind() != Op.Reduce.Kind.SUM
                && reduce.kind() != Op.Reduce.Kind.PROD) {
            throw view.error(reduce.kind() + " of no elements (input 0 has shape " + x.shape() + ")");
        }
        return x.type().isFloating()
                ? reduceReals(x, reduce.kind(), target, out) : reduceWholes(x, reduce.kind(), target, out);
    }

    private static Tensor reduceReals(Tensor x, Op.Reduce.Kind kind, int[] target, Shape out) {
        double[] values = Numbers.floats(x);
        double[] result = new double[Math.toIntExact(out.elements())];
        java.util.Arrays.fill(result, switch (kind) {
            case MEAN, SUM -> 0;
            case PROD -> 1;
            case MAX -> Double.NEGATIVE_INFINITY;
            case MIN -> Double.POSITIVE_INFINITY;
        });
        for (int i = 0; i < values.length; i++) {
            int to = target[i];
            result[to] = switch (kind) {
                case MEAN, SUM -> result[to] + values[i];
                case PROD -> result[to] * values[i];
                case MAX -> Math.max(result[to], values[i]);
                case MIN -> Math.min(result[to], values[i]);
            };
        }
        if (kind == Op.Reduce.Kind.MEAN) {
            for (int i = 0; i < result.length; i++) {
                result[i] /= (double) values.length / result.length;
            }
        }
        return Numbers.real(x.type(), out, result);
    }

    private static Tensor reduceWholes(Tensor x, Op.Reduce.Kind kind, int[] target, Shape out) {
        long[] values = x.toLongs();
        long[] result = new long[Math.toIntExact(out.elements())];
        java.util.Arrays.fill(result, switch (kind) {
            case MEAN, SUM -> 0;
            case PROD -> 1;
            case MAX -> Long.MIN_VALUE;
            case MIN -> Long.MAX_VALUE;
        });
        for (int i = 0; i < values.length; i++) {
            int to = target[i];
            result[to] = switch (kind) {
                case MEAN, SUM -> result[to] + values[i];
                case PROD -> result[to] * values[i];
                case MAX -> Math.max(result[to], values[i]);
                case MIN -> Math.min(result[to], values[i]);
            };
        }
        if (kind == Op.Reduce.Kind.MEAN) {
            for (int i = 0; i < result.length; i++) {
                result[i] /= values.length / result.length;
            }
        }
        return Tensor.of(x.type(), out, result);
    }

    static Tensor softmax(NodeView view, Op.Softmax softmax) {
        Tensor x = view.known(0);
        int axis = view.axis(softmax.axis(), x.shape().rank());
        int outer = Indices.product(x.shape(), 0, axis);
        int size = (int) x.shape().dim(axis);
        int inner = Indices.product(x.shape(), axis + 1, x.shape().rank());
        double[] values = Numbers.floats(x);
        for (int i = 0; i < outer * inner; i++) {
            int first = i / inner * size * inner + i % inner;
            double max = Double.NEGATIVE_INFINITY;
            for (int k = 0; k < size; k++) {
                max = Math.max(max, values[first + k * inner]);
            }
            double sum = 0;
            for (int k = 0; k < size; k++) {
                values[first + k * inner] = Math.exp(values[first + k * inner] - max);
                sum += values[first + k * inner];
            }
            for (int k = 0; k < size; k++) {
                values[first + k * inner] /= sum;
            }
        }
        return Numbers.real(x.type(), x.shape(), values);
    }

    static Tensor batchNormalization(NodeView view, Op.BatchNormalization norm) {
        Tensor x = view.known(0);
        double[] gamma = Numbers.floats(view.known(1));
        double[] beta = Numbers.floats(view.known(2));
        double[] mean = Numbers.floats(view.known(3));
        double[] variance = Numbers.floats(view.known(4));
        int inner = Indices.product(x.shape(), 2, x.shape().rank());
        double[] values = Numbers.floats(x);
        for (int i = 0; i < values.length; i++) {
            int channel = i / inner % gamma.length;
            values[i] = (values[i] - mean[channel]) / Math.sqrt(variance[channel] + norm.epsilon()) * gamma[channel]
                    + beta[channel];
        }
        return Numbers.real(x.type(), x.shape(), values);
    }
}
