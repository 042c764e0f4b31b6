package dev.shrike;

import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import java.util.List;
import java.util.Map;

/**
 * A network with the input and the output of an exported YOLOv5 whose boxes can be told from the image: one of 8x8
 * around each block of 8x8 of an image of 64x64, whose objectness is the red of the block and whose class scores are
 * its green and its blue, 0 to 1. By convolutions with ReLU, so that there are several steps.
 */
public final class BlockYolo {
    /** Width and height of the input. */
    public static final int SIDE = 64;

    private static final int BLOCK = 8;
    private static final int CELLS = SIDE / BLOCK;
    private static final int BOXES = CELLS * CELLS;
    private static final int VALUES = 7;

    private BlockYolo() {}

    /** The network. */
    public static Graph graph() {
        Map<String, Tensor> constants = Map.of(
                "mean", mean(), "pass", pass(), "offsets", offsets(), "rows", Tensor.vector(1, VALUES, BOXES));
        List<Node> nodes = List.of(
                new Node("average", new Op.Conv(Window.square(BLOCK, BLOCK, 0), 1, Activation.NONE),
                        List.of("images", "mean"), List.of("averages")),
                new Node("relu", Op.Unary.of(Op.Unary.Kind.RELU), List.of("averages"), List.of("positive")),
                new Node("spread", new Op.Conv(Window.square(1, 1, 0), 1, Activation.NONE),
                        List.of("positive", "pass"), List.of("grid")),
                new Node("flatten", new Op.Reshape(false), List.of("grid", "rows"), List.of("flat")),
                new Node("offset", new Op.Binary(Op.Binary.Kind.ADD), List.of("flat", "offsets"), List.of("placed")),
                new Node("turn", new Op.Transpose(List.of(0, 2, 1)), List.of("placed"), List.of("output")));
        return new Graph("blocks", List.of(new ValueInfo("images", DataType.FLOAT32, Shape.of(1, 3, SIDE, SIDE))),
                List.of(new ValueInfo("output", DataType.FLOAT32, Shape.of(1, BOXES, VALUES))), nodes, constants,
                Map.of(), Map.of("names", "['green', 'blue']", "stride", "8"));
    }

    private static Tensor mean() {
        float[] weight = new float[3 * 3 * BLOCK * BLOCK];
        for (int channel = 0; channel < 3; channel++) {
            int from = (channel * 3 + channel) * BLOCK * BLOCK;
            java.util.Arrays.fill(weight, from, from + BLOCK * BLOCK, 1f / (BLOCK * BLOCK));
        }
        return Tensor.ofFloats(Shape.of(3, 3, BLOCK, BLOCK), weight);
    }

    private static Tensor pass() {
        float[] weight = new float[VALUES * 3];
        for (int channel = 0; channel < 3; channel++) {
            weight[(4 + channel) * 3 + channel] = 1;
        }
        return Tensor.ofFloats(Shape.of(VALUES, 3, 1, 1), weight);
    }

    private static Tensor offsets() {
        float[] values = new float[VALUES * BOXES];
        for (int cell = 0; cell < BOXES; cell++) {
            values[cell] = (cell % CELLS + 0.5f) * BLOCK;
            values[BOXES + cell] = (cell / CELLS + 0.5f) * BLOCK;
            values[2 * BOXES + cell] = BLOCK;
            values[3 * BOXES + cell] = BLOCK;
        }
        return Tensor.ofFloats(Shape.of(1, VALUES, BOXES), values);
    }
}
