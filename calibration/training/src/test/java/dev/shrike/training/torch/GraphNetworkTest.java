package dev.shrike.training.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.UnsupportedModelException;
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
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.training.TestNetworks;
import dev.shrike.training.TrainableModel;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.NoGradGuard;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("any-processor")
class GraphNetworkTest {
    private static final Shape INPUT = Shape.of(1, 4, 7, 6);
    private static final Device CPU = new Device("cpu");

    /** One operation on an input of 1x4x7x6, with its constants. */
    record Case(String name, Op op, Map<String, Tensor> constants, List<String> inputs, int outputs) {
        Graph graph() {
            List<String> results = Stream.of("y", "z", "w").limit(outputs).toList();
            Graph bare = new Graph("one", List.of(new ValueInfo("x", DataType.FLOAT32, INPUT)), List.of(),
                    List.of(new Node("the node", op, inputs, results)), constants, Map.of(), Map.of());
            Map<String, ValueInfo> infos = ShapeInference.infer(bare);
            return bare.withOutputs(results.stream().map(infos::get).toList());
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private static Case of(String name, Op op, Object... constants) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        List<String> inputs = new java.util.ArrayList<>(List.of("x"));
        for (int i = 0; i < constants.length; i++) {
            if (constants[i] == null || constants[i].equals("x")) {
                inputs.add(constants[i] == null ? "" : "x");
            } else {
                tensors.put("c" + i, (Tensor) constants[i]);
                inputs.add("c" + i);
            }
        }
        return new Case(name, op, tensors, inputs, 1);
    }

    private static Tensor random(long... dims) {
        Shape shape = Shape.of(dims);
        Random random = new Random(shape.hashCode());
        float[] values = new float[(int) shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return Tensor.ofFloats(shape, values);
    }

    private static Tensor positive(long... dims) {
        Tensor tensor = random(dims);
        float[] values = tensor.toFloats();
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.abs(values[i]) + 0.1f;
        }
        return Tensor.ofFloats(tensor.shape(), values);
    }

    private static Window window(int kernel, int stride, int top, int left, int bottom, int right, int dilation) {
        return new Window(kernel, kernel, stride, stride, top, left, bottom, right, dilation, dilation,
                Window.AutoPad.EXPLICIT);
    }

