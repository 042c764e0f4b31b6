package dev.shrike.graph.shapes;

import static dev.shrike.graph.NodeView.one;
import static dev.shrike.graph.shapes.ShapeRules.differ;

import dev.shrike.graph.Broadcast;
import dev.shrike.graph.DataType;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.TensorType;
import java.util.List;

/** Shapes of the ONNX and QONNX quantisation operations. */
final class QuantizationShapes {
    private QuantizationShapes() {}

    static List<TensorType> quantizeLinear(NodeView view, Op.QuantizeLinear quantize) {
        view.requireFloat(0);
        requireScale(view, quantize.axis());
        DataType type = view.has(2) ? view.type(2) : quantize.type();
        if (type == null || type.isFloating() || type == DataType.BOOL || type == DataType.INT64) {
            throw view.mismatch("output type " + type, "an integer type of up to 32 bits");
        }
        return one(type, view.shape(0));
    }

    static List<TensorType> dequantizeLinear(NodeView view, Op.DequantizeLinear dequantize) {
        if (view.type(0).isFloating() || view.type(0) == DataType.BOOL) {
            throw view.mismatch("input 0 has type " + view.type(0), "an integer type");
        }
        requireScale(view, dequantize.axis());
        if (view.has(2)) {
            view.requireSameType(0, 2);
        }
        return one(view.type(1), view.shape(0));
    }

    static List<TensorType> dynamicQuantizeLinear(NodeView view) {
        return List.of(new TensorType(DataType.UINT8, dynamicQuant(view).getFirst().shape()),
                new TensorType(DataType.FLOAT32, Shape.of()), new TensorType(DataType.UINT8, Shape.of()));
    }

    static List<TensorType> dynamicQuant(NodeView view) {
        if (view.type(0) != DataType.FLOAT32) {
            throw view.mismatch("input 0 has type " + view.type(0), "FLOAT32");
        }
        return one(DataType.FLOAT32, view.shape(0));
    }

    private static void requireScale(NodeView view, int axis) {
        view.requireFloat(1);
        Shape scale = view.shape(1);
        if (scale.rank() > 1) {
            throw view.unsupported("scales of shape " + scale + " (in blocks) are not supported; quantise it again per"
                    + " channel, or give the float model to 'shrike quantize'");
        }
        Shape x = view.shape(0);
        if (scale.rank() == 1 && scale.dim(0) != 1 && differ(scale.dim(0), x.dim(view.axis(axis, x.rank())))) {
            throw view.mismatch("the scale has shape " + scale, "a scalar or one per index of axis " + axis + " of "
                    + x);
        }
        if (view.has(2) && scale.isKnown() && view.shape(2).isKnown()
                && scale.elements() != view.shape(2).elements()) {
            throw view.mismatch("the zero point has shape " + view.shape(2), scale + " like the scale");
        }
    }

    /** QONNX operations: every input is real and repeated to the shape of the first. */
    static List<TensorType> scaled(NodeView view, int inputs) {
        Shape shape = view.shape(0);
        for (int i = 0; i < inputs; i++) {
            view.requireFloat(i);
            shape = Broadcast.shape(view, shape, view.shape(i));
        }
        return one(view.type(0), shape);
    }
}
