package dev.shrike.onnx;

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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Graphs that touch every operator and element type. They are sound as graphs, but the shapes of their values do not
 * fit together: they are for tools that look at nodes one by one.
 */
final class RandomGraphs {
    private static final DataType[] CODES = {
            DataType.INT8, DataType.UINT8, DataType.INT16, DataType.UINT16, DataType.INT4, DataType.UINT4};
    private static final String[] ROUNDINGS = {"ROUND", "FLOOR", "CEIL"};

    private final Random random;
    private final Map<String, Tensor> constants = new LinkedHashMap<>();
    private final List<Node> nodes = new ArrayList<>();
    private final List<String> values = new ArrayList<>();

    private RandomGraphs(Random random) {
        this.random = random;
    }

    /** A graph with up to that many nodes, the same for the same state of the random numbers. */
    static Graph next(Random random, int mostNodes) {
        return new RandomGraphs(random).graph(1 + random.nextInt(mostNodes));
    }

    private Graph graph(int count) {
        List<ValueInfo> inputs = new ArrayList<>();
        for (int i = 0; i <= random.nextInt(3); i++) {
            inputs.add(new ValueInfo("in/" + i, any(DataType.values()), openShape()));
            values.add("in/" + i);
        }
        for (DataType type : DataType.values()) {
            constants.put("of " + type, tensor(type, shape(random.nextInt(4))));
        }
        for (int i = 0; i < count; i++) {
            add(i);
        }
        List<ValueInfo> outputs = new ArrayList<>();
        for (int i = 0; i <= random.nextInt(3) && i < values.size(); i++) {
            outputs.add(new ValueInfo(values.get(values.size() - 1 - i), any(DataType.values()), openShape()));
        }
        Map<String, String> metadata = random.nextBoolean() ? Map.of() : Map.of("names", "{0: 'né'}", "stride", "32");
        return new Graph("g" + random.nextInt(), inputs, outputs, nodes, constants, Map.of(), metadata);
    }

    private void add(int index) {
        String name = "n" + index;
        switch (random.nextInt(37)) {
            case 0, 1 -> {
                Window window = window(true);
                String weights = constant(name + "w", tensor(DataType.FLOAT32,
                        Shape.of(2, 3, window.kernelHeight(), window.kernelWidth())));
                Op op = new Op.Conv(window, 1 + random.nextInt(2), Activation.NONE);
                node(name, op, random.nextBoolean() ? List.of(value(), weights) : List.of(value(), weights, value()));
            }
            case 2 -> node(name, new Op.BatchNormalization(random.nextFloat()), some(5, 5));
            case 3 -> node(name, new Op.MatMul(), some(2, 2));
            case 4 -> node(name, new Op.Gemm(random.nextFloat(), random.nextFloat(), flag(), flag()), some(2, 3));
            case 5, 6 -> node(name, unary(), some(1, 1));
            case 7, 8 -> node(name, new Op.Binary(any(Op.Binary.Kind.values())), some(2, 2));
            case 9 -> node(name, new Op.Clip(), random.nextBoolean() ? List.of(value(), "", value()) : some(1, 3));
            case 10 -> node(name, new Op.Cast(any(DataType.values())), some(1, 1));
            case 11 -> node(name, new Op.Softmax(random.nextInt(5) - 2), some(1, 1));
            case 12 -> node(name, new Op.MaxPool(window(true), flag()), some(1, 1));
            case 13 -> node(name, new Op.AveragePool(window(flag()), flag(), flag()), some(1, 1));
            case 14 -> node(name, new Op.GlobalAveragePool(), some(1, 1));
            case 15 -> reduce(name);
            case 16 -> resize(name);
            case 17 -> node(name, new Op.Concat(random.nextInt(5) - 2), some(1, 4));
            case 18 -> {
                Op op = new Op.Split(random.nextInt(5) - 2);
                nodes.add(new Node(name, op, some(1, 2), List.of(name + ".0", name + ".1", name + ".2")));
                values.add(name + ".2");
            }
            case 19 -> node(name, new Op.Slice(), some(3, 5));
            case 20 -> node(name, new Op.Reshape(flag()), some(2, 2));
            case 21 -> node(name, new Op.Transpose(flag() ? List.of() : List.of(2, 0, 1)), List.of("of INT8 r3"));
            case 22 -> node(name, new Op.Flatten(random.nextInt(4)), some(1, 1));
            case 23 -> node(name, new Op.Squeeze(), some(1, 2));
            case 24 -> node(name, new Op.Unsqueeze(), some(2, 2));
            case 25 -> node(name, new Op.Pad(), some(2, 4));
            case 26 -> node(name, new Op.DepthToSpace(1 + random.nextInt(4), flag()), some(1, 1));
            case 27 -> node(name, new Op.ShapeOf(random.nextInt(3), flag() ? Integer.MAX_VALUE : -1), some(1, 1));
            case 28 -> node(name, new Op.Gather(random.nextInt(4) - 2), some(2, 2));
            case 29 -> node(name, flag() ? new Op.Range() : new Op.Where(), some(3, 3));
            case 30 -> node(name, flag() ? new Op.Expand() : new Op.Tile(), some(2, 2));
            case 31 -> node(name, new Op.ConstantOfShape(tensor(any(DataType.values()), Shape.of(1))), some(1, 1));
            case 32 -> quantize(name);
            case 33 -> node(name, new Op.DequantizeLinear(random.nextInt(3) - 1),
                    List.of(value(), constant(name + "s", positive()), value()));
            case 34 -> node(name, new Op.Quant(flag(), flag(), any(ROUNDINGS)),
                    List.of(value(), constant(name + "s", positive()), value(), value()));
            case 35 -> {
                nodes.add(new Node(name, new Op.DynamicQuantizeLinear(), some(1, 1),
                        List.of(name + ".0", name + ".1", name + ".2")));
                values.add(name + ".0");
            }
            default -> node(name, flag() ? new Op.BipolarQuant() : new Op.Identity(), List.of(value()));
        }
    }

