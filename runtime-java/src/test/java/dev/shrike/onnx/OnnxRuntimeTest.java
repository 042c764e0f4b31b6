package dev.shrike.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What we write, an independent implementation of ONNX loads and computes. */
class OnnxRuntimeTest {
    private static final Shape IMAGE = Shape.of(1, 2, 4, 4);

    /** A residual block of one 1x1 convolution per activation, checked against the formula of each. */
    @TestFactory
    Stream<DynamicTest> fusedConvolutionsComputeWhatTheySay() {
        return Stream.of(Activation.Kind.values()).map(kind -> DynamicTest.dynamicTest(kind.name(), () -> {
            Activation activation = switch (kind) {
                case LEAKY_RELU -> new Activation(kind, 0.1f, 0);
                case HARD_SIGMOID -> new Activation(kind, 0.3f, 0.4f);
                case CLIP -> new Activation(kind, -0.5f, 0.5f);
                default -> Activation.of(kind);
            };
            Map<String, Tensor> constants = Map.of(
                    "w", Tensor.ofFloats(Shape.of(2, 2, 1, 1), 1, -2, 0.5f, 3), "b",
                    Tensor.ofFloats(Shape.of(2), 1, -1));
            Op conv = new Op.Conv(Window.square(1, 1, 0), 1, activation);
            float[] x = random(IMAGE, 1);
            float[] y = run(graph(IMAGE, conv, List.of("x", "w", "b", "x"), constants), x);
            for (int i = 0; i < 16; i++) {
                assertEquals(apply(activation, x[i] - 2 * x[16 + i] + 1) + x[i], y[i], 1e-5, "channel 0, " + i);
                assertEquals(apply(activation, 0.5f * x[i] + 3 * x[16 + i] - 1) + x[16 + i], y[16 + i], 1e-5);
            }
        }));
    }

    @Test
    void siluIsWrittenAsSigmoidAndProduct() throws OrtException {
        float[] x = random(IMAGE, 2);
        float[] y = run(graph(IMAGE, Op.Unary.of(Op.Unary.Kind.SILU), List.of("x"), Map.of()), x);
        for (int i = 0; i < x.length; i++) {
            assertEquals(apply(Activation.SILU, x[i]), y[i], 1e-6);
        }
    }

    @TestFactory
    Stream<DynamicTest> everyOperatorLoadsAndRuns() {
        Map<String, Node> nodes = new LinkedHashMap<>();
        Map<String, Tensor> constants = new HashMap<>();
        floatOperators(nodes, constants);
        return nodes.values().stream().map(node -> DynamicTest.dynamicTest(node.op().toString(), () -> {
            List<Node> all = new ArrayList<>(List.of(node));
            ValueInfo out = new ValueInfo(node.output(), DataType.FLOAT32, Shape.of());
            boolean returnsFloat = !(node.op() instanceof Op.ShapeOf) && !(node.op() instanceof Op.QuantizeLinear);
            if (!returnsFloat) {
                all.add(new Node("back", new Op.Cast(DataType.FLOAT32), List.of(node.output()), List.of("back")));
                out = new ValueInfo("back", DataType.FLOAT32, Shape.of());
            }
            ValueInfo x = new ValueInfo("x", DataType.FLOAT32, IMAGE);
            int rank = rank(node.op());
            out = new ValueInfo(out.name(), DataType.FLOAT32, Shape.of(java.util.stream.LongStream.generate(
                    () -> Shape.OPEN).limit(rank).toArray()));
            Graph graph = new Graph("one", List.of(x), List.of(out), all, used(node, constants), Map.of(), Map.of());
            float[] once = run(graph, random(IMAGE, 3));
            Graph again = OnnxModels.read(OnnxModels.toBytes(graph), "again", null);
            assertArrayEquals(once, run(again, random(IMAGE, 3)));
        }));
    }

    @TestFactory
    Stream<DynamicTest> realModelsComputeTheSameOnceReadAndWritten() {
        return Stream.of("yolov5n-640.onnx", "yolov5n-640-bn.onnx", "yolov5n-dynamic.onnx", "yolov5n-640-fp16.onnx",
                "crops-yolov5n-pruned-p1.57M-320.onnx").map(name -> DynamicTest.dynamicTest(name, () -> {
                    byte[] original = bytes(name);
                    Graph graph = OnnxModels.read(original, name, null);
                    long[] dims = graph.inputs().getFirst().shape().toArray();
                    for (int i = 0; i < 4; i++) {
                        dims[i] = i == 0 ? 1 : i == 1 ? 3 : 320;
                        dims[i] = graph.inputs().getFirst().shape().isKnown() ? graph.inputs().getFirst().shape().dim(i)
                                : dims[i];
                    }
                    float[] x = random(Shape.of(dims), 4);
                    float[] before = run(original, x, dims);
                    float[] after = run(OnnxModels.toBytes(graph), x, dims);
                    assertArrayEquals(before, after, 1e-2f);
                }));
    }

