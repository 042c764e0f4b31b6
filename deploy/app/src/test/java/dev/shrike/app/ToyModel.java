package dev.shrike.app;

import dev.shrike.Frame;
import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.vision.Images;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A network with the input and output of an exported YOLOv5 that finds red and blue blocks of 8x8 pixels in an image
 * of 64x64: one box a block, whose objectness is red + blue - 2 green and whose class scores are red - green and
 * blue - green, all means over the block.
 */
public final class ToyModel {
    /** Side of the input in pixels. */
    public static final int SIDE = 64;

    private static final int BLOCK = 8;
    private static final int CELLS = SIDE / BLOCK;
    private static final int VALUES = 7;
    private static final int RED = 0;
    private static final int GREEN = 1;
    private static final int BLUE = 2;

    private ToyModel() {}

    /** Writes the network as ONNX. */
    public static Path write(Path file) {
        Map<String, Tensor> constants = Map.of(
                "weight", weight(),
                "bias", Tensor.ofFloats(Shape.of(VALUES), 0, 0, BLOCK, BLOCK, 0, 0, 0),
                "rows", Tensor.vector(1, VALUES, CELLS * CELLS),
                "centres", centres());
        List<Node> nodes = List.of(
                new Node(
                        "blocks",
                        new Op.Conv(Window.square(BLOCK, BLOCK, 0), 1, Activation.NONE),
                        List.of("images", "weight", "bias"),
                        List.of("grid")),
                new Node("flatten", new Op.Reshape(false), List.of("grid", "rows"), List.of("flat")),
                new Node("boxes", new Op.Transpose(List.of(0, 2, 1)), List.of("flat"), List.of("offsets")),
                new Node(
                        "place",
                        new Op.Binary(Op.Binary.Kind.ADD),
                        List.of("offsets", "centres"),
                        List.of("output")));
        OnnxModels.write(
                new Graph(
                        "toy",
                        List.of(new ValueInfo("images", DataType.FLOAT32, Shape.of(1, 3, SIDE, SIDE))),
                        List.of(new ValueInfo("output", DataType.FLOAT32, Shape.of(1, CELLS * CELLS, VALUES))),
                        nodes,
                        constants,
                        Map.of(),
                        Map.of("names", "{0: 'red block', 1: 'blue block'}", "stride", "32")),
                file);
        return file;
    }

    /** Writes a black image of 64x64 with a red block at each of the columns and rows given in turn, in blocks. */
    public static Path image(Path file, int... cells) {
        Frame frame = Frame.allocate(SIDE, SIDE);
        for (int i = 0; i < cells.length; i += 2) {
            fill(frame, cells[i], cells[i + 1], 2);
        }
        Images.write(frame, file);
        return file;
    }

    /** Writes a black image of 64x64 with a red block at (1, 2) and a blue one at (5, 6), in blocks. */
    public static Path redAndBlue(Path file) {
        Frame frame = Frame.allocate(SIDE, SIDE);
        fill(frame, 1, 2, 2);
        fill(frame, 5, 6, 0);
        Images.write(frame, file);
        return file;
    }

    private static void fill(Frame frame, int column, int row, int channel) {
        for (int y = row * BLOCK; y < (row + 1) * BLOCK; y++) {
            for (int x = column * BLOCK; x < (column + 1) * BLOCK; x++) {
                frame.pixels().set(ValueLayout.JAVA_BYTE, 3L * (y * SIDE + x) + channel, (byte) 255);
            }
        }
    }

    private static Tensor weight() {
        int area = BLOCK * BLOCK;
        float[] weight = new float[VALUES * 3 * area];
        float[][] mix = new float[VALUES][3];
        mix[4] = new float[] {1, -2, 1};
        mix[5] = new float[] {1, -1, 0};
        mix[6] = new float[] {0, -1, 1};
        for (int value = 0; value < VALUES; value++) {
            for (int channel : new int[] {RED, GREEN, BLUE}) {
                for (int i = 0; i < area; i++) {
                    weight[(value * 3 + channel) * area + i] = mix[value][channel] / area;
                }
            }
        }
        return Tensor.ofFloats(Shape.of(VALUES, 3, BLOCK, BLOCK), weight);
    }

    private static Tensor centres() {
        float[] centres = new float[CELLS * CELLS * VALUES];
        for (int cell = 0; cell < CELLS * CELLS; cell++) {
            centres[cell * VALUES] = (cell % CELLS + 0.5f) * BLOCK;
            centres[cell * VALUES + 1] = (cell / CELLS + 0.5f) * BLOCK;
        }
        return Tensor.ofFloats(Shape.of(1, CELLS * CELLS, VALUES), centres);
    }
}
