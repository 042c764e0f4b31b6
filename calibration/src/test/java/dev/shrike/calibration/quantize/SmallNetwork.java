package dev.shrike.calibration.quantize;

import dev.shrike.Frame;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.ranges.ActivationObserver;
import dev.shrike.calibration.ranges.ActivationStatistics;
import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import dev.shrike.spi.Backend;
import dev.shrike.vision.Images;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A random network with all that a YOLOv5 has before its head is decoded, and images for it. */
public final class SmallNetwork {
    /** Pixels a side. */
    public static final int SIDE = 64;

    private final Random random;
    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Tensor> constants = new HashMap<>();

    private SmallNetwork(long seed) {
        this.random = new Random(seed);
    }

    /** The network of that seed. */
    public static Graph graph(long seed) {
        SmallNetwork network = new SmallNetwork(seed);
        network.conv("first", "images", 3, 8, 3, 2, true);
        network.conv("down", "first", 8, 16, 3, 2, true);
        network.conv("left", "down", 16, 8, 1, 1, true);
        network.conv("right", "down", 16, 8, 1, 1, true);
        network.conv("inner", "left", 8, 8, 3, 1, true);
        network.node("sum", new Op.Binary(Op.Binary.Kind.ADD), List.of("left", "inner"));
        network.node("both", new Op.Concat(1), List.of("sum", "right"));
        network.conv("joined", "both", 16, 16, 1, 1, true);
        network.conv("deep", "joined", 16, 24, 3, 2, true);
        network.node("pooled", new Op.MaxPool(Window.square(5, 1, 2), false), List.of("deep"));
        network.node("pyramid", new Op.Concat(1), List.of("deep", "pooled"));
        network.conv("narrow", "pyramid", 48, 16, 1, 1, true);
        network.constants.put("scales", Tensor.ofFloats(Shape.of(4), 1, 1, 2, 2));
        network.node("larger", new Op.Resize(Op.Resize.Mode.NEAREST, Op.Resize.Coordinates.ASYMMETRIC,
                Op.Resize.Nearest.FLOOR), List.of("narrow", "", "scales"));
        network.node("merged", new Op.Concat(1), List.of("larger", "joined"));
        network.conv("fine", "merged", 32, 16, 3, 1, true);
        network.conv("head", "fine", 16, 6, 1, 1, false);
        network.conv("coarse", "narrow", 16, 6, 1, 1, false);
        return new Graph("small", List.of(new ValueInfo("images", DataType.FLOAT32, Shape.of(1, 3, SIDE, SIDE))),
                List.of(new ValueInfo("head", DataType.FLOAT32, Shape.of(1, 6, SIDE / 4, SIDE / 4)),
                        new ValueInfo("coarse", DataType.FLOAT32, Shape.of(1, 6, SIDE / 8, SIDE / 8))),
                network.nodes, network.constants, Map.of(), Map.of());
    }

    private void node(String name, Op op, List<String> inputs) {
        nodes.add(new Node(name + ".node", op, inputs, List.of(name)));
    }

    private void conv(String name, String input, int from, int to, int kernel, int stride, boolean silu) {
        float[] weights = new float[to * from * kernel * kernel];
        float[] bias = new float[to];
        for (int row = 0; row < to; row++) {
            double gain = Math.exp(0.5 * random.nextGaussian()) * 2 / Math.sqrt((double) from * kernel * kernel);
            for (int i = 0; i < from * kernel * kernel; i++) {
                weights[row * from * kernel * kernel + i] = (float) (gain * random.nextGaussian());
            }
            bias[row] = (float) (0.3 * random.nextGaussian());
        }
        constants.put(name + ".w", Tensor.ofFloats(Shape.of(to, from, kernel, kernel), weights));
        constants.put(name + ".b", Tensor.ofFloats(Shape.of(to), bias));
        String result = silu ? name + ".raw" : name;
        nodes.add(new Node(name, new Op.Conv(Window.square(kernel, stride, kernel / 2), 1, Activation.NONE),
                List.of(input, name + ".w", name + ".b"), List.of(result)));
        if (silu) {
            node(name, Op.Unary.of(Op.Unary.Kind.SILU), List.of(result));
        }
    }

    /** What a quantiser needs to know of values, measured on all images. */
    public static Map<String, ActivationStatistics> statistics(Quantizer quantizer, CalibrationImages images,
            Backend backend) {
        try (ActivationObserver collector = new ActivationObserver(quantizer.prepared(),
                quantizer.valuesToMeasure(), images.shape(), backend, 1)) {
            for (int i = 0; i < images.size(); i++) {
                collector.add(images, i);
            }
            return collector.statistics();
        }
    }

    /** Writes images of smooth colours with edges. */
    public static List<Path> images(Path folder, int count) {
        List<Path> files = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Random random = new Random(100 + i);
            Frame frame = Frame.allocate(SIDE + 8 * (i % 3), SIDE);
            double[] phase = random.doubles(9, 0, 6).toArray();
            for (int y = 0; y < frame.height(); y++) {
                for (int x = 0; x < frame.width(); x++) {
                    for (int c = 0; c < 3; c++) {
                        double value = 128 + 60 * Math.sin(x / (4 + phase[c]) + phase[c + 3])
                                + (y > 10 * phase[c + 6] ? 60 : -60) + 8 * random.nextGaussian();
                        frame.pixels().set(ValueLayout.JAVA_BYTE, 3L * (y * frame.width() + x) + c,
                                (byte) Math.clamp(value, 0, 255));
                    }
                }
            }
            Path file = folder.resolve("image" + i + ".png");
            Images.write(frame, file);
            files.add(file);
        }
        return files;
    }
}
