package dev.shrike.oracle;

import dev.shrike.graph.Tensor;
import java.util.Arrays;

/**
 * A tensor computed in float64, and for every element the interval in which a float32 implementation may have it.
 *
 * @param dims dimensions, row-major
 * @param value the exact elements, as far as float64 goes
 * @param low the least that an implementation may have
 * @param high the most
 * @param span for floats that stand for codes, the distance of the outermost codes; 0 for any other floats
 * @param zeroCode for such floats, the float of code 0
 */
public record IntervalTensor(int[] dims, double[] value, double[] low, double[] high, double span, double zeroCode) {
    /** Elements that are known exactly. */
    static IntervalTensor exact(Tensor tensor) {
        double[] values = new double[(int) tensor.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = tensor.doubleAt(i);
        }
        return new IntervalTensor(Arrays.stream(tensor.shape().toArray()).mapToInt(Math::toIntExact).toArray(),
                values, values, values, 0, 0);
    }

    /** Floats, all 0, to be filled. */
    static IntervalTensor empty(int... dims) {
        int size = elements(dims);
        return new IntervalTensor(dims, new double[size], new double[size], new double[size], 0, 0);
    }

    /** The same as floats of codes. */
    IntervalTensor ofCodes(double codeSpan, double floatOfCodeZero) {
        return new IntervalTensor(dims, value, low, high, codeSpan, floatOfCodeZero);
    }

    /** Whether the floats stand for codes. */
    boolean isCoded() {
        return span > 0;
    }

    int size() {
        return value.length;
    }

    static int elements(int[] dims) {
        int size = 1;
        for (int dim : dims) {
            size *= dim;
        }
        return size;
    }

    /** Element {@code source[i]} at every i. */
    IntervalTensor gather(int[] newDims, int[] source) {
        IntervalTensor result = empty(newDims);
        for (int i = 0; i < source.length; i++) {
            result.copy(i, this, source[i]);
        }
        return result.ofCodes(span, zeroCode);
    }

    void copy(int to, IntervalTensor from, int index) {
        set(to, from.value[index], from.low[index], from.high[index]);
    }

    void set(int index, double exact, double least, double most) {
        value[index] = exact;
        low[index] = least;
        high[index] = most;
    }

    /** The largest absolute value that an implementation may have. */
    double magnitude(int index) {
        return Math.max(Math.abs(low[index]), Math.abs(high[index]));
    }

    /** The index in a tensor that broadcasts to {@code to} (NumPy) of each of its elements. */
    int[] broadcast(int[] to) {
        int[] source = new int[elements(to)];
        for (int i = 0; i < source.length; i++) {
            int rest = i;
            int stride = 1;
            for (int axis = to.length - 1; axis >= 0; axis--) {
                int own = axis - (to.length - dims.length);
                int at = rest % to[axis];
                rest /= to[axis];
                if (own >= 0) {
                    source[i] += dims[own] == 1 ? 0 : at * stride;
                    stride *= dims[own];
                }
            }
        }
        return source;
    }
}
