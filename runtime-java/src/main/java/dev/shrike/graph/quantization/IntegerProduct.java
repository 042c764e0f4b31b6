package dev.shrike.graph.quantization;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.Window;
import java.util.function.IntUnaryOperator;

/** Reference code of convolutions and matrix products of codes: exact int32 sums, then {@link Requantization}. */
public final class IntegerProduct {
    private final Graph graph;
    private final Node node;
    private final QuantParams from;
    private final IntegerWeights weights;

    /** A product that reads these codes. */
    public IntegerProduct(Graph graph, Node node, QuantParams from) {
        this.graph = graph;
        this.node = node;
        this.from = from;
        this.weights = IntegerWeights.of(graph, node);
    }

    /**
     * Whether {@link #codes} can tell the result: quantised with one scale, with nothing between the sum and its
     * rounding but an activation function and a quantised residual.
     */
    public boolean givesCodes() {
        Quantization to = graph.quantization().get(node.output());
        if (isMeasured() || to == null || !to.isPerTensor() || to.bipolar()) {
            return false;
        }
        if (!(node.op() instanceof Op.Conv conv)) {
            return true;
        }
        if (!node.hasInput(3)) {
            return Requantization.canClamp(conv.activation()) || ActivationEpilogue.canGive(QuantParams.of(to));
        }
        Quantization residual = graph.quantization().get(node.input(3));
        return residual != null && residual.isPerTensor() && !graph.constants().containsKey(node.input(3))
                && ActivationEpilogue.canAdd(QuantParams.of(residual), QuantParams.of(to));
    }

    private boolean isMeasured() {
        return !graph.quantization().containsKey(node.input(0));
    }

    /** Whether the bias is known, of one element or one per output channel. */
    public boolean hasPlainBias() {
        return bias() != null;
    }

    /**
     * The result as stored codes.
     *
     * @param residual codes of the residual, null if there is none
     */
    public Tensor codes(Tensor x, Tensor residual, Shape out) {
        QuantParams to = QuantParams.of(graph.quantization().get(node.output()));
        if (residual != null && node.op() instanceof Op.Conv conv) {
            QuantParams other = QuantParams.of(graph.quantization().get(node.input(3)));
            ActivationEpilogue last = ActivationEpilogue.of(conv.activation(), other, to);
            Tensor floats = floats(x, out);
            return coded(out, i -> last.code(floats.floatAt(i), (int) residual.longAt(i)));
        }
        if (node.op() instanceof Op.Conv conv && !Requantization.canClamp(conv.activation())) {
            ActivationEpilogue last = ActivationEpilogue.of(conv.activation(), to);
            Tensor floats = floats(x, out);
            return coded(out, i -> last.code(floats.floatAt(i)));
        }
        Requantization last = Requantization.toCodes(from, weights.scale(), bias(), to);
        if (node.op() instanceof Op.Conv conv) {
            last = last.clamped(conv.activation(), to);
        }
        int[] sums = sums(x, out);
        int inner = inner(out);
        Requantization requantization = last;
        return coded(out, i -> requantization.code(i / inner % weights.rows(), sums[i]));
    }

    private static Tensor coded(Shape shape, IntUnaryOperator code) {
        long[] codes = new long[Math.toIntExact(shape.elements())];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = code.applyAsInt(i);
        }
        return Tensor.of(DataType.UINT8, shape, codes);
    }

    /** The result as floats, before activation and residual. */
    public Tensor floats(Tensor x, Shape out) {
        double[] scale = weights.scale().clone();
        for (int i = 0; i < scale.length && isMeasured(); i++) {
            // Engines keep them as floats until the scale of the codes is known.
            scale[i] = (float) scale[i];
        }
        Requantization last = Requantization.toReals(from, scale, bias());
        int[] sums = sums(x, out);
        int inner = inner(out);
        float[] floats = new float[sums.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = last.real(i / inner % weights.rows(), sums[i]);
        }
        return Tensor.ofFloats(out, floats);
    }

    /** Elements of the result from one output channel to the next. */
    private int inner(Shape out) {
        return node.op() instanceof Op.Conv ? Math.toIntExact(Math.max(1, out.dim(2) * out.dim(3))) : 1;
    }

    /** One bias per output channel, zeros if there is none, or null if it is of another kind. */
    private double[] bias() {
        return IntegerWeights.bias(graph, node, weights.rows());
    }

    private int[] sums(Tensor x, Shape out) {
        int[] codes = new int[Math.toIntExact(x.elements())];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (int) x.longAt(i) - from.zero();
        }
        int[] sums = new int[Math.toIntExact(out.elements())];
        if (node.op() instanceof Op.Conv conv) {
            convolve(codes, x.shape(), conv, out, sums);
            return sums;
        }
        for (int i = 0; i < sums.length; i++) {
            int row = i % weights.rows();
            int first = i / weights.rows() * weights.depth();
            int sum = 0;
            for (int k = 0; k < weights.depth(); k++) {
                sum += codes[first + k] * weight(row, k);
            }
            sums[i] = sum;
        }
        return sums;
    }

    private int weight(int row, int k) {
        return weights.codes()[row * weights.depth() + k] - weights.zero()[row];
    }

    private void convolve(int[] x, Shape in, Op.Conv conv, Shape out, int[] sums) {
        int taps = conv.window().kernelHeight() * conv.window().kernelWidth();
        int channels = weights.depth() / Math.max(1, taps);
        int perGroup = weights.rows() / conv.group();
        Window window = conv.window().resolve(in.dim(2), in.dim(3));
        int inArea = (int) (in.dim(2) * in.dim(3));
        int area = (int) (out.dim(2) * out.dim(3));
        for (int map = 0; map < out.dim(0) * weights.rows(); map++) {
            int row = map % weights.rows();
            int plane = map / weights.rows() * (int) in.dim(1) + row / perGroup * channels;
            for (int k = 0; k < weights.depth(); k++) {
                int weight = weight(row, k);
                if (weight != 0) {
                    addTap(x, (plane + k / taps) * inArea, in, window, k % taps, weight, sums, map * area, out);
                }
            }
        }
    }

    /** Adds one weight times the codes under it. What lies outside the image is the zero point and adds nothing. */
    private static void addTap(int[] x, int from, Shape in, Window window, int tap, int weight, int[] sums, int to,
            Shape out) {
        int outWidth = (int) out.dim(3);
        int stride = window.strideWidth();
        int top = tap / window.kernelWidth() * window.dilationHeight() - window.padTop();
        int left = tap % window.kernelWidth() * window.dilationWidth() - window.padLeft();
        int first = Math.clamp(Math.ceilDiv(-(long) left, stride), 0, outWidth);
        int last = Math.clamp(Math.ceilDiv(in.dim(3) - left, stride), first, outWidth);
        for (int row = 0; row < out.dim(2); row++) {
            long y = (long) row * window.strideHeight() + top;
            if (y < 0 || y >= in.dim(2)) {
                continue;
            }
            int base = from + (int) (y * in.dim(3)) + left;
            int target = to + row * outWidth;
            for (int column = first; column < last; column++) {
                sums[target + column] += weight * x[base + column * stride];
            }
        }
    }
}
