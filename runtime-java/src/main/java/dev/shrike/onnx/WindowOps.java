package dev.shrike.onnx;

import dev.shrike.graph.Activation;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Convolution and pooling: operators with a window over one or two dimensions. */
final class WindowOps {

    private WindowOps() {}

    static Op convolution(NodeDraft draft) {
        draft.expect(2, 3);
        Op.Conv conv = plainConvolution(draft);
        if (!isOneDimensional(draft)) {
            return conv;
        }
        Expansion nodes = new Expansion(draft);
        Optional<Tensor> weights = draft.constant(1);
        String kernel = weights.isPresent() ? nodes.constant("weights", withRow(weights.get()))
                : nodes.node("weights", new Op.Unsqueeze(), draft.input(1), nodes.vector("row", 2));
        List<String> inputs = new ArrayList<>(draft.inputs());
        inputs.set(0, image(nodes, draft.input(0)));
        inputs.set(1, kernel);
        return line(nodes, nodes.node("rows", conv, inputs.toArray(String[]::new)));
    }

    private static Tensor withRow(Tensor weights) {
        Shape shape = weights.shape();
        return weights.reshaped(Shape.of(shape.dim(0), shape.dim(1), 1, shape.dim(2)));
    }

    /** The convolution; one over lines as one over images of a single row. */
    static Op.Conv plainConvolution(NodeDraft draft) {
        Optional<Shape> weights = shapeOf(draft.input(1), draft.scope());
        if (weights.isPresent() && (weights.get().rank() < 3 || weights.get().rank() > 4)) {
            throw draft.unsupported("has weights of shape " + weights.get()
                    + ", only convolutions over one or two dimensions (3 or 4 of the weights) are supported");
        }
        int dimensions = isOneDimensional(draft) ? 1 : 2;
        int[] kernel;
        if (draft.attributes().has("kernel_shape")) {
            kernel = draft.attributes().integers("kernel_shape", dimensions, 1);
        } else {
            Shape shape = weights.orElseThrow(() -> draft.unsupported(
                    "has neither the attribute 'kernel_shape' nor constant weights to learn the window's size from"));
            kernel = new int[dimensions];
            Arrays.setAll(kernel, d -> Math.toIntExact(shape.dim(d + 2)));
        }
        for (int d = 0; weights.isPresent() && d < dimensions; d++) {
            if (weights.get().rank() != dimensions + 2 || weights.get().dim(d + 2) != kernel[d]) {
                throw draft.broken("has weights of shape " + weights.get() + " for a window of "
                        + Arrays.stream(kernel).mapToObj(Integer::toString).collect(Collectors.joining("x")));
            }
        }
        int group = draft.attributes().integer("group", 1);
        if (group < 1 || weights.isPresent() && weights.get().dim(0) % group != 0) {
            throw draft.broken(
                    "attribute 'group' is " + group + weights.map(w -> " for weights of shape " + w).orElse(""));
        }
        return new Op.Conv(window(draft, kernel), group, Activation.NONE);
    }

    private static boolean isOneDimensional(NodeDraft draft) {
        return shapeOf(draft.input(1), draft.scope()).map(shape -> shape.rank() == 3)
                .orElseGet(() -> draft.scope().rank(draft.input(0)).orElse(4) == 3);
    }

    private static String image(Expansion nodes, String line) {
        return nodes.node("image", new Op.Unsqueeze(), line, nodes.vector("image_row", 2));
    }

    private static Op line(Expansion nodes, String image) {
        return nodes.last(new Op.Squeeze(), image, nodes.vector("line_row", 2));
    }

    static Op maxPool(NodeDraft draft) {
        // The storage order matters only to the second output, the indices.
        draft.attributes().ignore("storage_order");
        draft.expect(1, 1);
        boolean line = isLinePool(draft);
        return pooled(draft, line, new Op.MaxPool(pool(draft), draft.attributes().flag("ceil_mode", false)));
    }

    static Op averagePool(NodeDraft draft) {
        draft.expect(1, 1);
        boolean line = isLinePool(draft);
        return pooled(draft, line, new Op.AveragePool(
                pool(draft),
                draft.attributes().flag("ceil_mode", false),
                draft.attributes().flag("count_include_pad", false)));
    }

    private static boolean isLinePool(NodeDraft draft) {
        return draft.attributes().length("kernel_shape") == 1;
    }

    private static Op pooled(NodeDraft draft, boolean line, Op pool) {
        if (!line) {
            return pool;
        }
        Expansion nodes = new Expansion(draft);
        return line(nodes, nodes.node("rows", pool, image(nodes, draft.input(0))));
    }

    static Window pool(NodeDraft draft) {
        if (!draft.attributes().has("kernel_shape")) {
            throw draft.broken("attribute 'kernel_shape' is missing");
        }
        return window(draft, draft.attributes().integers("kernel_shape", isLinePool(draft) ? 1 : 2, 1));
    }

    private static Window window(NodeDraft draft, int[] given) {
        Attributes attributes = draft.attributes();
        int dimensions = given.length;
        int[] kernel = inPlane(given, 1);
        int[] strides = inPlane(attributes.integers("strides", dimensions, 1), 1);
        int[] dilations = inPlane(attributes.integers("dilations", dimensions, 1), 1);
        int[] pads = attributes.integers("pads", 2 * dimensions, 0);
        pads = dimensions == 2 ? pads : new int[] {0, pads[0], 0, pads[1]};
        Window.AutoPad autoPad = autoPad(draft);
        if (autoPad != Window.AutoPad.EXPLICIT) {
            pads = new int[4];
        }
        return new Window(kernel[0], kernel[1], strides[0], strides[1], pads[0], pads[1], pads[2], pads[3],
                dilations[0], dilations[1], autoPad);
    }

    private static int[] inPlane(int[] values, int rows) {
        return values.length == 2 ? values : new int[] {rows, values[0]};
    }

    private static Window.AutoPad autoPad(NodeDraft draft) {
        String name = draft.attributes().string("auto_pad", "NOTSET");
        return switch (name) {
            case "NOTSET", "" -> Window.AutoPad.EXPLICIT;
            case "SAME_UPPER" -> Window.AutoPad.SAME_UPPER;
            case "SAME_LOWER" -> Window.AutoPad.SAME_LOWER;
            case "VALID" -> Window.AutoPad.VALID;
            default -> throw draft.broken("attribute 'auto_pad' is '" + name
                    + "', must be NOTSET, SAME_UPPER, SAME_LOWER or VALID");
        };
    }

    // Weights may come from quantisers, or be multiplied by a mask.
    private static Optional<Shape> shapeOf(String value, ReadScope scope) {
        return scope.ofConstants(value).map(ValueInfo::shape).filter(Shape::isKnown);
    }
}
