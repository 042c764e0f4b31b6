package dev.shrike.cpu;

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

/**
 * Networks of three convolutions on dense tensors: one with a table behind it, one with a table and a residual, one
 * that gives floats.
 */
public final class SmallNetworks {
    private SmallNetworks() {}

    /** Sizes of a network. */
    public record Sizes(int channels, int inner, int outputs, int side, int kernel, int stride) {
        static Sizes random(Random random) {
            int[] widths = {1, 3, 8, 15, 16, 32, 33, 64, 130};
            int[] kernels = {1, 3, 5, 6};
            return new Sizes(widths[random.nextInt(widths.length)], widths[random.nextInt(widths.length)],
                    1 + random.nextInt(70), 6 + random.nextInt(20), kernels[random.nextInt(kernels.length)],
                    1 + random.nextInt(2));
        }
    }

    /** A network of floats with the input {@code x} and the outputs {@code e} and {@code y}. */
    public static Graph real(Random random, Sizes sizes) {
        return network(random, sizes, 0, 0);
    }

    /** The same with weights and values as codes of these widths. */
    public static Graph quantized(Random random, Sizes sizes, int weightBits, int bits) {
        return network(random, sizes, weightBits, bits);
    }

    private static Graph network(Random random, Sizes s, int weightBits, int bits) {
        Map<String, Tensor> constants = new HashMap<>();
        Map<String, Quantization> quantization = new HashMap<>();
        int pad = s.kernel() / 2;
        int side = (s.side() + 2 * pad - s.kernel()) / s.stride() + 1;
        weights("w1", s.inner(), s.channels(), s.kernel(), weightBits, random, constants, quantization);
        weights("w2", s.inner(), s.inner(), 3, weightBits, random, constants, quantization);
        weights("w3", s.outputs(), s.inner(), 1, weightBits, random, constants, quantization);
        List<Node> nodes = List.of(
                convolution("a", Window.square(s.kernel(), s.stride(), pad), "x", "w1"),
                new Node("b", Op.Unary.of(Op.Unary.Kind.SILU), List.of("a"), List.of("b")),
                convolution("c", Window.square(3, 1, 1), "b", "w2"),
                new Node("d", Op.Unary.of(Op.Unary.Kind.SILU), List.of("c"), List.of("d")),
                new Node("e", new Op.Binary(Op.Binary.Kind.ADD), List.of("d", "b"), List.of("e")),
                convolution("y", Window.square(1, 1, 0), "e", "w3"));
        if (bits > 0) {
            for (String value : List.of("x", "a", "b", "c", "d", "e")) {
                float range = 1 + 2 * random.nextFloat();
                quantization.put(value, Quantization.perTensor(
                        range / (1 << bits), random.nextInt(1 << bits), bits, false));
            }
        }
        List<ValueInfo> outputs = List.of(
                new ValueInfo("e", DataType.FLOAT32, Shape.of(1, s.inner(), side, side)),
                new ValueInfo("y", DataType.FLOAT32, Shape.of(1, s.outputs(), side, side)));
        ValueInfo input = new ValueInfo("x", DataType.FLOAT32, Shape.of(1, s.channels(), s.side(), s.side()));
        return new Graph("small", List.of(input), outputs, nodes, constants, quantization, Map.of());
    }

    private static Node convolution(String name, Window window, String from, String weights) {
        return new Node(name, new Op.Conv(window, 1, Activation.NONE), List.of(from, weights, weights + "b"),
                List.of(name));
    }

    private static void weights(
            String name, int rows, int channels, int kernel, int bits, Random random, Map<String, Tensor> constants,
            Map<String, Quantization> quantization) {
        int depth = channels * kernel * kernel;
        Shape shape = Shape.of(rows, channels, kernel, kernel);
        float[] bias = new float[rows];
        float[] scales = new float[rows];
        for (int i = 0; i < rows; i++) {
            bias[i] = random.nextFloat() - 0.5f;
            scales[i] = (float) ((1 + random.nextFloat()) * 2 / (Math.sqrt(depth) * (1 << bits)));
        }
        constants.put(name + "b", Tensor.ofFloats(Shape.of(rows), bias));
        if (bits == 0) {
            float[] values = new float[rows * depth];
            for (int i = 0; i < values.length; i++) {
                values[i] = (random.nextFloat() - 0.5f) * scales[i / depth] * 2;
            }
            constants.put(name, Tensor.ofFloats(shape, values));
            return;
        }
        int low = bits == 1 ? 0 : -(1 << (bits - 1));
        long[] codes = random.longs((long) rows * depth, low, low + (1 << bits)).toArray();
        constants.put(name, Tensor.of(DataType.INT8, shape, codes));
        Tensor zeros = Tensor.of(DataType.INT32, Shape.of(rows), new long[rows]);
        quantization.put(name,
                new Quantization(Tensor.ofFloats(Shape.of(rows), scales), zeros, bits, bits > 1, false, 0));
    }
}
