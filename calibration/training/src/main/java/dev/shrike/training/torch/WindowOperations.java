package dev.shrike.training.torch;

import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Window;
import java.util.function.LongUnaryOperator;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Pooling, padding and resizing of images as tensors. */
final class WindowOperations {
    private WindowOperations() {}

    /** Padding in PyTorch's order: before and after the last dimension, then the one before it. */
    static Tensor pad(Tensor x, long[] pads, double value) {
        return torch.pad(x, pads, "constant", new DoubleOptional(value));
    }

    /** Images with the padding of a window, and so many further rows below and columns on the right. */
    static Tensor padded(Tensor x, Window window, long rows, long columns, double value) {
        return pad(x, new long[] {window.padLeft(), window.padRight() + columns, window.padTop(),
                window.padBottom() + rows}, value);
    }

    static Tensor maxPool(Op.MaxPool pool, Tensor x, Shape out) {
        Window window = pool.window().resolve(x.size(2), x.size(3));
        boolean plain = !pool.ceilMode() && window.padTop() == window.padBottom()
                && window.padLeft() == window.padRight() && 2 * window.padTop() <= window.kernelHeight()
                && 2 * window.padLeft() <= window.kernelWidth();
        Tensor padded = plain ? x : padded(x, window, missing(window, x, out, true), missing(window, x, out, false),
                Double.NEGATIVE_INFINITY);
        long[] pads = plain ? new long[] {window.padTop(), window.padLeft()} : new long[] {0, 0};
        return torch.max_pool2d(padded, kernel(window), stride(window), pads,
                new long[] {window.dilationHeight(), window.dilationWidth()}, false);
    }

    /** The mean over what counts: of padded values and padded ones the quotient. */
    static Tensor averagePool(Op.AveragePool pool, Tensor x, Shape out) {
        Window window = pool.window().resolve(x.size(2), x.size(3));
        if (window.dilationHeight() != 1 || window.dilationWidth() != 1) {
            throw new dev.shrike.UnsupportedModelException("average pooling with gaps cannot be trained");
        }
        long rows = missing(window, x, out, true);
        long columns = missing(window, x, out, false);
        Tensor ones = torch.ones_like(x);
        Tensor counted = pool.countIncludePad()
                ? pad(padded(ones, window, 0, 0, 1), new long[] {0, columns, 0, rows}, 0)
                : padded(ones, window, rows, columns, 0);
        return mean(padded(x, window, rows, columns, 0), window).div(mean(counted, window));
    }

    private static Tensor mean(Tensor x, Window window) {
        return torch.avg_pool2d(x, kernel(window), stride(window), new long[] {0, 0}, false, true, new LongOptional());
    }

    /** Rows or columns that the last window reaches beyond the padding. */
    private static long missing(Window window, Tensor x, Shape out, boolean rows) {
        long covered = rows ? (out.dim(2) - 1) * window.strideHeight() + window.effectiveHeight()
                : (out.dim(3) - 1) * window.strideWidth() + window.effectiveWidth();
        long there = rows ? x.size(2) + window.padTop() + window.padBottom()
                : x.size(3) + window.padLeft() + window.padRight();
        return Math.max(0, covered - there);
    }

    private static long[] kernel(Window window) {
        return new long[] {window.kernelHeight(), window.kernelWidth()};
    }

    private static long[] stride(Window window) {
        return new long[] {window.strideHeight(), window.strideWidth()};
    }

    static Tensor resize(Op.Resize resize, Tensor x, double[] scales, Shape out) {
        boolean whole = resize.mode() == Op.Resize.Mode.NEAREST
                && resize.coordinates() == Op.Resize.Coordinates.ASYMMETRIC
                && resize.nearest() == Op.Resize.Nearest.FLOOR && out.dim(2) % x.size(2) == 0
                && out.dim(3) % x.size(3) == 0;
        if (whole) {
            return torch.upsample_nearest2d(x, new long[] {out.dim(2), out.dim(3)}, new DoubleOptional(),
                    new DoubleOptional());
        }
        Tensor rows = along(resize, x, 2, scales[0], out.dim(2));
        return along(resize, rows, 3, scales[1], out.dim(3));
    }

    private static Tensor along(Op.Resize resize, Tensor x, int axis, double scale, long size) {
        long last = x.size(axis) - 1;
        if (resize.mode() == Op.Resize.Mode.NEAREST) {
            return select(x, axis, size, i -> Math.clamp(nearest(resize, place(resize, i, scale, last + 1, size)), 0,
                    last));
        }
        float[] shares = new float[Math.toIntExact(size)];
        for (int i = 0; i < size; i++) {
            double place = Math.clamp(place(resize, i, scale, last + 1, size), 0, last);
            shares[i] = (float) (place - Math.floor(place));
        }
        LongUnaryOperator low = i -> (long) Math.clamp(place(resize, i, scale, last + 1, size), 0, last);
        Tensor lower = select(x, axis, size, low);
        Tensor upper = select(x, axis, size, i -> Math.min(low.applyAsLong(i) + 1, last));
        long[] dims = {1, 1, 1, 1};
        dims[axis] = size;
        Tensor share = Tensors.of(shares, dims).to(x.device(), x.scalar_type());
        return lower.add(upper.sub(lower).mul(share));
    }

    private static Tensor select(Tensor x, int axis, long size, LongUnaryOperator index) {
        long[] indices = LongStream.range(0, size).map(index).toArray();
        return x.index_select(axis, Tensor.create(indices).to(x.device(), torch.ScalarType.Long));
    }

    /** Where in the input an element of the output lies (ONNX Resize). */
    private static double place(Op.Resize resize, long index, double scale, long in, long out) {
        return switch (resize.coordinates()) {
            case ASYMMETRIC -> index / scale;
            case HALF_PIXEL -> (index + 0.5) / scale - 0.5;
            case PYTORCH_HALF_PIXEL -> out > 1 ? (index + 0.5) / scale - 0.5 : 0;
            case ALIGN_CORNERS -> out > 1 ? (double) index * (in - 1) / (out - 1) : 0;
        };
    }

    private static long nearest(Op.Resize resize, double place) {
        return (long) switch (resize.nearest()) {
            case FLOOR -> Math.floor(place);
            case CEIL -> Math.ceil(place);
            case ROUND_PREFER_FLOOR -> Math.ceil(place - 0.5);
            case ROUND_PREFER_CEIL -> Math.floor(place + 0.5);
        };
    }
}