    static Stream<Case> cases() {
        Stream<Case> shaped = Stream.of(
                of("Conv", new Op.Conv(Window.square(3, 2, 1), 1, Activation.NONE), random(5, 4, 3, 3), random(5)),
                of("Conv grouped", new Op.Conv(Window.square(3, 1, 1), 2, Activation.NONE), random(6, 2, 3, 3)),
                of("Conv depthwise", new Op.Conv(Window.square(3, 1, 1), 4, Activation.NONE), random(4, 1, 3, 3),
                        random(4)),
                of("Conv uneven", new Op.Conv(window(3, 2, 0, 1, 2, 1, 1), 1, Activation.NONE), random(2, 4, 3, 3)),
                of("Conv dilated", new Op.Conv(window(3, 1, 2, 2, 2, 2, 2), 1, Activation.NONE), random(2, 4, 3, 3)),
                of("Conv fused", new Op.Conv(Window.square(1, 1, 0), 1, Activation.SILU), random(4, 4, 1, 1),
                        random(4), "x"),
                of("BatchNormalization", new Op.BatchNormalization(1e-3f), random(4), random(4), random(4),
                        positive(4)),
                of("MatMul", new Op.MatMul(), random(6, 3)),
                of("Clip", new Op.Clip(), Tensor.scalar(-0.5f), Tensor.scalar(0.7f)),
                of("ReLU6", new Op.Clip(), Tensor.scalar(0), Tensor.scalar(6)),
                of("Softmax", new Op.Softmax(1)), of("Softmax last", new Op.Softmax(-1)),
                of("MaxPool", new Op.MaxPool(Window.square(5, 1, 2), false)),
                of("MaxPool ceil", new Op.MaxPool(window(2, 2, 0, 0, 0, 0, 1), true)),
                of("MaxPool uneven", new Op.MaxPool(window(3, 2, 0, 1, 1, 0, 1), false)),
                of("AveragePool", new Op.AveragePool(Window.square(3, 1, 1), false, false)),
                of("AveragePool all", new Op.AveragePool(window(3, 2, 0, 1, 1, 1, 1), false, true)),
                of("AveragePool ceil", new Op.AveragePool(window(2, 2, 0, 0, 0, 0, 1), true, false)),
                of("GlobalAveragePool", new Op.GlobalAveragePool()),
                of("Mean", new Op.Reduce(Op.Reduce.Kind.MEAN, true), Tensor.vector(2, 3)),
                of("Max", new Op.Reduce(Op.Reduce.Kind.MAX, false), Tensor.vector(-1)),
                of("Concat", new Op.Concat(1), "x"), of("Concat last", new Op.Concat(-1), "x"),
                of("Slice", new Op.Slice(), Tensor.vector(1), Tensor.vector(100), Tensor.vector(2), Tensor.vector(2)),
                of("Slice backwards", new Op.Slice(), Tensor.vector(-1), Tensor.vector(-100), Tensor.vector(3),
                        Tensor.vector(-2)),
                of("Reshape", new Op.Reshape(false), Tensor.vector(1, 2, 2, -1)),
                of("Transpose", new Op.Transpose(List.of(0, 2, 3, 1))), of("Flatten", new Op.Flatten(1)),
                of("Unsqueeze", new Op.Unsqueeze(), Tensor.vector(2)),
                of("Pad", new Op.Pad(), Tensor.vector(0, 0, 1, 2, 0, 0, 3, 0), Tensor.scalar(0.5f)),
                of("Gather", new Op.Gather(1), Tensor.vector(2, 0, -1)),
                of("DepthToSpace", new Op.DepthToSpace(2, true)), of("DepthToSpace CRD", new Op.DepthToSpace(2, false)),
                of("Expand", new Op.Expand(), Tensor.vector(1, 4, 7, 6)), of("Identity", new Op.Identity()),
                of("Cast", new Op.Cast(DataType.FLOAT32)),
                new Case("Split", new Op.Split(1), Map.of("s", Tensor.vector(1, 3)), List.of("x", "s"), 2));
        Stream<Case> unary = Arrays.stream(Op.Unary.Kind.values())
                .filter(kind -> kind != Op.Unary.Kind.NOT && kind != Op.Unary.Kind.LOG && kind != Op.Unary.Kind.SQRT)
                .map(kind -> of(kind.toString(), new Op.Unary(kind, 0.2f, 0.5f)));
        Stream<Case> binary = Stream
                .of(Op.Binary.Kind.ADD, Op.Binary.Kind.SUB, Op.Binary.Kind.MUL, Op.Binary.Kind.DIV,
                        Op.Binary.Kind.MIN, Op.Binary.Kind.MAX)
                .map(kind -> of(kind.toString(), new Op.Binary(kind), positive(1, 4, 1, 1)));
        Stream<Case> others = Stream.of(
                of("PRELU", new Op.Binary(Op.Binary.Kind.PRELU), positive(4, 1, 1)),
                of("POW", new Op.Binary(Op.Binary.Kind.POW), Tensor.scalar(2)));
        Stream<Case> resizes = Stream.of(Op.Resize.Coordinates.values()).flatMap(coordinates -> Stream.concat(
                Stream.of(Op.Resize.Nearest.values()).map(nearest -> resize(Op.Resize.Mode.NEAREST, coordinates,
                        nearest)),
                Stream.of(resize(Op.Resize.Mode.LINEAR, coordinates, Op.Resize.Nearest.FLOOR))));
        return Stream.of(shaped, unary, binary, others, resizes).flatMap(stream -> stream);
    }

