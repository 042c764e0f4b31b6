package dev.shrike.training;

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
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The nodes that make boxes of a head, in the form of Ultralytics' exports: {@code [1, N, 5 + classes]} of YOLOv5,
 * {@code [1, 4 + classes, N]} of YOLOv8.
 */
final class DecodeNodes {
    private final DetectHead head;
    private final int width;
    private final int height;
    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Tensor> constants = new HashMap<>();
    private final Set<String> used = new HashSet<>();

    private DecodeNodes(Graph trunk, DetectHead head) {
        this.head = head;
        this.width = (int) trunk.inputs().getFirst().shape().dim(3);
        this.height = (int) trunk.inputs().getFirst().shape().dim(2);
        trunk.nodes().forEach(node -> {
            used.add(node.name());
            used.addAll(node.outputs());
            used.addAll(node.inputs());
        });
    }

    /** The trunk with the nodes behind it. */
    static Graph append(Graph trunk, DetectHead head, String output) {
        DecodeNodes decode = new DecodeNodes(trunk, head);
        Shape shape = switch (head.family()) {
            case YOLOV5 -> decode.anchored(output);
            case YOLOV8 -> decode.anchorFree(output);
        };
        List<Node> all = new ArrayList<>(trunk.nodes());
        all.addAll(decode.nodes);
        Map<String, Tensor> constants = new HashMap<>(trunk.constants());
        constants.putAll(decode.constants);
        return trunk.withOutputs(List.of()).withNodes(all, constants)
                .withOutputs(List.of(new ValueInfo(output, DataType.FLOAT32, shape)));
    }

    private Shape anchored(String output) {
        int anchors = head.anchorsPerStride();
        int numbers = 5 + head.classes();
        List<String> levels = new ArrayList<>();
        long rows = 0;
        for (int level = 0; level < head.strides().size(); level++) {
            int stride = head.strides().get(level);
            int h = height / stride;
            int w = width / stride;
            rows += (long) anchors * h * w;
            String split = reshape(head.outputs().get(level), 1, anchors, numbers, h, w);
            String boxes = node("Transpose", new Op.Transpose(List.of(0, 1, 3, 4, 2)), split);
            String scores = node("Sigmoid", Op.Unary.of(Op.Unary.Kind.SIGMOID), boxes);
            List<String> parts = split(scores, 4, 2, 2, numbers - 4);
            String centre = binary(Op.Binary.Kind.MUL, parts.get(0), Tensor.scalar(2));
            centre = binary(Op.Binary.Kind.ADD, centre, cells(anchors, h, w));
            centre = binary(Op.Binary.Kind.MUL, centre, Tensor.scalar(stride));
            String size = binary(Op.Binary.Kind.MUL, parts.get(1), Tensor.scalar(2));
            size = binary(Op.Binary.Kind.POW, size, Tensor.scalar(2));
            size = binary(Op.Binary.Kind.MUL, size, anchorSizes(level, anchors, h, w));
            levels.add(reshape(node("Concat", new Op.Concat(4), centre, size, parts.get(2)), 1, -1, numbers));
        }
        nodes.add(new Node(next("Concat"), new Op.Concat(1), levels, List.of(output)));
        return Shape.of(1, rows, numbers);
    }

    /** Column and row of each cell less one half, for each anchor. */
    private static Tensor cells(int anchors, int h, int w) {
        float[] values = new float[anchors * h * w * 2];
        for (int i = 0; i < values.length / 2; i++) {
            values[2 * i] = i % w - 0.5f;
            values[2 * i + 1] = i / w % h - 0.5f;
        }
        return Tensor.ofFloats(Shape.of(1, anchors, h, w, 2), values);
    }

    private Tensor anchorSizes(int level, int anchors, int h, int w) {
        float[] values = new float[anchors * h * w * 2];
        for (int i = 0; i < values.length; i++) {
            int anchor = i / 2 / (h * w);
            values[i] = head.anchors().get(2 * (level * anchors + anchor) + i % 2);
        }
        return Tensor.ofFloats(Shape.of(1, anchors, h, w, 2), values);
    }