    private static void floatOperators(Map<String, Node> nodes, Map<String, Tensor> constants) {
        constants.put("v2", Tensor.ofFloats(Shape.of(2), 0.5f, 2));
        constants.put("w", Tensor.ofFloats(Shape.of(2, 1, 3, 3), new float[18]));
        constants.put("m", Tensor.ofFloats(Shape.of(4, 4), random(Shape.of(4, 4), 5)));
        constants.put("lo", Tensor.scalar(-0.25f));
        constants.put("axes", Tensor.vector(2, 3));
        constants.put("axis0", Tensor.vector(0));
        constants.put("one", Tensor.vector(1));
        constants.put("ones", Tensor.vector(1, 1, 1, 1));
        constants.put("shape", Tensor.vector(2, 16));
        constants.put("sizes", Tensor.vector(1, 3));
        constants.put("big", Tensor.vector(1, 2, 8, 8));
        constants.put("pads", Tensor.vector(0, 0, 1, 1, 0, 0, 2, 2));
        constants.put("index", Tensor.vector(1, 0));
        constants.put("scales", Tensor.ofFloats(Shape.of(4), 1, 1, 2, 2));
        constants.put("where", Tensor.of(DataType.BOOL, Shape.of(4), 1, 0, 0, 1));
        constants.put("s", Tensor.scalar(0.02f));
        constants.put("z8", Tensor.of(DataType.INT8, Shape.of(), 3));
        constants.put("codes", Tensor.of(DataType.UINT4, Shape.of(1, 2, 1, 1), 3, 12));
        constants.put("codes8", Tensor.of(DataType.INT8, Shape.of(1, 2, 1, 1), 3, -12));
        constants.put("start", Tensor.scalar(0));
        constants.put("limit", Tensor.scalar(3));
        Window same = new Window(3, 3, 2, 1, 0, 0, 0, 0, 1, 1, Window.AutoPad.SAME_UPPER);
        Window pads = new Window(3, 3, 1, 2, 1, 0, 1, 2, 1, 1, Window.AutoPad.EXPLICIT);
        add(nodes, new Op.Conv(same, 2, Activation.NONE), "x", "w", "v2");
        add(nodes, new Op.Conv(pads, 2, Activation.NONE), "x", "w");
        add(nodes, new Op.BatchNormalization(1e-3f), "x", "v2", "v2", "v2", "v2");
        add(nodes, new Op.MatMul(), "x", "m");
        add(nodes, new Op.Gemm(0.5f, 2, true, true), "m", "m", "m");
        for (Op.Unary.Kind kind : Op.Unary.Kind.values()) {
            if (kind != Op.Unary.Kind.NOT) {
                add(nodes, new Op.Unary(kind, 0.1f, 0.4f), "x");
            }
        }
        for (Op.Binary.Kind kind : List.of(Op.Binary.Kind.ADD, Op.Binary.Kind.SUB, Op.Binary.Kind.MUL,
                Op.Binary.Kind.DIV, Op.Binary.Kind.POW, Op.Binary.Kind.MIN, Op.Binary.Kind.MAX)) {
            add(nodes, new Op.Binary(kind), "x", "m");
        }
        add(nodes, new Op.Clip(), "x", "lo");
        add(nodes, new Op.Softmax(1), "x");
        add(nodes, new Op.MaxPool(pads, true), "x");
        add(nodes, new Op.MaxPool(same, false), "x");
        add(nodes, new Op.AveragePool(pads, true, true), "x");
        add(nodes, new Op.AveragePool(new Window(2, 2, 1, 1, 0, 0, 0, 0, 2, 2, Window.AutoPad.EXPLICIT), false, false),
                "x");
        add(nodes, new Op.GlobalAveragePool(), "x");
        for (Op.Reduce.Kind kind : Op.Reduce.Kind.values()) {
            add(nodes, new Op.Reduce(kind, true), "x", "axes");
        }
        for (Op.Resize.Coordinates coordinates : Op.Resize.Coordinates.values()) {
            add(nodes, new Op.Resize(Op.Resize.Mode.LINEAR, coordinates, Op.Resize.Nearest.FLOOR), "x", "", "scales");
        }
        for (Op.Resize.Nearest nearest : Op.Resize.Nearest.values()) {
            add(nodes, new Op.Resize(Op.Resize.Mode.NEAREST, Op.Resize.Coordinates.HALF_PIXEL, nearest), "x", "", "",
                    "big");
        }
        add(nodes, new Op.Concat(1), "x", "x");
        add(nodes, new Op.Split(2), "x", "sizes");
        add(nodes, new Op.Split(2), "x");
        add(nodes, new Op.Slice(), "x", "axis0", "one", "one");
        add(nodes, new Op.Reshape(false), "x", "shape");
        add(nodes, new Op.Transpose(List.of(0, 2, 3, 1)), "x");
        add(nodes, new Op.Transpose(List.of()), "x");
        add(nodes, new Op.Flatten(1), "x");
        add(nodes, new Op.Squeeze(), "x", "axis0");
        add(nodes, new Op.Unsqueeze(), "x", "axis0");
        add(nodes, new Op.Pad(), "x", "pads", "lo");
        add(nodes, new Op.DepthToSpace(1, false), "x");
        add(nodes, new Op.ShapeOf(1, 3), "x");
        add(nodes, new Op.Gather(1), "x", "index");
        add(nodes, new Op.Range(), "start", "limit", "limit");
        add(nodes, new Op.Expand(), "x", "ones");
        add(nodes, new Op.Tile(), "x", "ones");
        add(nodes, new Op.Where(), "where", "x", "lo");
        add(nodes, new Op.ConstantOfShape(Tensor.ofFloats(Shape.of(1), 7)), "shape");
        add(nodes, new Op.Identity(), "x");
        add(nodes, new Op.QuantizeLinear(1, DataType.INT8), "x", "s", "z8");
        add(nodes, new Op.QuantizeLinear(1, DataType.INT8), "x", "s");
        add(nodes, new Op.DequantizeLinear(1), "codes8", "s");
        add(nodes, new Op.DequantizeLinear(1), "codes", "s");
    }

