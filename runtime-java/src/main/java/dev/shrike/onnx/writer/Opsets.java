package dev.shrike.onnx.writer;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.Window;
import java.util.Map;

/** Which opset a graph needs when it is written. */
public final class Opsets {
    /** What every ONNX tool of today reads, TensorRT 8.5 among them. */
    private static final int USUAL = 17;

    private Opsets() {}

    /** The lowest opset from the usual one on that can say what the graph says. */
    public static int of(Graph graph) {
        int opset = USUAL;
        for (Tensor tensor : graph.constants().values()) {
            opset = Math.max(opset, of(tensor.type()));
        }
        for (Node node : graph.nodes()) {
            opset = Math.max(opset, of(node, graph.constants()));
        }
        return opset;
    }

    /** The version of the file format that came with the opset. */
    static int irVersion(int opset) {
        return opset >= 21 ? 10 : opset >= 19 ? 9 : 8;
    }

    private static int of(DataType type) {
        return type.bits() == 4 ? 21 : USUAL;
    }

    private static int of(Node node, Map<String, Tensor> constants) {
        return switch (node.op()) {
            case Op.Cast cast -> of(cast.to());
            case Op.Split _ -> node.hasInput(1) ? USUAL : 18;
            case Op.Pad pad -> pad.mode() == Op.Pad.Mode.WRAP ? 19 : node.hasInput(3) ? 18 : USUAL;
            case Op.ScatterElements scatter -> of(scatter.reduction());
            case Op.ScatterNd scatter -> of(scatter.reduction());
            case Op.Reduce reduce ->
                reduce.kind() == Op.Reduce.Kind.SUM || !node.hasInput(1) || constants.containsKey(node.input(1)) ? USUAL
                        : 18;
            case Op.AveragePool pool -> isDilated(pool.window()) ? 19 : USUAL;
            case Op.QuantizeLinear quantize -> Math.max(
                    quantize.type().bits() != 8 || !node.hasInput(2) && quantize.type() != DataType.UINT8 ? 21 : USUAL,
                    ofScale(constants.get(node.input(1))));
            case Op.DequantizeLinear _ -> {
                Tensor zero = constants.get(node.input(2));
                Tensor codes = constants.get(node.input(0));
                boolean wide = zero != null && zero.type().bits() == 16 || codes != null && codes.type().bits() == 16;
                yield Math.max(wide ? 21 : USUAL, ofScale(constants.get(node.input(1))));
            }
            default -> USUAL;
        };
    }

    private static int of(Op.Reduction reduction) {
        return switch (reduction) {
            case NONE, ADD, MUL -> USUAL;
            case MIN, MAX -> 18;
        };
    }

    private static int ofScale(Tensor scale) {
        return scale != null && scale.type() == DataType.FLOAT16 ? 19 : USUAL;
    }

    private static boolean isDilated(Window window) {
        return window.dilationHeight() != 1 || window.dilationWidth() != 1;
    }
}
