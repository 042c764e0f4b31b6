package dev.shrike.onnx;

import dev.shrike.graph.Activation;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.Window;
import java.util.Arrays;
import java.util.Optional;

/**
 * ConvTranspose as a convolution that gives every result of a stride by stride block as a channel, of which the blocks
 * are then put together (W. Shi et al., "Is the deconvolution layer the same as a convolutional layer?", 2016).
 *
 * <p>With stride s, result {@code q * s + r} is {@code sum_j x[q - j] * w[r + j * s]}: of each remainder r a
 * convolution with every s-th tap, in reverse. What padding cuts off, and what output padding adds, is a slice.
 */
final class TransposedConvolution {
    private static final int LARGEST = 1 << 20;
    private static final long MOST_WEIGHTS = 1 << 27;

    private final NodeDraft draft;
    private final Expansion nodes;
    private final Tensor weights;
    private final int group;
    private final Axis rows;
    private final Axis columns;

    /**
     * One direction.
     *
     * @param taps of the kernel given
     * @param before elements that the padding cuts off at the beginning
     * @param after at the end, less the output padding
     */
    private record Axis(int taps, int stride, int dilation, long before, long after) {
        /** Taps of the kernel with zeros between. */
        long extent() {
            return (taps - 1L) * dilation + 1;
        }

        /** Taps of the convolution. */
        int reach() {
            return (int) Math.ceilDiv(extent(), (long) stride);
        }

        /** Rows that the convolution gives more than it reads: the last blocks. */
        int more() {
            return (int) Math.max(0, Math.ceilDiv(extent() - after, (long) stride) - 1);
        }

        /** Elements to be cut off at the end. */
        long surplus() {
            return (more() + 1L) * stride - extent() + after;
        }

        /** Index of the tap that a block's result {@code remainder} has at {@code place}, or -1. */
        int tap(int remainder, int place) {
            long at = remainder + (reach() - 1L - place) * stride;
            return at % dilation == 0 && at / dilation < taps ? (int) (at / dilation) : -1;
        }
    }

    private TransposedConvolution(NodeDraft draft, Tensor weights, int group, Axis rows, Axis columns) {
        this.draft = draft;
        this.nodes = new Expansion(draft);
        this.weights = weights;
        this.group = group;
        this.rows = rows;
        this.columns = columns;
    }

    static Op read(NodeDraft draft) {
        draft.expect(2, 3);
        Tensor weights = draft.scope()
                .value(draft.input(1))
                .orElseThrow(() -> draft.unsupported("its weights are computed while the network runs; only constant"
                        + " ones are supported. Quantise the float network with 'shrike quantize' instead"));
        if (weights.shape().rank() != 4 || weights.type().bits() < 8) {
            throw draft.unsupported("has weights of type " + weights.type() + " and shape " + weights.shape()
                    + ", only two-dimensional ones (4 dimensions) are supported");
        }
        int group = draft.attributes().integer("group", 1);
        if (group < 1 || weights.shape().dim(0) % group != 0) {
            throw draft.broken("attribute 'group' is " + group + " for weights of shape " + weights.shape());
        }
        Axis[] axes = axes(draft, weights.shape());
        return new TransposedConvolution(draft, weights, group, axes[0], axes[1]).expand();
    }

    private static Axis[] axes(NodeDraft draft, Shape weights) {
        Attributes attributes = draft.attributes();
        int[] kernel = attributes.has("kernel_shape") ? attributes.integers("kernel_shape", 2, 1)
                : new int[] {(int) weights.dim(2), (int) weights.dim(3)};
        if (kernel[0] != weights.dim(2) || kernel[1] != weights.dim(3)) {
            throw draft.broken("has weights of shape " + weights + " for a window of " + kernel[0] + "x" + kernel[1]);
        }
        int[] strides = attributes.integers("strides", 2, 1);
        int[] dilations = attributes.integers("dilations", 2, 1);
        int[] pads = attributes.integers("pads", 4, 0);
        int[] extra = attributes.integers("output_padding", 2, 0);
        String autoPad = attributes.string("auto_pad", "NOTSET");
        Optional<long[]> outputs = attributes.integers("output_shape");
        Axis[] axes = new Axis[2];
        for (int d = 0; d < 2; d++) {
            for (int value : new int[] {pads[d], pads[d + 2], extra[d], strides[d] - 1, dilations[d] - 1}) {
                if (value < 0 || value > LARGEST) {
                    throw draft.broken("a stride, dilation or padding is not within 0 and " + LARGEST);
                }
            }
            axes[d] = padded(draft, new Axis(kernel[d], strides[d], dilations[d], pads[d], pads[d + 2]), d, extra[d],
                    autoPad, outputs);
        }
        return axes;
    }

    private static Axis padded(
            NodeDraft draft, Axis axis, int d, int extra, String autoPad, Optional<long[]> outputs) {
        if (axis.extent() > LARGEST) {
            throw draft.broken("the window exceeds " + LARGEST + " pixels");
        }
        long before = axis.before();
        long after = axis.after() - extra;
        boolean explicit = autoPad.isEmpty() || autoPad.equals("NOTSET");
        if (outputs.isPresent() || !explicit && !autoPad.equals("VALID")) {
            long total = axis.extent() + extra - axis.stride();
            if (outputs.isPresent()) {
                total += (size(draft, d) * axis.stride()) - sizeWanted(draft, outputs.get(), d);
            }
            total = Math.max(0, total);
            before = autoPad.equals("SAME_UPPER") ? total / 2 : total - total / 2;
            after = total - before - extra;
        } else if (!explicit) {
            before = 0;
            after = -extra;
        }
        if (!explicit && !Arrays.asList("VALID", "SAME_UPPER", "SAME_LOWER").contains(autoPad)) {
            throw draft.broken("attribute 'auto_pad' is '" + autoPad + "', must be NOTSET, SAME_UPPER, SAME_LOWER or"
                    + " VALID");
        }
        return new Axis(axis.taps(), axis.stride(), axis.dilation(), before, after);
    }

