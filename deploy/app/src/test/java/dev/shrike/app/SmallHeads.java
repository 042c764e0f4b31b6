package dev.shrike.app;

import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import dev.shrike.graph.passes.EliminateDeadNodes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A network of three convolutions, one a stride, whose outputs are raw heads, and after them the decoding that
 * Detect of YOLOv5 v6.1 does, in nodes of their own.
 */
final class SmallHeads {
    static final int SIDE = 64;

    private static final int VALUES = 7;
    private static final Map<String, String> NAMES = Map.of("names", "['a', 'b']");

    private final Map<String, Tensor> constants = new HashMap<>();
    private final List<Node> heads = new ArrayList<>();
    private final List<Node> turned = new ArrayList<>();
    private final List<Node> decoding = new ArrayList<>();
    private final float[] anchors;

    SmallHeads(float[] anchors) {
        this.anchors = anchors;
        Random random = new Random(3);
        constants.put("two", Tensor.ofFloats(Shape.of(), 2));
        constants.put("half", Tensor.ofFloats(Shape.of(), 0.5f));
        constants.put("parts", Tensor.vector(2, 2, VALUES - 4));
        for (int h = 0; h < 3; h++) {
            head(h, 8 << h, random);
        }
        decoding.add(new Node("join", new Op.Concat(1), List.of("out0", "out1", "out2"), List.of("output")));
    }

    private void head(int h, int stride, Random random) {
        int side = SIDE / stride;
        float[] weight = new float[3 * VALUES * 3 * stride * stride];
        for (int i = 0; i < weight.length; i++) {
            weight[i] = (float) random.nextGaussian() * 2 / stride;
        }
        constants.put("w" + h, Tensor.ofFloats(Shape.of(3 * VALUES, 3, stride, stride), weight));
        heads.add(new Node("m" + h, new Op.Conv(Window.square(stride, stride, 0), 1, Activation.NONE),
                List.of("images", "w" + h), List.of("flat" + h)));
        constants.put("split" + h, Tensor.vector(1, 3, VALUES, side, side));
        turned.add(new Node("split" + h, new Op.Reshape(false), List.of("flat" + h, "split" + h), List.of("s" + h)));
        turned.add(new Node("turn" + h, new Op.Transpose(List.of(0, 1, 3, 4, 2)), List.of("s" + h),
                List.of("raw" + h)));
        float[] grid = new float[side * side * 2];
        for (int i = 0; i < side * side; i++) {
            grid[2 * i] = i % side;
            grid[2 * i + 1] = i / side;
        }
        constants.put("grid" + h, Tensor.ofFloats(Shape.of(1, 1, side, side, 2), grid));
        constants.put("stride" + h, Tensor.ofFloats(Shape.of(), stride));
        float[] own = Arrays.copyOfRange(anchors, 6 * h, 6 * h + 6);
        constants.put("anchors" + h, Tensor.ofFloats(Shape.of(1, 3, 1, 1, 2), own));
        constants.put("rows" + h, Tensor.vector(1, 3 * side * side, VALUES));
        decoding.add(new Node("sigmoid" + h, Op.Unary.of(Op.Unary.Kind.SIGMOID), List.of("raw" + h),
                List.of("y" + h)));
        decoding.add(new Node("cut" + h, new Op.Split(4), List.of("y" + h, "parts"),
                List.of("xy" + h, "wh" + h, "score" + h)));
        binary(Op.Binary.Kind.MUL, "xy" + h, "two", "xy2" + h);
        binary(Op.Binary.Kind.SUB, "xy2" + h, "half", "xy3" + h);
        binary(Op.Binary.Kind.ADD, "xy3" + h, "grid" + h, "xy4" + h);
        binary(Op.Binary.Kind.MUL, "xy4" + h, "stride" + h, "xy5" + h);
        binary(Op.Binary.Kind.MUL, "wh" + h, "two", "wh2" + h);
        binary(Op.Binary.Kind.MUL, "wh2" + h, "wh2" + h, "wh3" + h);
        binary(Op.Binary.Kind.MUL, "wh3" + h, "anchors" + h, "wh4" + h);
        decoding.add(new Node("box" + h, new Op.Concat(4), List.of("xy5" + h, "wh4" + h, "score" + h),
                List.of("box" + h)));
        decoding.add(new Node("row" + h, new Op.Reshape(false), List.of("box" + h, "rows" + h), List.of("out" + h)));
    }

    private void binary(Op.Binary.Kind kind, String a, String b, String to) {
        decoding.add(new Node(to, new Op.Binary(kind), List.of(a, b), List.of(to)));
    }

    private Graph graph(Map<String, String> metadata, List<Node> nodes, List<ValueInfo> outputs) {
        ValueInfo input = new ValueInfo("images", DataType.FLOAT32, Shape.of(1, 3, SIDE, SIDE));
        return new EliminateDeadNodes()
                .apply(new Graph("heads", List.of(input), outputs, nodes, constants, Map.of(), metadata));
    }

    private static List<ValueInfo> outputs(String name, boolean split) {
        List<ValueInfo> outputs = new ArrayList<>();
        for (int h = 0; h < 3; h++) {
            int side = SIDE / (8 << h);
            outputs.add(new ValueInfo(name + h, DataType.FLOAT32,
                    split ? Shape.of(1, 3, side, side, VALUES) : Shape.of(1, 3 * VALUES, side, side)));
        }
        return outputs;
    }

    /** {@code [1, 21, H, W]}, the largest stride first. */
    Graph flat(Map<String, String> metadata) {
        return graph(metadata, heads, outputs("flat", false).reversed());
    }

    /** {@code [1, 3, H, W, 7]}, as {@code export.py --train} writes them. */
    Graph split(Map<String, String> metadata) {
        List<Node> nodes = new ArrayList<>(heads);
        nodes.addAll(turned);
        return graph(metadata, nodes, outputs("raw", true));
    }

    /** As {@link #split} behind the sigmoid. */
    Graph scored() {
        return graph(NAMES, all(), outputs("y", true));
    }

    private List<Node> all() {
        List<Node> nodes = new ArrayList<>(heads);
        nodes.addAll(turned);
        nodes.addAll(decoding);
        return nodes;
    }

    /** {@code [1, 252, 7]}. */
    Graph decoded() {
        return graph(NAMES, all(),
                List.of(new ValueInfo("output", DataType.FLOAT32, Shape.of(1, 252, VALUES))));
    }
}
