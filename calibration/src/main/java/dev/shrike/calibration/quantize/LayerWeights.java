package dev.shrike.calibration.quantize;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;

/**
 * The weights of a convolution as rows, one an output channel, in the order in which a window is gathered from pictures
 * whose channels lie together: kernel row, kernel column, channel.
 *
 * @param rows output channels
 * @param channels input channels of a group
 * @param kernelHeight rows of the kernel
 * @param kernelWidth columns of the kernel
 */
public record LayerWeights(int rows, int channels, int kernelHeight, int kernelWidth) {
    /** The form of a tensor {@code [rows, channels, kernelHeight, kernelWidth]}. */
    public static LayerWeights of(Tensor weights) {
        Shape shape = weights.shape();
        return new LayerWeights((int) shape.dim(0), (int) shape.dim(1), (int) shape.dim(2), (int) shape.dim(3));
    }

    static int group(Node layer) {
        return ((Op.Conv) layer.op()).group();
    }

    /** Weights a row. */
    public int depth() {
        return channels * kernelHeight * kernelWidth;
    }

    /** Where an element of the tensor stands in the rows. */
    public int position(int index) {
        int area = kernelHeight * kernelWidth;
        int channel = index / area % channels;
        return index / depth() * depth() + index % area * channels + channel;
    }

    /** The weights of a tensor {@code [rows, channels, kernelHeight, kernelWidth]}. */
    double[] fromTensor(Tensor tensor) {
        double[] weights = new double[rows * depth()];
        for (int i = 0; i < weights.length; i++) {
            weights[position(i)] = tensor.doubleAt(i);
        }
        return weights;
    }

    /** The codes as a tensor. */
    Tensor codes(byte[] codes) {
        long[] values = new long[codes.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = codes[position(i)];
        }
        return Tensor.of(DataType.INT8, shape(), values);
    }

    private Shape shape() {
        return Shape.of(rows, channels, kernelHeight, kernelWidth);
    }

    /** How the codes are to be read. */
    static Quantization quantization(float[] scales, CodeSet set) {
        Shape shape = Shape.of(scales.length);
        int bits = set.storedBits();
        boolean narrow = set.lowest() > -(1 << (bits - 1));
        return new Quantization(Tensor.ofFloats(shape, scales),
                Tensor.of(DataType.INT32, shape, new long[scales.length]), bits, true, narrow, 0);
    }
}
