package example.finder;

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
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A network with the input and output of an exported YOLOv5, one box for each block of 8x8 pixels of an image of 64x64
 * whose scores are how much redder than green it is, and such an image.
 */
final class RedBlocks {
    private static final int SIDE = 64;
    private static final int BLOCK = 8;
    private static final int AREA = BLOCK * BLOCK;
    private static final int CELLS = SIDE / BLOCK;
    /** Centre x and y, width, height, objectness, score of the one class. */
    private static final int VALUES = 6;

    private RedBlocks() {}

    static Path model(Path file) {
        Map<String, Tensor> constants = Map.of("weight", weight(), "bias",
                Tensor.ofFloats(Shape.of(VALUES), 0, 0, BLOCK, BLOCK, 0, 0), "rows",
                Tensor.vector(1, VALUES, CELLS * CELLS), "centres", centres());
        List<Node> nodes = List.of(
                new Node("blocks", new Op.Conv(Window.square(BLOCK, BLOCK, 0), 1, Activation.NONE),
                        List.of("images", "weight", "bias"), List.of("grid")),
                new Node("flatten", new Op.Reshape(false), List.of("grid", "rows"), List.of("flat")),
                new Node("turn", new Op.Transpose(List.of(0, 2, 1)), List.of("flat"), List.of("sizes")),
                new Node("move", new Op.Binary(Op.Binary.Kind.ADD), List.of("sizes", "centres"), List.of("output")));
        OnnxModels.write(new Graph("red blocks",
                List.of(new ValueInfo("images", DataType.FLOAT32, Shape.of(1, 3, SIDE, SIDE))),
                List.of(new ValueInfo("output", DataType.FLOAT32, Shape.of(1, CELLS * CELLS, VALUES))), nodes,
                constants, Map.of(), Map.of("names", "{0: 'red block'}", "stride", "32")), file);
        return file;
    }

    static Path image(Path file) {
        Frame frame = Frame.allocate(SIDE, SIDE);
        fill(frame, 1, 2);
        fill(frame, 5, 6);
        Images.write(frame, file);
        return file;
    }

    private static void fill(Frame frame, int column, int row) {
        for (int y = row * BLOCK; y < (row + 1) * BLOCK; y++) {
            for (int x = column * BLOCK; x < (column + 1) * BLOCK; x++) {
                frame.pixels().set(ValueLayout.JAVA_BYTE, 3L * (y * SIDE + x) + 2, (byte) 255);
            }
        }
    }

    /** Means over the block: red less green, for objectness and score. */
    private static Tensor weight() {
        float[] weight = new float[VALUES * 3 * AREA];
        for (int value = VALUES - 2; value < VALUES; value++) {
            int red = value * 3 * AREA;
            Arrays.fill(weight, red, red + AREA, 1f / AREA);
            Arrays.fill(weight, red + AREA, red + 2 * AREA, -1f / AREA);
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
