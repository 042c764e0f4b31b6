package dev.shrike.graph.kernels;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Indices;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Numbers;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;

/**
 * Reference code of Resize. Dimensions are resized one after the other, which for nearest and linear interpolation is
 * the same as all at once. Coordinates are computed in float in the order of ONNX's formulas, because whether a
 * coordinate falls just below or on a whole number decides which pixel is nearest.
 */
final class ResizeMath {
    private ResizeMath() {}

    static Tensor resize(NodeView view, Op.Resize resize, Shape out) {
        Tensor tensor = view.known(0);
        boolean bySizes = view.has(3) && view.known(3).elements() != 0;
        Tensor result = tensor;
        for (int axis = 0; axis < out.rank(); axis++) {
            long from = tensor.shape().dim(axis);
            long to = out.dim(axis);
            float scale = bySizes ? (float) to / from : view.known(2).floatAt(axis);
            if (from == to && scale == 1) {
                continue;
            }
            if (from == 0 && to > 0) {
                throw view.error("cannot resize shape " + tensor.shape() + " to " + out);
            }
            result = resize.isFilter() ? filterAxis(result, axis, (int) to, scale, resize)
                    : resizeAxis(result, axis, (int) to, scale, resize);
        }
        return result;
    }

    private static Tensor resizeAxis(Tensor x, int axis, int to, float scale, Op.Resize resize) {
        int from = (int) x.shape().dim(axis);
        int outer = Indices.product(x.shape(), 0, axis);
        int inner = Indices.product(x.shape(), axis + 1, x.shape().rank());
        long[] dims = x.shape().toArray();
        dims[axis] = to;
        Shape shape = Shape.of(dims);
        int[] low = new int[outer * to * inner];
        int[] high = new int[low.length];
        double[] weight = new double[low.length];
        for (int i = 0; i < low.length; i++) {
            int position = i / inner % to;
            int row = i / (inner * to) * from;
            float at = coordinate(position, from, to, scale, resize.coordinates());
            if (resize.mode() == Op.Resize.Mode.NEAREST) {
                low[i] = (row + Math.clamp(nearest(at, resize.nearest()), 0, from - 1)) * inner + i % inner;
                continue;
            }
            float clamped = Math.clamp(at, 0f, from - 1f);
            int floor = (int) clamped;
            low[i] = (row + floor) * inner + i % inner;
            high[i] = (row + Math.min(floor + 1, from - 1)) * inner + i % inner;
            weight[i] = clamped - floor;
        }
        return resize.mode() == Op.Resize.Mode.NEAREST
                ? Numbers.take(x, shape, low) : blend(x, shape, low, high, weight);
    }

    private static Tensor filterAxis(Tensor x, int axis, int to, float scale, Op.Resize resize) {
        int from = (int) x.shape().dim(axis);
        int outer = Indices.product(x.shape(), 0, axis);
        int inner = Indices.product(x.shape(), axis + 1, x.shape().rank());
        long[] dims = x.shape().toArray();
        dims[axis] = to;
        float[] weights = ResizeWeights.of(resize, from, to, scale);
        double[] values = Numbers.floats(x);
        double[] result = new double[outer * to * inner];
        for (int i = 0; i < result.length; i++) {
            int row = i / inner % to * from;
            int first = i / (inner * to) * from * inner + i % inner;
            for (int j = 0; j < from; j++) {
                result[i] += weights[row + j] * values[first + j * inner];
            }
        }
        return Numbers.cast(Numbers.real(DataType.FLOAT64, Shape.of(dims), result), x.type());
    }

    private static Tensor blend(Tensor x, Shape shape, int[] low, int[] high, double[] weight) {
        double[] values = Numbers.floats(x);
        double[] result = new double[low.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = (1 - weight[i]) * values[low[i]] + weight[i] * values[high[i]];
        }
        return Numbers.cast(Numbers.real(DataType.FLOAT64, shape, result), x.type());
    }

    /** Where in the input the centre or corner of output element {@code position} lies. */
    static float coordinate(int position, int from, int to, float scale, Op.Resize.Coordinates coordinates) {
        return switch (coordinates) {
            case ASYMMETRIC -> position / scale;
            case HALF_PIXEL -> (position + 0.5f) / scale - 0.5f;
            case PYTORCH_HALF_PIXEL -> to > 1 ? (position + 0.5f) / scale - 0.5f : 0;
            case ALIGN_CORNERS -> to == 1 ? 0 : (float) position * (from - 1) / (to - 1);
        };
    }

    private static int nearest(float at, Op.Resize.Nearest nearest) {
        return (int) switch (nearest) {
            case FLOOR -> Math.floor(at);
            case CEIL -> Math.ceil(at);
            case ROUND_PREFER_FLOOR -> Math.ceil(at - 0.5);
            case ROUND_PREFER_CEIL -> Math.floor(at + 0.5);
        };
    }
}