    private static void add(Map<String, Node> nodes, Op op, String... inputs) {
        String name = "n" + nodes.size();
        int outputs = op instanceof Op.Split ? 2 : 1;
        List<String> written = outputs == 2 ? List.of(name + ".0", name + ".1") : List.of(name + ".0");
        nodes.put(name, new Node(name, op, List.of(inputs), written));
    }

    private static int rank(Op op) {
        return switch (op) {
            case Op.Gemm _,Op.Reshape _,Op.Flatten _,Op.ConstantOfShape _ -> 2;
            case Op.Squeeze _ -> 3;
            case Op.Unsqueeze _ -> 5;
            case Op.ShapeOf _,Op.Range _ -> 1;
            default -> 4;
        };
    }

    private static Map<String, Tensor> used(Node node, Map<String, Tensor> constants) {
        Map<String, Tensor> used = new HashMap<>(constants);
        used.keySet().retainAll(node.inputs());
        return used;
    }

    private static double apply(Activation activation, float x) {
        double sigmoid = 1 / (1 + Math.exp(-x));
        return switch (activation.kind()) {
            case NONE -> x;
            case SILU -> x * sigmoid;
            case RELU -> Math.max(0, x);
            case LEAKY_RELU -> x < 0 ? activation.alpha() * x : x;
            case SIGMOID -> sigmoid;
            case HARD_SIGMOID -> Math.clamp(activation.alpha() * x + activation.beta(), 0, 1);
            case HARD_SWISH -> x * Math.clamp(x / 6 + 0.5, 0, 1);
            case TANH -> Math.tanh(x);
            case CLIP -> Math.clamp(x, activation.alpha(), activation.beta());
        };
    }

    private static Graph graph(Shape shape, Op op, List<String> inputs, Map<String, Tensor> constants) {
        ValueInfo x = new ValueInfo("x", DataType.FLOAT32, shape);
        ValueInfo y = new ValueInfo("y", DataType.FLOAT32, shape);
        return new Graph("one", List.of(x), List.of(y), List.of(new Node("n", op, inputs, List.of("y"))), constants,
                Map.of(), Map.of());
    }

    private static float[] random(Shape shape, long seed) {
        Random random = new Random(seed);
        float[] values = new float[(int) shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat() * 2 - (values.length < 1000 ? 1 : 0);
        }
        return values;
    }

    private static byte[] bytes(String model) throws IOException {
        return Files.readAllBytes(SharedModelsTest.models().resolve(model));
    }

    private static float[] run(Graph graph, float[] x) throws OrtException {
        return run(OnnxModels.toBytes(graph), x, IMAGE.toArray());
    }

    private static float[] run(byte[] model, float[] x, long[] dims) throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            try (OrtSession session = environment.createSession(model, options);
                    OnnxTensor input = input(environment, session, x, dims)) {
                Map<String, OnnxTensor> inputs = new HashMap<>();
                session.getInputNames().forEach(name -> inputs.put(name, input));
                try (OrtSession.Result result = session.run(inputs)) {
                    return floats((OnnxTensor) result.get(0));
                }
            }
        }
    }

    private static OnnxTensor input(OrtEnvironment environment, OrtSession session, float[] x, long[] dims)
            throws OrtException {
        NodeInfo info = session.getInputInfo().values().iterator().next();
        if (((TensorInfo) info.getInfo()).type != OnnxJavaType.FLOAT16) {
            return OnnxTensor.createTensor(environment, FloatBuffer.wrap(x), dims);
        }
        ShortBuffer half = ShortBuffer.allocate(x.length);
        for (float value : x) {
            half.put(Float.floatToFloat16(value));
        }
        return OnnxTensor.createTensor(environment, half.flip(), dims, OnnxJavaType.FLOAT16);
    }

    private static float[] floats(OnnxTensor tensor) {
        FloatBuffer buffer = tensor.getFloatBuffer();
        float[] values = new float[buffer.remaining()];
        buffer.get(values);
        return values;
    }
}