    private static Case resize(Op.Resize.Mode mode, Op.Resize.Coordinates coordinates, Op.Resize.Nearest nearest) {
        return of("Resize " + mode + " " + coordinates + " " + nearest, new Op.Resize(mode, coordinates, nearest), null,
                Tensor.ofFloats(Shape.of(4), 1, 1, 2, 1.5f));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void eachOperationGivesWhatTheEvaluatorGives(Case one) {
        requireSame(one.graph(), 2);
    }

    private static void requireSame(Graph graph, int images) {
        Shape shape = graph.inputs().getFirst().shape();
        int each = (int) shape.elements();
        float[] pixels = random(images, each).toFloats();
        long[] dims = shape.toArray();
        dims[0] = images;
        try (GraphNetwork network = new GraphNetwork(graph, CPU); PointerScope _ = new PointerScope();
                NoGradGuard _ = new NoGradGuard()) {
            List<org.bytedeco.pytorch.Tensor> actual = network.forward(Tensors.of(pixels, dims));
            for (int image = 0; image < images; image++) {
                Tensor input = Tensor.ofFloats(shape, Arrays.copyOfRange(pixels, image * each, (image + 1) * each));
                Set<String> names = new java.util.LinkedHashSet<>();
                graph.outputs().forEach(output -> names.add(output.name()));
                Map<String, Tensor> expected = ReferenceEvaluator.run(graph,
                        Map.of(graph.inputs().getFirst().name(), input), names);
                for (int i = 0; i < actual.size(); i++) {
                    requireNear(expected.get(graph.outputs().get(i).name()).toFloats(),
                            Tensors.toFloats(actual.get(i).narrow(0, image, 1)));
                }
            }
        }
    }

    private static void requireNear(float[] expected, float[] actual) {
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], 1e-5 * Math.max(1, Math.abs(expected[i])), "element " + i);
        }
    }

    @Test
    void wholeNetworksGiveWhatTheEvaluatorGives() {
        requireSame(TestNetworks.yolov5(64, 3, true).trunk(), 2);
        requireSame(TestNetworks.yolov8(64, 3, false).trunk(), 2);
    }

    @Test
    void weightsPassThroughBitByBit() {
        TrainableModel model = TestNetworks.yolov5(64, 3, true);
        Map<String, Tensor> odd = new HashMap<>(model.trunk().constants());
        Tensor first = odd.get("model.0.conv.weight");
        float[] values = first.toFloats();
        values[0] = -0f;
        values[1] = Float.MIN_VALUE;
        values[2] = Float.MAX_VALUE;
        odd.put("model.0.conv.weight", Tensor.ofFloats(first.shape(), values));
        Graph trunk = model.trunk().withNodes(model.trunk().nodes(), odd);
        Graph given = OnnxModels.read(OnnxModels.toBytes(model.with(trunk)), "given", null);
        TrainableModel read = TrainableModel.of(given, 0, 0);
        try (GraphNetwork network = new GraphNetwork(read.trunk(), CPU)) {
            Graph back = OnnxModels.read(OnnxModels.toBytes(read.with(network.toGraph())), "back", null);
            for (String name : odd.keySet()) {
                assertEquals(-1, odd.get(name).data().mismatch(back.constants().get(name).data()), name);
            }
        }
    }

    @Test
    void aConstantThatTwoNodesReadIsOneParameter() {
        Op conv = new Op.Conv(Window.square(1, 1, 0), 1, Activation.NONE);
        Graph graph = new Graph("shared", List.of(new ValueInfo("x", DataType.FLOAT32, INPUT)),
                List.of(new ValueInfo("z", DataType.FLOAT32, INPUT)),
                List.of(new Node("a", conv, List.of("x", "w"), List.of("y")),
                        new Node("b", conv, List.of("y", "w"), List.of("z"))),
                Map.of("w", random(4, 4, 1, 1)), Map.of(), Map.of());
        requireSame(graph, 2);
        try (GraphNetwork network = new GraphNetwork(graph, CPU)) {
            assertEquals(Set.of("w"), network.parameters().keySet());
        }
    }

    @Test
    void whatHasNoGradientIsRefusedByNode() {
        Case hard = of("Hardmax", new Op.Hardmax(1));
        UnsupportedModelException e = assertThrows(UnsupportedModelException.class,
                () -> new GraphNetwork(hard.graph(), CPU));
        assertTrue(e.getMessage().contains("'the node' (Hardmax)"), e.getMessage());
    }

    @Test
    void foldedNormalizationChangesNothing() {
        Graph trunk = TestNetworks.yolov5(64, 3, true).trunk();
        try (GraphNetwork network = new GraphNetwork(trunk, CPU); PointerScope _ = new PointerScope();
                NoGradGuard _ = new NoGradGuard()) {
            org.bytedeco.pytorch.Tensor images = Tensors.of(TestNetworks.pixels(2 * 3 * 64 * 64, 1), 2, 3, 64, 64);
            float[] apart = Tensors.toFloats(network.forward(images).getFirst());
            network.foldBatchNormalization(true);
            requireNear(apart, Tensors.toFloats(network.forward(images).getFirst()));
        }
    }

    @Test
    void hooksChangeWhatIsRead() {
        Graph graph = of("Conv", new Op.Conv(Window.square(1, 1, 0), 1, Activation.NONE), random(4, 4, 1, 1)).graph();
        try (GraphNetwork network = new GraphNetwork(graph, CPU); PointerScope _ = new PointerScope();
                NoGradGuard _ = new NoGradGuard()) {
            org.bytedeco.pytorch.Tensor images = Tensors.of(random(1, 4, 7, 6).toFloats(), 1, 4, 7, 6);
            float[] plain = Tensors.toFloats(network.forward(images).getFirst());
            network.hookParameter("c0", weight -> weight.mul(Tensors.scalar(2)));
            network.hookValue("y", value -> value.add(Tensors.scalar(1)));
            float[] hooked = Tensors.toFloats(network.forward(images).getFirst());
            for (int i = 0; i < plain.length; i++) {
                assertEquals(2 * plain[i] + 1, hooked[i], 1e-5);
            }
            assertThrows(IllegalArgumentException.class, () -> network.hookValue("nothing", value -> value));
        }
    }

    /** A product with its own sigmoid is computed at once, unless somebody wants the sigmoid. */
    @Test
    void aSiluInTwoNodesIsTheSameWithAndWithoutItsSigmoid() {
        Graph graph = new Graph("silu",
                List.of(new dev.shrike.graph.ValueInfo("images", DataType.FLOAT32, Shape.of(1, 3, 2, 2))),
                List.of(new dev.shrike.graph.ValueInfo("y", DataType.FLOAT32, Shape.of(1, 3, 2, 2))),
                List.of(new Node("s.node", Op.Unary.of(Op.Unary.Kind.SIGMOID), List.of("images"), List.of("s")),
                        new Node("y.node", new Op.Binary(Op.Binary.Kind.MUL), List.of("images", "s"), List.of("y"))),
                Map.of(), Map.of(), Map.of());
        float[] x = {-9, -3, -1, -0.5f, 0, 0.1f, 0.5f, 1, 2, 4, 8, 30};
        float[] wanted = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            wanted[i] = (float) (x[i] / (1 + Math.exp(-x[i])));
        }
        try (GraphNetwork network = new GraphNetwork(graph, CPU); PointerScope _ = new PointerScope()) {
            requireNear(wanted, Tensors.toFloats(network.forward(Tensors.of(x, 1, 3, 2, 2)).getFirst()));
            network.keep(List.of("s"));
            requireNear(wanted, Tensors.toFloats(network.forward(Tensors.of(x, 1, 3, 2, 2)).getFirst()));
            assertEquals(0.5f, Tensors.toFloats(network.value("s"))[4]);
            network.keep(List.of());
            network.hookValue("s", _ -> Tensors.of(new float[x.length], 1, 3, 2, 2));
            requireNear(new float[x.length], Tensors.toFloats(network.forward(Tensors.of(x, 1, 3, 2, 2)).getFirst()));
        }
    }
}
