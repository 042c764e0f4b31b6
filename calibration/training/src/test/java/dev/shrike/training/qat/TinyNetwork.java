package dev.shrike.training.qat;

import dev.shrike.calibration.quantize.BitWidths;
import dev.shrike.calibration.quantize.QuantizationPlan;
import dev.shrike.calibration.quantize.Quantizer;
import dev.shrike.calibration.quantize.rounding.WeightFormat;
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
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A random network with what a YOLOv5 has before its head is decoded: two heads, a sum, joins, a pool, a resize. */
public final class TinyNetwork {
    /** Pixels a side. */
    public static final int SIDE = 32;

    private final Random random;
    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Tensor> constants = new HashMap<>();

    private TinyNetwork(long seed) {
        this.random = new Random(seed);
    }

    /** The float network of that seed. */
    public static Graph real(long seed) {
        TinyNetwork network = new TinyNetwork(seed);
        network.conv("first", "images", 3, 8, 3, 2, true);
        network.conv("down", "first", 8, 12, 3, 2, true);
        network.conv("left", "down", 12, 8, 1, 1, true);
        network.conv("inner", "left", 8, 8, 3, 1, true);
        network.node("sum", new Op.Binary(Op.Binary.Kind.ADD), "left", "inner");
        network.node("both", new Op.Concat(1), "sum", "down");
        network.conv("deep", "both", 20, 16, 3, 2, true);
        network.node("pooled", new Op.MaxPool(Window.square(5, 1, 2), false), "deep");
        network.node("pyramid", new Op.Concat(1), "deep", "pooled");
        network.conv("narrow", "pyramid", 32, 12, 1, 1, true);
        network.constants.put("scales", Tensor.ofFloats(Shape.of(4), 1, 1, 2, 2));
        network.node("larger", new Op.Resize(Op.Resize.Mode.NEAREST, Op.Resize.Coordinates.ASYMMETRIC,
                Op.Resize.Nearest.FLOOR), "narrow", "", "scales");
        network.node("merged", new Op.Concat(1), "larger", "both");
        network.conv("fine", "merged", 32, 12, 3, 1, true);
        network.conv("head", "fine", 12, 7, 1, 1, false);
        network.conv("coarse", "narrow", 12, 7, 1, 1, false);
        return new Graph("tiny", List.of(new ValueInfo("images", DataType.FLOAT32, Shape.of(1, 3, SIDE, SIDE))),
                List.of(new ValueInfo("head", DataType.FLOAT32, Shape.of(1, 7, SIDE / 4, SIDE / 4)),
                        new ValueInfo("coarse", DataType.FLOAT32, Shape.of(1, 7, SIDE / 8, SIDE / 8))),
                network.nodes, network.constants, Map.of(), Map.of());
    }

    /** That network quantised by the ranges of one image, first and last layers with 8 bits. */
    public static Graph quantized(Graph real, int weightBits, int activationBits) {
        return quantized(real, image(1), weightBits, activationBits);
    }

    /** As the other method, by the ranges of this image. */
    public static Graph quantized(Graph real, Tensor image, int weightBits, int activationBits) {
        Quantizer quantizer = Quantizer.withoutFit(real);
        QuantizationPlan plan =
                quantizer.uniform(new BitWidths(weightBits, activationBits, WeightFormat.SYMMETRIC));
        Map<String, ActivationStatistics> statistics = new HashMap<>();
        ReferenceEvaluator.run(quantizer.prepared(), Map.of("images", image), quantizer.valuesToMeasure(plan))
                .forEach((name, tensor) -> {
                    float low = Float.POSITIVE_INFINITY;
                    float high = Float.NEGATIVE_INFINITY;
                    for (float value : tensor.toFloats()) {
                        low = Math.min(low, value);
                        high = Math.max(high, value);
                    }
                    statistics.put(name, ActivationStatistics.ofRange(low, high));
                });
        return quantizer.quantize(plan, statistics).graph();
    }

    /** A random image of bytes. */
    public static Tensor image(long seed) {
        Random random = new Random(seed);
        float[] values = new float[3 * SIDE * SIDE];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextInt(256) / 255f;
        }
        return Tensor.ofFloats(Shape.of(1, 3, SIDE, SIDE), values);
    }

    private void node(String name, Op op, String... inputs) {
        nodes.add(new Node(name + ".node", op, List.of(inputs), List.of(name)));
    }

    private void conv(String name, String input, int from, int to, int kernel, int stride, boolean silu) {
        float[] weights = new float[to * from * kernel * kernel];
        float[] bias = new float[to];
        for (int row = 0; row < to; row++) {
            double gain = Math.exp(0.4 * random.nextGaussian()) * 2 / Math.sqrt((double) from * kernel * kernel);
            for (int i = 0; i < from * kernel * kernel; i++) {
                weights[row * from * kernel * kernel + i] = (float) (gain * random.nextGaussian());
            }
            bias[row] = (float) (0.3 * random.nextGaussian());
        }
        constants.put(name + ".weight", Tensor.ofFloats(Shape.of(to, from, kernel, kernel), weights));
        constants.put(name + ".bias", Tensor.ofFloats(Shape.of(to), bias));
        String sums = silu ? name + ".conv" : name;
        nodes.add(new Node(name + ".conv.node", new Op.Conv(Window.square(kernel, stride, kernel / 2), 1,
                Activation.NONE), List.of(input, name + ".weight", name + ".bias"), List.of(sums)));
        if (silu) {
            node(name, Op.Unary.of(Op.Unary.Kind.SILU), sums);
        }
    }
}
