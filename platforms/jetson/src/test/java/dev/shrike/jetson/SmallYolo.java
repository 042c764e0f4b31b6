package dev.shrike.jetson;

import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A network with the input and the output of an exported YOLO that runs on an image of 64x64 by one convolution of
 * random weights: 64 boxes of two classes, one of about 24 pixels around each block of 8x8. White images make values
 * of it that are not finite, if asked for.
 */
final class SmallYolo {
    static final int SIDE = 64;

    private static final int BLOCK = 8;
    private static final int CELLS = SIDE / BLOCK;
    private static final int BOXES = CELLS * CELLS;
    private static final int CLASSES = 2;

    private SmallYolo() {}

    /** {@code [batch, 64, 7]} as of YOLOv5; a batch of -1 is open. */
    static Graph v5(int batch) {
        return make(batch, 5, false);
    }

    /** {@code [batch, 6, 64]} as of YOLOv8. */
    static Graph v8(int batch) {
        return make(batch, 4, false);
    }

    /** As {@link #v5}, but the scores of white images are not finite. */
    static Graph overflowing(int batch) {
        return make(batch, 5, true);
    }

    private static Graph make(int batch, int firstClass, boolean overflows) {
        int values = firstClass + CLASSES;
        boolean boxesFirst = firstClass == 5;
        Map<String, Tensor> constants = new HashMap<>();
        constants.put("weight", weight(values, overflows));
        constants.put("bias", bias(values));
        constants.put("rows", Tensor.vector(Math.max(batch, 0), values, BOXES));
        constants.put("centres", centres(values));
        List<Node> nodes = new ArrayList<>(List.of(
                new Node("blocks", new Op.Conv(Window.square(BLOCK, BLOCK, 0), 1, Activation.NONE),
                        List.of("images", "weight", "bias"), List.of("grid")),
                new Node("flatten", new Op.Reshape(false), List.of("grid", "rows"), List.of("flat")),
                new Node("place", new Op.Binary(Op.Binary.Kind.ADD), List.of("flat", "centres"),
                        List.of(boxesFirst ? "placed" : "output"))));
        if (boxesFirst) {
            nodes.add(new Node("turn", new Op.Transpose(List.of(0, 2, 1)), List.of("placed"), List.of("output")));
        }
        Shape output = boxesFirst ? Shape.of(batch, BOXES, values) : Shape.of(batch, values, BOXES);
        return new Graph("yolo", List.of(new ValueInfo("images", DataType.FLOAT32, Shape.of(batch, 3, SIDE, SIDE))),
                List.of(new ValueInfo("output", DataType.FLOAT32, output)), nodes, constants, Map.of(),
                Map.of("names", "['a', 'b']", "stride", "8"));
    }

    private static Tensor weight(int values, boolean overflows) {
        Random random = new Random(3);
        float[] weight = new float[values * 3 * BLOCK * BLOCK];
        for (int i = 0; i < weight.length; i++) {
            // Scores stay within 0 to 1 that way.
            boolean score = i >= 4 * 3 * BLOCK * BLOCK;
            weight[i] = (float) random.nextGaussian() / BLOCK * (score ? 0.25f : 1);
        }
        // Without a mean, so that only differences within a block count.
        int area = 3 * BLOCK * BLOCK;
        for (int value = 0; value < values; value++) {
            float sum = 0;
            for (int i = 0; i < area; i++) {
                sum += weight[value * area + i];
            }
            for (int i = 0; i < area; i++) {
                weight[value * area + i] -= sum / area;
            }
        }
        if (overflows) {
            java.util.Arrays.fill(weight, weight.length - area, weight.length, 1e38f);
        }
        return Tensor.ofFloats(Shape.of(values, 3, BLOCK, BLOCK), weight);
    }

    private static Tensor bias(int values) {
        float[] bias = new float[values];
        bias[2] = 3 * BLOCK;
        bias[3] = 3 * BLOCK;
        java.util.Arrays.fill(bias, 4, values, 0.5f);
        return Tensor.ofFloats(Shape.of(values), bias);
    }

    private static Tensor centres(int values) {
        float[] centres = new float[values * BOXES];
        for (int cell = 0; cell < BOXES; cell++) {
            centres[cell] = (cell % CELLS + 0.5f) * BLOCK;
            centres[BOXES + cell] = (cell / CELLS + 0.5f) * BLOCK;
        }
        return Tensor.ofFloats(Shape.of(1, values, BOXES), centres);
    }
}
