package dev.shrike.calibration.quantize;

import dev.shrike.calibration.quantize.rounding.Codebook;
import dev.shrike.calibration.quantize.rounding.WeightFormat;
import dev.shrike.calibration.quantize.rounding.WeightRounding;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.util.Arrays;

/**
 * The weights of a convolution as rows, one an output channel, in the order in which a window is gathered from images
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
    public double[] fromTensor(Tensor tensor) {
        double[] weights = new double[rows * depth()];
        for (int i = 0; i < weights.length; i++) {
            weights[position(i)] = tensor.doubleAt(i);
        }
        return weights;
    }

    /** Weights in rows as a tensor {@code [rows, channels, kernelHeight, kernelWidth]}. */
    public Tensor toTensor(double[] weights) {
        float[] values = new float[weights.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) weights[position(i)];
        }
        return Tensor.ofFloats(shape(), values);
    }

    /** The codes as a tensor, zero points added. */
    Tensor codes(WeightRounding.Rounded rounded) {
        long[] values = new long[rounded.codes().length];
        for (int i = 0; i < values.length; i++) {
            int position = position(i);
            values[i] = rounded.codes()[position] + rounded.zeros()[position / depth()];
        }
        return Tensor.of(DataType.INT8, shape(), values);
    }

    private Shape shape() {
        return Shape.of(rows, channels, kernelHeight, kernelWidth);
    }

    /** How the codes are to be read. */
    static Quantization quantization(WeightRounding.Rounded rounded, WeightFormat codes, int width) {
        Shape shape = Shape.of(rounded.scales().length);
        Codebook set = codes.sets(width).getFirst();
        int bits = set.storedBits();
        boolean narrow = set.lowest() + set.zero() > -(1 << (bits - 1));
        long[] zeros = Arrays.stream(rounded.zeros()).asLongStream().toArray();
        return new Quantization(Tensor.ofFloats(shape, rounded.scales()), Tensor.of(DataType.INT32, shape, zeros),
                bits, true, narrow, 0);
    }
}
