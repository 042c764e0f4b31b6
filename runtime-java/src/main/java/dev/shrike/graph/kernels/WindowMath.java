package dev.shrike.graph.kernels;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Indices;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Numbers;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.Window;
import java.util.function.DoubleUnaryOperator;

/** Reference code of convolution and pooling over NCHW images. Sums are doubles. */
final class WindowMath {
    private WindowMath() {}

    static Tensor conv(NodeView view, Op.Conv conv, Shape out) {
        double[] x = Numbers.floats(view.known(0));
        double[] w = Numbers.floats(view.known(1));
        double[] bias = view.has(2) ? Numbers.floats(view.known(2)) : null;
        double[] residual = view.has(3) ? Numbers.floats(view.known(3)) : null;
        DoubleUnaryOperator activation = ElementMath.function(conv.activation());
        Shape in = view.shape(0);
        int inputs = (int) view.shape(1).dim(1);
        int outputs = (int) out.dim(1);
        int area = (int) (out.dim(2) * out.dim(3));
        int inArea = (int) (in.dim(2) * in.dim(3));
        int taps = conv.window().kernelHeight() * conv.window().kernelWidth();
        Window window = conv.window().resolve(in.dim(2), in.dim(3));
        double[] result = new double[Math.toIntExact(out.elements())];
        double[] plane = new double[area];
        for (int map = 0; map < out.dim(0) * outputs; map++) {
            int channel = map % outputs;
            int firstInput = map / outputs * (int) in.dim(1) + channel / (outputs / conv.group()) * inputs;
            java.util.Arrays.fill(plane, bias == null ? 0 : bias[channel]);
            for (int i = 0; i < inputs; i++) {
                addPlane(plane, out, x, (firstInput + i) * inArea, in, w, (channel * inputs + i) * taps, window);
            }
            for (int i = 0; i < area; i++) {
                double value = activation.applyAsDouble(plane[i]);
                result[map * area + i] = residual == null ? value : value + residual[map * area + i];
            }
        }
        return Numbers.real(view.type(0), out, result);
    }

    /** Adds the convolution of one input plane with one kernel. */
    private static void addPlane(double[] plane, Shape out, double[] x, int from, Shape in, double[] w, int kernel,
            Window window) {
        int width = (int) in.dim(3);
        int outWidth = (int) out.dim(3);
        for (int tap = 0; tap < window.kernelHeight() * window.kernelWidth(); tap++) {
            double weight = w[kernel + tap];
            int top = tap / window.kernelWidth() * window.dilationHeight() - window.padTop();
            int left = tap % window.kernelWidth() * window.dilationWidth() - window.padLeft();
            int stride = window.strideWidth();
            int first = Math.clamp(Math.ceilDiv(-(long) left, stride), 0, outWidth);
            int last = Math.clamp(Math.ceilDiv((long) width - left, stride), first, outWidth);
            for (int row = 0; row < out.dim(2); row++) {
                long y = (long) row * window.strideHeight() + top;
                if (y < 0 || y >= in.dim(2)) {
                    continue;
                }
                int base = from + (int) y * width + left;
                int to = row * outWidth;
                for (int column = first; column < last; column++) {
                    plane[to + column] += weight * x[base + column * stride];
                }
            }
        }
    }

    /** The part of one window that lies over the image: rows top to bottom and columns left to right, exclusive. */
    private record Patch(long top, long bottom, long left, long right) {
        static Patch of(Window window, int row, int column) {
            long top = (long) row * window.strideHeight() - window.padTop();
            long left = (long) column * window.strideWidth() - window.padLeft();
            return new Patch(top, top + window.effectiveHeight(), left, left + window.effectiveWidth());
        }

        /** The first position of those that are {@code step} apart from {@code start} that is not below zero. */
        static long inside(long start, long step) {
            return start >= 0 ? start : start + Math.ceilDiv(-start, step) * step;
        }
    }

    /** Combines the elements of one window. */
    private interface Pooling {
        double pool(double[] x, int plane, Shape in, Window window, Patch patch);
    }

    private static double[] slide(double[] x, Shape in, Shape out, Window window, Pooling pooling) {
        double[] result = new double[Math.toIntExact(out.elements())];
        int height = (int) out.dim(2);
        int width = (int) out.dim(3);
        for (int i = 0; i < result.length; i++) {
            int plane = i / (height * width) * (int) (in.dim(2) * in.dim(3));
            result[i] = pooling.pool(x, plane, in, window, Patch.of(window, i / width % height, i % width));
        }
        return result;
    }

    static Tensor maxPool(NodeView view, Op.MaxPool pool, Shape out) {
        Tensor x = view.known(0);
        Shape in = x.shape();
        double[] result = slide(Numbers.floats(x), in, out, pool.window().resolve(in.dim(2), in.dim(3)),
                WindowMath::max);
        return Numbers.cast(Numbers.real(DataType.FLOAT64, out, result), x.type());
    }

    private static double max(double[] x, int plane, Shape in, Window window, Patch patch) {
        double max = Double.NEGATIVE_INFINITY;
        long bottom = Math.min(patch.bottom, in.dim(2));
        long right = Math.min(patch.right, in.dim(3));
        long left = Patch.inside(patch.left, window.dilationWidth());
        for (long row = Patch.inside(patch.top, window.dilationHeight()); row < bottom;
                row += window.dilationHeight()) {
            for (long column = left; column < right; column += window.dilationWidth()) {
                max = Math.max(max, x[plane + (int) (row * in.dim(3) + column)]);
            }
        }
        return max;
    }

    static Tensor averagePool(NodeView view, Op.AveragePool pool, Shape out) {
        Tensor x = view.known(0);
        view.requireFloat(0);
        Shape in = x.shape();
        Pooling average = (values, plane, shape, window, patch) -> average(values, plane, shape, window, patch,
                pool.countIncludePad());
        return Numbers.real(x.type(), out,
                slide(Numbers.floats(x), in, out, pool.window().resolve(in.dim(2), in.dim(3)), average));
    }

    private static double average(double[] x, int plane, Shape in, Window window, Patch patch, boolean countPad) {
        double sum = 0;
        long count = 0;
        long bottom = Math.min(patch.bottom, in.dim(2));
        long right = Math.min(patch.right, in.dim(3));
        long left = Patch.inside(patch.left, window.dilationWidth());
        for (long row = Patch.inside(patch.top, window.dilationHeight()); row < bottom;
                row += window.dilationHeight()) {
            for (long column = left; column < right; column += window.dilationWidth()) {
                sum += x[plane + (int) (row * in.dim(3) + column)];
                count++;
            }
        }
        if (countPad) {
            // In ceil mode a window may reach beyond the padding; what lies there is never counted.
            count = taps(patch.top, Math.min(patch.bottom, in.dim(2) + window.padBottom()), window.dilationHeight())
                    * taps(patch.left, Math.min(patch.right, in.dim(3) + window.padRight()), window.dilationWidth());
        }
        return count == 0 ? 0 : sum / count;
    }

    private static long taps(long first, long end, long step) {
        return Math.max(0, Math.ceilDiv(end - first, step));
    }

    static Tensor globalAveragePool(NodeView view, Shape out) {
        double[] x = Numbers.floats(view.known(0));
        double[] result = new double[Math.toIntExact(out.elements())];
        int area = Indices.product(view.shape(0), 2, view.shape(0).rank());
        for (int i = 0; i < result.length; i++) {
            double sum = 0;
            for (int k = 0; k < area; k++) {
                sum += x[i * area + k];
            }
            result[i] = sum / area;
        }
        return Numbers.real(view.type(0), out, result);
    }
}
