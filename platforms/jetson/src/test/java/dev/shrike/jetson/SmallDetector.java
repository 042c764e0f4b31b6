package dev.shrike.jetson;

import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A network with a body and a tail: convolution, ReLU, convolution to three values, sigmoid, Concat. */
final class SmallDetector {
    private static final int SIDE = 32;

    private SmallDetector() {}

    static Graph make(long seed) {
        return make(seed, 1);
    }

    /** The same network for a batch of so many images; -1 leaves that open. */
    static Graph make(long seed, int batch) {
        Random random = new Random(seed);
        Map<String, Tensor> constants = new HashMap<>();
        constants.put("body.w", weights(random, Shape.of(8, 3, 3, 3)));
        constants.put("head.w", weights(random, Shape.of(4, 8, 1, 1)));
        List<Node> nodes = List.of(
                new Node("body", new Op.Conv(Window.square(3, 2, 1), 1, Activation.NONE), List.of("images", "body.w"),
                        List.of("a")),
                new Node("relu", Op.Unary.of(Op.Unary.Kind.RELU), List.of("a"), List.of("b")),
                new Node("head", new Op.Conv(Window.square(1, 1, 0), 1, Activation.NONE), List.of("b", "head.w"),
                        List.of("c")),
                new Node("sigmoid", Op.Unary.of(Op.Unary.Kind.SIGMOID), List.of("c"), List.of("d")),
                new Node("join", new Op.Concat(1), List.of("c", "d"), List.of("output")));
        return new Graph("small", List.of(new ValueInfo("images", DataType.FLOAT32, Shape.of(batch, 3, SIDE, SIDE))),
                List.of(new ValueInfo("output", DataType.FLOAT32, Shape.of(batch, 8, SIDE / 2, SIDE / 2))), nodes,
                constants, Map.of(), Map.of("names", "{0: 'thing'}"));
    }

    /** The same with asymmetric 8-bit activations and symmetric weights of a channel each. */
    static Graph quantized(long seed) {
        Graph graph = make(seed);
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        Random random = new Random(seed + 1);
        long[] codes = random.longs(8 * 27, -7, 8).toArray();
        constants.put("body.w", Tensor.of(DataType.INT8, Shape.of(8, 3, 3, 3), codes));
        Tensor scales = Tensor.ofFloats(Shape.of(8), 0.1f, 0.2f, 0.05f, 0.1f, 0.3f, 0.1f, 0.1f, 0.2f);
        Map<String, Quantization> quantization = new HashMap<>();
        quantization.put("body.w", new Quantization(scales, Tensor.of(DataType.INT32, Shape.of(8), new long[8]), 4,
                true, false, 0));
        quantization.put("images", Quantization.perTensor(1 / 255f, 0, 8, false));
        quantization.put("b", Quantization.perTensor(0.02f, 30, 8, false));
        return graph.withNodes(graph.nodes(), constants, quantization);
    }

    private static Tensor weights(Random random, Shape shape) {
        float[] values = new float[Math.toIntExact(shape.elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian() / 4;
        }
        return Tensor.ofFloats(shape, values);
    }
}