    private void node(String name, Op op, List<String> inputs) {
        List<String> read = new ArrayList<>(inputs);
        if (op instanceof Op.BipolarQuant) {
            read.add(constant(name + "s", positive()));
        } else if (op instanceof Op.Transpose transpose && !transpose.permutation().isEmpty()) {
            constants.putIfAbsent("of INT8 r3", tensor(DataType.INT8, Shape.of(2, 3, 4)));
        } else if (op instanceof Op.Transpose) {
            read.set(0, "unranked");
            constants.putIfAbsent("unranked", tensor(DataType.INT8, Shape.of()));
        }
        nodes.add(new Node(name, op, read, List.of(name + ".0")));
        values.add(name + ".0");
    }

    private void reduce(String name) {
        Op.Reduce op = new Op.Reduce(any(Op.Reduce.Kind.values()), flag());
        String axes = constant(name + "_axes", Tensor.vector(1, -1));
        node(name, op, flag() ? List.of(value()) : List.of(value(), axes));
    }

    private void resize(String name) {
        Op op = new Op.Resize(any(Op.Resize.Mode.values()), any(Op.Resize.Coordinates.values()),
                any(Op.Resize.Nearest.values()));
        String scales = constant(name + "s", Tensor.ofFloats(Shape.of(4), 1, 1, 2, 2.5f));
        node(name, op, flag() ? List.of(value(), "", scales) : List.of(value(), "", "", value()));
    }

    private void quantize(String name) {
        DataType type = any(CODES);
        Op op = new Op.QuantizeLinear(random.nextInt(3) - 1, type);
        String scale = constant(name + "s", positive());
        node(name, op, flag() ? List.of(value(), scale) : List.of(value(), scale, "of " + type));
    }

    private Op unary() {
        Op.Unary.Kind kind = any(Op.Unary.Kind.values());
        return switch (kind) {
            case SILU, MISH, GELU, GELU_TANH -> new Op.Identity();
            case LEAKY_RELU -> new Op.Unary(kind, random.nextFloat(), 0);
            case HARD_SIGMOID -> new Op.Unary(kind, random.nextFloat(), random.nextFloat());
            default -> Op.Unary.of(kind);
        };
    }

    private Window window(boolean mayDilate) {
        Window.AutoPad pad = any(Window.AutoPad.values());
        boolean explicit = pad == Window.AutoPad.EXPLICIT;
        int dilation = mayDilate ? 1 + random.nextInt(3) : 1;
        return new Window(1 + random.nextInt(4), 1 + random.nextInt(4), 1 + random.nextInt(3), 1 + random.nextInt(3),
                explicit ? random.nextInt(3) : 0, explicit ? random.nextInt(3) : 0, explicit ? random.nextInt(3) : 0,
                explicit ? random.nextInt(3) : 0, dilation, 1, pad);
    }

    private String constant(String name, Tensor tensor) {
        constants.put(name, tensor);
        return name;
    }

    private Tensor positive() {
        float[] scales = new float[1 + random.nextInt(3)];
        for (int i = 0; i < scales.length; i++) {
            scales[i] = 0.001f + random.nextFloat();
        }
        return Tensor.ofFloats(Shape.of(scales.length), scales);
    }

    private Tensor tensor(DataType type, Shape shape) {
        int elements = Math.toIntExact(shape.elements());
        if (!type.isFloating()) {
            return Tensor.of(type, shape, random.longs(elements).toArray());
        }
        byte[] bytes = new byte[Math.toIntExact(type.bytes(elements))];
        java.nio.ByteBuffer buffer = java.nio.ByteBuffer.wrap(bytes).order(java.nio.ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < elements; i++) {
            switch (type) {
                case FLOAT32 -> buffer.putFloat(random.nextFloat() - 0.5f);
                case FLOAT64 -> buffer.putDouble(random.nextDouble() - 0.5);
                default -> buffer.putShort(Float.floatToFloat16(random.nextFloat() - 0.5f));
            }
        }
        return new Tensor(type, shape, java.lang.foreign.MemorySegment.ofArray(bytes));
    }

    private Shape shape(int rank) {
        return Shape.of(random.ints(rank, 0, 5).asLongStream().toArray());
    }

    private Shape openShape() {
        return Shape.of(random.ints(random.nextInt(5), -1, 7).asLongStream().toArray());
    }

    private List<String> some(int least, int most) {
        List<String> some = new ArrayList<>();
        int count = least + random.nextInt(most - least + 1);
        for (int i = 0; i < count; i++) {
            some.add(value());
        }
        return some;
    }

    private String value() {
        return values.get(random.nextInt(values.size()));
    }

    private boolean flag() {
        return random.nextBoolean();
    }

    private <E> E any(E[] choices) {
        return choices[random.nextInt(choices.length)];
    }
}
