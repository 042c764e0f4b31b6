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
import dev.shrike.graph.inference.ShapeInference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Small detection networks with random weights. */
public final class TestNetworks {
    /** Anchors of three strides, two each. */
    public static final List<Float> ANCHORS = List.of(6f, 7f, 11f, 9f, 17f, 21f, 30f, 25f, 40f, 52f, 61f, 58f);
    private static final int CHANNELS = 4;

    private final Random random = new Random(7);
    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Tensor> constants = new HashMap<>();
    private final boolean normalized;

    private TestNetworks(boolean normalized) {
        this.normalized = normalized;
    }

    /** A network with the head of YOLOv5: 3 strides, 2 anchors each. */
    public static TrainableModel yolov5(int side, int classes, boolean normalized) {
        return new TestNetworks(normalized).build(DetectHead.Family.YOLOV5, side, classes);
    }

    /** A network with the head of YOLOv8 for 3 strides. */
    public static TrainableModel yolov8(int side, int classes, boolean normalized) {
        return new TestNetworks(normalized).build(DetectHead.Family.YOLOV8, side, classes);
    }

    private TrainableModel build(DetectHead.Family family, int side, int classes) {
        String x = "images";
        int inputs = 3;
        List<String> outputs = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            x = block("model." + i, x, inputs, 2);
            inputs = CHANNELS;
            if (i >= 2 && family == DetectHead.Family.YOLOV5) {
                outputs.add(conv("model.9.m." + (i - 2), x, CHANNELS, 2 * (5 + classes), 1, 1, true));
            } else if (i >= 2) {
                outputs.add(conv("model.9.cv2." + (i - 2), x, CHANNELS, 4 * DetectHead.BINS, 1, 1, true));
                outputs.add(conv("model.9.cv3." + (i - 2), x, CHANNELS, classes, 1, 1, true));
            }
        }
        DetectHead head = new DetectHead(family, classes, List.of(8, 16, 32),
                family == DetectHead.Family.YOLOV5 ? ANCHORS : List.of(), outputs);
        List<String> names = new ArrayList<>();
        for (int i = 0; i < classes; i++) {
            names.add("kind" + i);
        }
        Graph bare = new Graph("small",
                List.of(new ValueInfo("images", DataType.FLOAT32, Shape.of(1, 3, side, side))), List.of(), nodes,
                constants, Map.of(), Map.of("names", ClassTransfer.literal(names), "stride", "32"));
        Map<String, ValueInfo> infos = ShapeInference.infer(bare);
        Graph trunk = bare.withOutputs(outputs.stream().map(infos::get).toList());
        return new TrainableModel(DecodeNodes.append(trunk, head, "output"), trunk, head);
    }

    private String block(String name, String x, int inputs, int stride) {
        String sum = conv(name + ".conv", x, inputs, CHANNELS, 3, stride, !normalized);
        String y = normalized ? norm(name + ".bn", sum) : sum;
        nodes.add(new Node(name + "/act", Op.Unary.of(Op.Unary.Kind.SILU), List.of(y), List.of(name + "/act_output")));
        return name + "/act_output";
    }

    private String conv(String name, String x, int inputs, int outputs, int kernel, int stride, boolean bias) {
        List<String> names = new ArrayList<>(List.of(x, name + ".weight"));
        constants.put(name + ".weight", values(0, 1 / Math.sqrt(inputs * kernel * kernel), outputs, inputs, kernel,
                kernel));
        if (bias) {
            constants.put(name + ".bias", values(0, 0.1, outputs));
            names.add(name + ".bias");
        }
        nodes.add(new Node(name, new Op.Conv(Window.square(kernel, stride, kernel / 2), 1, Activation.NONE), names,
                List.of(name + "_output")));
        return name + "_output";
    }

    private String norm(String name, String x) {
        List<String> names = List.of(x, name + ".weight", name + ".bias", name + ".mean", name + ".var");
        constants.put(names.get(1), values(1, 0.1, CHANNELS));
        constants.put(names.get(2), values(0, 0.1, CHANNELS));
        constants.put(names.get(3), values(0, 0.1, CHANNELS));
        constants.put(names.get(4), values(1, 0.1, CHANNELS));
        nodes.add(new Node(name, new Op.BatchNormalization(1e-3f), names, List.of(name + "_output")));
        return name + "_output";
    }

    private Tensor values(double mean, double deviation, long... dims) {
        Shape shape = Shape.of(dims);
        float[] values = new float[(int) shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (mean + deviation * random.nextGaussian());
        }
        return Tensor.ofFloats(shape, values);
    }

    /** Random numbers within 0 to 1. */
    public static float[] pixels(int count, long seed) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextFloat();
        }
        return values;
    }
}
