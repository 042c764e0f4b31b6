package dev.shrike.onnx;

import dev.shrike.graph.Activation;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import java.util.Optional;

/** Convolution and pooling: operators with a two-dimensional window. */
final class WindowOps {

    private WindowOps() {}

    static Op convolution(NodeDraft draft) {
        draft.expect(2, 3);
        // Weights may come from quantisers, or be multiplied by a mask.
        Optional<Shape> weights =
                draft.scope().ofConstants(draft.input(1)).map(ValueInfo::shape).filter(Shape::isKnown);
        if (weights.isPresent() && weights.get().rank() != 4) {
            throw draft.unsupported("has weights of shape " + weights.get()
                    + ", only two-dimensional convolutions (4 dimensions) are supported");
        }
        int[] kernel;
        if (draft.attributes().has("kernel_shape")) {
            kernel = draft.attributes().integers("kernel_shape", 2, 1);
        } else {
            Shape shape = weights.orElseThrow(() -> draft.unsupported(
                    "has neither the attribute 'kernel_shape' nor constant weights to learn the window's size from"));
            kernel = new int[] {Math.toIntExact(shape.dim(2)), Math.toIntExact(shape.dim(3))};
        }
        if (weights.isPresent() && (weights.get().dim(2) != kernel[0] || weights.get().dim(3) != kernel[1])) {
            throw draft.broken("has weights of shape " + weights.get() + " for a window of " + kernel[0] + "x"
                    + kernel[1]);
        }
        int group = draft.attributes().integer("group", 1);
        if (group < 1 || weights.isPresent() && weights.get().dim(0) % group != 0) {
            throw draft.broken(
                    "attribute 'group' is " + group + weights.map(w -> " for weights of shape " + w).orElse(""));
        }
        return new Op.Conv(window(draft, kernel), group, Activation.NONE);
    }

    static Op maxPool(NodeDraft draft) {
        // The storage order matters only to the second output, the indices.
        draft.attributes().ignore("storage_order");
        draft.expect(1, 1);
        return new Op.MaxPool(pool(draft), draft.attributes().flag("ceil_mode", false));
    }

    static Op averagePool(NodeDraft draft) {
        draft.expect(1, 1);
        return new Op.AveragePool(
                pool(draft),
                draft.attributes().flag("ceil_mode", false),
                draft.attributes().flag("count_include_pad", false));
    }

    private static Window pool(NodeDraft draft) {
        if (!draft.attributes().has("kernel_shape")) {
            throw draft.broken("attribute 'kernel_shape' is missing");
        }
        return window(draft, draft.attributes().integers("kernel_shape", 2, 1));
    }

    private static Window window(NodeDraft draft, int[] kernel) {
        Attributes attributes = draft.attributes();
        int[] strides = attributes.integers("strides", 2, 1);
        int[] dilations = attributes.integers("dilations", 2, 1);
        int[] pads = attributes.integers("pads", 4, 0);
        String name = attributes.string("auto_pad", "NOTSET");
        Window.AutoPad autoPad =
                switch (name) {
                    case "NOTSET", "" -> Window.AutoPad.EXPLICIT;
                    case "SAME_UPPER" -> Window.AutoPad.SAME_UPPER;
                    case "SAME_LOWER" -> Window.AutoPad.SAME_LOWER;
                    case "VALID" -> Window.AutoPad.VALID;
                    default -> throw draft.broken("attribute 'auto_pad' is '" + name
                            + "', must be NOTSET, SAME_UPPER, SAME_LOWER or VALID");
                };
        if (autoPad != Window.AutoPad.EXPLICIT) {
            pads = new int[4];
        }
        return new Window(kernel[0], kernel[1], strides[0], strides[1], pads[0], pads[1], pads[2], pads[3],
                dilations[0], dilations[1], autoPad);
    }
}
