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
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Graphs that hold together as lists of names but compute nothing sensible: every operation with random parameters,
 * constants of every type, quantised values of every width.
 */
public final class SampleGraphs {
    private static final float[] ODD = {
            0, -0f, 0.1f, Float.MIN_VALUE, -Float.MAX_VALUE, Float.NaN, Float.POSITIVE_INFINITY,
            Float.NEGATIVE_INFINITY, 16777217};

    private final Random random;
    private final Map<String, Tensor> constants = new HashMap<>();
    private final Map<String, Quantization> quantization = new HashMap<>();

    private SampleGraphs(Random random) {
        this.random = random;
    }

    /** A graph with every operation in it. */
    public static Graph make(Random random) {
        return new SampleGraphs(random).build();
    }

    private Graph build() {
        List<Node> nodes = new ArrayList<>();
        String last = "in";
        for (Op op : operations()) {
            String name = "nöde \"" + nodes.size() + "\"\n";
            String out = "v" + nodes.size();
            List<String> inputs = random.nextBoolean() ? List.of(last) : List.of(last, "", constant());
            nodes.add(new Node(name, op, inputs, random.nextInt(8) == 0 ? List.of(out, "") : List.of(out)));
            if (random.nextInt(3) == 0) {
                quantization.put(out, quantization());
            }
            last = out;
        }
        for (DataType type : DataType.values()) {
            constants.put("of " + type, tensor(type));
        }
        codes();
        List<ValueInfo> outputs = List.of(new ValueInfo(last, pick(DataType.values()), Shape.of(1, Shape.OPEN, 0)));
        return new Graph("g" + random.nextInt(), List.of(new ValueInfo("in", DataType.FLOAT32, Shape.of())), outputs,
                nodes, constants, quantization, Map.of("names", "{0: 'né\\u0000\"'}", "", "x".repeat(5000)));
    }

    /** Quantised weights of every width, one bit as 0 and 1 and as -1 and +1. */
    private void codes() {
        for (int bits = 1; bits <= 8; bits++) {
            long[] values = new long[300 + random.nextInt(100)];
            boolean bipolar = bits == 1 && random.nextBoolean();
            for (int i = 0; i < values.length; i++) {
                int code = random.nextInt(1 << bits);
                values[i] = bipolar ? 2 * code - 1 : code - (1 << (bits - 1));
            }
            Shape shape = Shape.of(values.length);
            constants.put("w" + bits, Tensor.of(DataType.INT8, shape, values));
            quantization.put("w" + bits, bipolar ? Quantization.bipolar(Tensor.scalar(0.5f), -1)
                    : Quantization.perTensor(0.5f, 0, bits, true));
        }
    }

    private String constant() {
        String name = "c" + constants.size();
        constants.put(name, tensor(pick(DataType.values())));
        return name;
    }

    private Quantization quantization() {
        int channels = 1 + random.nextInt(40);
        float[] scales = new float[channels];
        long[] zeros = new long[channels];
        for (int i = 0; i < channels; i++) {
            scales[i] = random.nextFloat();
            zeros[i] = random.nextInt(16);
        }
        Shape shape = channels == 1 && random.nextBoolean() ? Shape.of() : Shape.of(channels);
        boolean signed = random.nextBoolean();
        return new Quantization(Tensor.ofFloats(shape, scales), Tensor.of(DataType.INT32, shape, zeros),
                1 + random.nextInt(8), signed, random.nextBoolean(), channels == 1 ? -1 : random.nextInt(4));
    }