    private Shape anchorFree(String output) {
        int bins = DetectHead.BINS;
        List<String> levels = new ArrayList<>();
        int rows = 0;
        for (int level = 0; level < head.strides().size(); level++) {
            int stride = head.strides().get(level);
            int cells = (height / stride) * (width / stride);
            rows += cells;
            String joined = node("Concat", new Op.Concat(1), head.outputs().get(2 * level),
                    head.outputs().get(2 * level + 1));
            levels.add(reshape(joined, 1, 4L * bins + head.classes(), cells));
        }
        String all = node("Concat", new Op.Concat(2), levels.toArray(String[]::new));
        List<String> parts = split(all, 1, 4L * bins, head.classes());
        String split = reshape(parts.get(0), 1, 4, bins, rows);
        String turned = node("Transpose", new Op.Transpose(List.of(0, 2, 1, 3)), split);
        String shares = node("Softmax", new Op.Softmax(1), turned);
        String distances = reshape(node("Conv", new Op.Conv(Window.square(1, 1, 0), 1, Activation.NONE), shares,
                constant(bins())), 1, 4, rows);
        List<String> sides = split(distances, 1, 2, 2);
        String points = constant(points(rows));
        String low = node("Sub", new Op.Binary(Op.Binary.Kind.SUB), points, sides.get(0));
        String high = node("Add", new Op.Binary(Op.Binary.Kind.ADD), points, sides.get(1));
        String sum = node("Add", new Op.Binary(Op.Binary.Kind.ADD), low, high);
        String centre = binary(Op.Binary.Kind.DIV, sum, Tensor.scalar(2));
        String size = node("Sub", new Op.Binary(Op.Binary.Kind.SUB), high, low);
        String boxes = binary(Op.Binary.Kind.MUL, node("Concat", new Op.Concat(1), centre, size), strides(rows));
        String scores = node("Sigmoid", Op.Unary.of(Op.Unary.Kind.SIGMOID), parts.get(1));
        nodes.add(new Node(next("Concat"), new Op.Concat(1), List.of(boxes, scores), List.of(output)));
        return Shape.of(1, 4L + head.classes(), rows);
    }

    private static Tensor bins() {
        float[] values = new float[DetectHead.BINS];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        return Tensor.ofFloats(Shape.of(1, DetectHead.BINS, 1, 1), values);
    }

    /** The middle of each cell, in cells. */
    private Tensor points(int rows) {
        float[] values = new float[2 * rows];
        int at = 0;
        for (int stride : head.strides()) {
            int w = width / stride;
            for (int i = 0; i < height / stride * w; i++, at++) {
                values[at] = i % w + 0.5f;
                values[rows + at] = i / w + 0.5f;
            }
        }
        return Tensor.ofFloats(Shape.of(1, 2, rows), values);
    }

    private Tensor strides(int rows) {
        float[] values = new float[rows];
        int at = 0;
        for (int stride : head.strides()) {
            for (int i = 0; i < (height / stride) * (width / stride); i++) {
                values[at++] = stride;
            }
        }
        return Tensor.ofFloats(Shape.of(1, 1, rows), values);
    }

    private List<String> split(String input, int axis, long... sizes) {
        String name = next("Split");
        List<String> outputs = new ArrayList<>();
        for (int i = 0; i < sizes.length; i++) {
            outputs.add(name + "_output_" + i);
        }
        nodes.add(new Node(name, new Op.Split(axis), List.of(input, constant(Tensor.vector(sizes))), outputs));
        return outputs;
    }

    private String reshape(String input, long... dims) {
        return node("Reshape", new Op.Reshape(false), input, constant(Tensor.vector(dims)));
    }

    private String binary(Op.Binary.Kind kind, String left, Tensor right) {
        return node(kind.name().charAt(0) + kind.name().substring(1).toLowerCase(java.util.Locale.ROOT),
                new Op.Binary(kind), left, constant(right));
    }

    private String constant(Tensor value) {
        String name = next("Constant") + "_output_0";
        constants.put(name, value);
        return name;
    }

    private String node(String kind, Op op, String... inputs) {
        String name = next(kind);
        nodes.add(new Node(name, op, List.of(inputs), List.of(name + "_output_0")));
        return name + "_output_0";
    }

    private String next(String kind) {
        String name = "/decode/" + kind;
        for (int i = 1; used.contains(name) || used.contains(name + "_output_0"); i++) {
            name = "/decode/" + kind + "_" + i;
        }
        used.add(name);
        used.add(name + "_output_0");
        return name;
    }
}