    private static long sizeWanted(NodeDraft draft, long[] outputs, int d) {
        if (outputs.length != 2 && outputs.length != 4 || outputs[outputs.length - 2 + d] < 1) {
            throw draft.broken("attribute 'output_shape' is " + Arrays.toString(outputs)
                    + ", must be two positive sizes");
        }
        return outputs[outputs.length - 2 + d];
    }

    private static long size(NodeDraft draft, int d) {
        return draft.scope()
                .shape(draft.input(0))
                .filter(shape -> shape.rank() == 4 && shape.dim(d + 2) != Shape.OPEN)
                .orElseThrow(() -> draft.unsupported("attribute 'output_shape' needs an input of known size; export"
                        + " the network with a fixed input size"))
                .dim(d + 2);
    }

    private Op expand() {
        long count = weights.elements() / weights.shape().dim(2) / weights.shape().dim(3)
                * rows.reach() * rows.stride() * columns.reach() * columns.stride();
        if (count > MOST_WEIGHTS) {
            throw draft.unsupported("has a stride that is too large for its kernel");
        }
        int block = rows.stride() * columns.stride();
        int outputs = (int) weights.shape().dim(1) * group;
        Optional<Tensor> bias = draft.constant(2);
        String x = draft.input(0);
        String kernel = nodes.constant("weights", rearranged());
        Window window = new Window(rows.reach(), columns.reach(), 1, 1, rows.reach() - 1, columns.reach() - 1,
                rows.more(), columns.more(), 1, 1, Window.AutoPad.EXPLICIT);
        Op.Conv conv = new Op.Conv(window, group, Activation.NONE);
        String y = bias.isPresent()
                ? nodes.node("conv", conv, x, kernel, nodes.constant("bias", repeated(bias.get(), outputs, block)))
                : nodes.node("conv", conv, x, kernel);
        String whole = block == 1 ? y : together(y, outputs);
        if (draft.hasInput(2) && bias.isEmpty()) {
            whole = nodes.binary("sum", Op.Binary.Kind.ADD, whole, nodes.perChannel("bias", draft.input(2), 2));
        }
        return cut(whole);
    }

    /** Weights [channels, outputs / group, rows, columns] by result, place in the block, input channel and tap. */
    private Tensor rearranged() {
        Shape w = weights.shape();
        int perGroup = (int) w.dim(1);
        int inputs = (int) w.dim(0) / group;
        int block = rows.stride() * columns.stride();
        Shape shape = Shape.of((long) perGroup * group * block, inputs, rows.reach(), columns.reach());
        int[] indices = new int[Math.toIntExact(shape.elements())];
        for (int i = 0; i < indices.length; i++) {
            int tapX = i % columns.reach();
            int tapY = i / columns.reach() % rows.reach();
            int input = i / (columns.reach() * rows.reach()) % inputs;
            int result = i / (columns.reach() * rows.reach() * inputs);
            int place = result % block;
            int output = result / block;
            int y = rows.tap(place / columns.stride(), tapY);
            int x = columns.tap(place % columns.stride(), tapX);
            int channel = output / perGroup * inputs + input;
            indices[i] = x < 0 || y < 0 ? -1
                    : ((channel * perGroup + output % perGroup) * rows.taps() + y) * columns.taps() + x;
        }
        return Expansion.pick(weights, shape, indices);
    }

    private Tensor repeated(Tensor bias, int outputs, int times) {
        if (bias.elements() != outputs) {
            throw draft.broken("has a bias of shape " + bias.shape() + " for " + outputs + " channels");
        }
        int[] indices = new int[outputs * times];
        Arrays.setAll(indices, i -> i / times);
        return Expansion.pick(bias, Shape.of(indices.length), indices);
    }

    /** Channels of a block side by side. */
    private String together(String y, int outputs) {
        int high = rows.stride();
        int wide = columns.stride();
        if (high == wide) {
            return nodes.node("blocks", new Op.DepthToSpace(high, false), y);
        }
        String batch = nodes.sizes("batch", y, 0, 1);
        String height = nodes.sizes("height", y, 2, 3);
        String split = nodes.node("split_shape", new Op.Concat(0), batch,
                nodes.vector("block", outputs, high, wide), height, nodes.sizes("width", y, 3, 4));
        String blocks = nodes.node("blocks", new Op.Reshape(false), y, split);
        String turned = nodes.transpose("turned", blocks, java.util.List.of(0, 1, 4, 2, 5, 3));
        String joined = nodes.node("joined_shape", new Op.Concat(0), batch, nodes.vector("channels", outputs),
                nodes.binary("rows", Op.Binary.Kind.MUL, height, nodes.vector("high", high)), nodes.vector("rest", -1));
        return nodes.node("joined", new Op.Reshape(false), turned, joined);
    }

    private Op cut(String whole) {
        if (rows.before() == 0 && rows.surplus() == 0 && columns.before() == 0 && columns.surplus() == 0) {
            return nodes.last(new Op.Identity(), whole);
        }
        return nodes.last(new Op.Slice(), whole, nodes.vector("starts", rows.before(), columns.before()),
                nodes.vector("ends", end(rows), end(columns)), nodes.vector("axes", 2, 3));
    }

    private static long end(Axis axis) {
        return axis.surplus() == 0 ? Long.MAX_VALUE : -axis.surplus();
    }
}