    /** Bytes of any kind: nothing but random bits, a few values, the same value throughout, none at all. */
    private Tensor tensor(DataType type) {
        Shape shape = switch (random.nextInt(4)) {
            case 0 -> Shape.of();
            case 1 -> Shape.of(random.nextInt(3), 1 + random.nextInt(7));
            case 2 -> Shape.of(1 + random.nextInt(300));
            default -> Shape.of(1, 3, 1 + random.nextInt(9), 1 + random.nextInt(40));
        };
        byte[] bytes = new byte[(int) type.bytes(shape.elements())];
        int period = switch (random.nextInt(3)) {
            case 0 -> bytes.length;
            case 1 -> 16;
            default -> 1;
        };
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = i < period ? (byte) random.nextInt() : bytes[i % period];
        }
        return new Tensor(type, shape, MemorySegment.ofArray(bytes));
    }

    private List<Op> operations() {
        return List.of(
                new Op.Conv(window(), 1 + random.nextInt(9),
                        new Activation(pick(Activation.Kind.values()), real(), real())),
                new Op.BatchNormalization(real()), new Op.MatMul(), new Op.Gemm(real(), real(), flag(), flag()),
                new Op.Unary(pick(Op.Unary.Kind.values()), real(), real()), new Op.Binary(
                        pick(Op.Binary.Kind.values())),
                new Op.Clip(), new Op.Cast(pick(DataType.values())), new Op.Softmax(axis()),
                new Op.MaxPool(window(), flag()), new Op.AveragePool(window(), flag(), flag()),
                new Op.GlobalAveragePool(), new Op.Reduce(pick(Op.Reduce.Kind.values()), flag()),
                new Op.Resize(pick(Op.Resize.Mode.values()), pick(Op.Resize.Coordinates.values()),
                        pick(Op.Resize.Nearest.values())),
                new Op.Concat(axis()), new Op.Split(axis()), new Op.Slice(), new Op.Reshape(flag()),
                new Op.Transpose(flag() ? List.of() : List.of(2, 0, 1)), new Op.Flatten(axis()), new Op.Squeeze(),
                new Op.Unsqueeze(), new Op.Pad(), new Op.DepthToSpace(1 + random.nextInt(9), flag()),
                new Op.ShapeOf(axis(), flag() ? Integer.MAX_VALUE : axis()), new Op.Gather(axis()), new Op.Range(),
                new Op.Expand(), new Op.Tile(), new Op.Where(),
                new Op.ConstantOfShape(Tensor.of(DataType.INT64, Shape.of(1), random.nextLong())), new Op.Identity(),
                new Op.QuantizeLinear(axis(), flag() ? null : DataType.UINT4), new Op.DequantizeLinear(axis()),
                new Op.Quant(flag(), flag(), "ROUND"), new Op.BipolarQuant(), new Op.Trunc("FLOOR"),
                new Op.DynamicQuantizeLinear(), new Op.DynamicQuant(), new Op.Pad(pick(Op.Pad.Mode.values())),
                new Op.Resize(Op.Resize.Mode.CUBIC, pick(Op.Resize.Coordinates.values()),
                        pick(Op.Resize.Nearest.values()), real(), flag()),
                new Op.SpaceToDepth(1 + random.nextInt(9)), new Op.GatherElements(axis()), new Op.GatherNd(axis()),
                new Op.ScatterElements(axis(), pick(Op.Reduction.values())),
                new Op.ScatterNd(pick(Op.Reduction.values())), new Op.TopK(axis(), flag()),
                new Op.ArgExtreme(flag(), axis(), flag(), flag()), new Op.Hardmax(axis()), new Op.OneHot(axis()),
                new Op.Trilu(flag()), new Op.CumSum(flag(), flag()));
    }

    private Window window() {
        return new Window(1 + random.nextInt(9), 1 + random.nextInt(9), 1 + random.nextInt(9), 1 + random.nextInt(9),
                random.nextInt(9), random.nextInt(9), random.nextInt(9), random.nextInt(9), 1 + random.nextInt(9),
                1 + random.nextInt(9), pick(Window.AutoPad.values()));
    }

    private float real() {
        return random.nextBoolean() ? ODD[random.nextInt(ODD.length)] : Float.intBitsToFloat(random.nextInt());
    }

    private int axis() {
        return random.nextInt(9) - 4;
    }

    private boolean flag() {
        return random.nextBoolean();
    }

    @SafeVarargs
    private <T> T pick(T... choices) {
        return choices[random.nextInt(choices.length)];
    }
}
