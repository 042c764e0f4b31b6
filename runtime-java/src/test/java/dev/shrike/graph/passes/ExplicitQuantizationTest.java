package dev.shrike.graph.passes;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.UnsupportedModelException;
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
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.testing.MinMaxQuantizer;
import dev.shrike.testing.SharedFolder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExplicitQuantizationTest {
    private static final int SIDE = 16;

    private final Random random = new Random(3);
    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Tensor> constants = new HashMap<>();
    private final Map<String, Quantization> quantization = new HashMap<>();

    private void conv(String name, String input, int from, int to, int kernel, int axis, int bits) {
        Shape shape = Shape.of(to, from, kernel, kernel);
        int most = 1 << (bits - 1);
        constants.put(name + ".w", Tensor.of(DataType.INT8, shape,
                random.longs(shape.elements(), -most, most).toArray()));
        int count = axis < 0 ? 1 : axis == 0 ? to : from;
        float[] scales = new float[count];
        for (int i = 0; i < count; i++) {
            scales[i] = (float) (2 * (0.2 + random.nextFloat()) / most / Math.sqrt(from * kernel * kernel));
        }
        Shape flat = axis < 0 ? Shape.of() : Shape.of(count);
        quantization.put(name + ".w", new Quantization(Tensor.ofFloats(flat, scales),
                Tensor.of(DataType.INT32, flat, new long[count]), bits, true, false, axis));
        nodes.add(new Node(name, new Op.Conv(Window.square(kernel, 1, kernel / 2), 1, Activation.NONE),
                List.of(input, name + ".w"), List.of(name + ".raw")));
        nodes.add(new Node(name + ".silu", Op.Unary.of(Op.Unary.Kind.SILU), List.of(name + ".raw"), List.of(name)));
    }

    private void node(String name, Op op, String... inputs) {
        nodes.add(new Node(name + ".node", op, List.of(inputs), List.of(name)));
    }

    /** What a quantiser for CPUs may give: zero points, codes everywhere, narrow ones, scales along any axis. */
    private Graph network() {
        conv("first", "images", 3, 8, 3, 0, 8);
        conv("left", "first", 8, 8, 1, 1, 8);
        conv("inner", "left", 8, 8, 3, 0, 4);
        node("sum", new Op.Binary(Op.Binary.Kind.ADD), "left", "inner");
        conv("right", "first", 8, 8, 1, -1, 8);
        node("both", new Op.Concat(1), "sum", "right");
        node("narrow", new Op.Identity(), "both");
        conv("joined", "narrow", 16, 8, 1, 0, 4);
        node("pooled", new Op.MaxPool(Window.square(5, 1, 2), false), "joined");
        constants.put("sizes", Tensor.ofFloats(Shape.of(4), 1, 1, 2, 2));
        node("larger", new Op.Resize(Op.Resize.Mode.NEAREST, Op.Resize.Coordinates.ASYMMETRIC,
                Op.Resize.Nearest.FLOOR), "pooled", "", "sizes");
        conv("head", "larger", 8, 4, 1, 0, 8);
        nodes.removeLast();
        conv("bare", "sum.real", 8, 4, 1, 0, 8);
        nodes.removeLast();
        node("sum.real", Op.Unary.of(Op.Unary.Kind.TANH), "sum");
        nodes.add(nodes.size() - 2, nodes.removeLast());
        for (String name : List.of("first", "left", "inner", "sum", "right", "both", "joined", "pooled", "larger",
                "first.raw", "inner.raw", "joined.raw")) {
            quantization.put(name, Quantization.perTensor(0.012f + 0.01f * random.nextFloat(), 100, 8, false));
        }
        quantization.put("images", Quantization.perTensor(1 / 255f, 0, 8, false));
        quantization.put("narrow", Quantization.perTensor(0.1f, 6, 4, false));
        Shape in = Shape.of(1, 3, SIDE, SIDE);
        return new Graph("all", List.of(new ValueInfo("images", DataType.FLOAT32, in)),
                List.of(new ValueInfo("head.raw", DataType.FLOAT32, Shape.of(1, 4, 2 * SIDE, 2 * SIDE)),
                        new ValueInfo("bare.raw", DataType.FLOAT32, Shape.of(1, 4, SIDE, SIDE))),
                nodes, constants, quantization, Map.of());
    }

    private static Graph written(Graph graph) {
        return OnnxModels.read(OnnxModels.toBytes(graph), "explicit", null);
    }

    private static Map<String, Tensor> run(Graph graph) {
        float[] image = new float[3 * SIDE * SIDE];
        Random random = new Random(5);
        for (int i = 0; i < image.length; i++) {
            image[i] = random.nextFloat();
        }
        return ReferenceEvaluator.run(graph, Map.of("images", Tensor.ofFloats(Shape.of(1, 3, SIDE, SIDE), image)),
                java.util.Set.of("head.raw", "bare.raw"));
    }

    @Test
    void everyRuleHoldsInTheFile() {
        Graph graph = network();
        assertFalse(ExplicitQuantizationRules.broken(written(graph)).isEmpty(), "not before");
        Graph explicit = written(new ExplicitQuantization().apply(graph));
        assertEquals(List.of(), ExplicitQuantizationRules.broken(explicit));
        long pairs = explicit.nodes().stream().filter(node -> node.op() instanceof Op.QuantizeLinear).count();
        assertEquals(6 + 9, pairs, "weights that read codes, and values but 'inner', 'narrow' and what SiLU reads");
        Graph fused = GraphPasses.forInference(graph, Map.of());
        assertEquals(List.of(), ExplicitQuantizationRules.broken(written(new ExplicitQuantization().apply(fused))));
    }

    /** Its twin on generated data is the test above. */
    @ParameterizedTest
    @ValueSource(strings = {"models/yolov5n-640.onnx", "models/yolov5s-640.onnx"})
    void everyRuleHoldsForYolo(String file) {
        Graph ready = GraphPasses.forInference(OnnxModels.read(SharedFolder.file(file)), Map.of());
        Map<String, float[]> ranges = new HashMap<>();
        MinMaxQuantizer.Options options = MinMaxQuantizer.Options.of(8, 8);
        for (String name : MinMaxQuantizer.rangesNeeded(ready, options)) {
            ranges.put(name, new float[] {-1 - random.nextFloat(), 4 + 8 * random.nextFloat()});
        }
        Graph quantized = MinMaxQuantizer.quantize(ready, ranges, options);
        assertFalse(ExplicitQuantizationRules.broken(written(quantized)).isEmpty(), "not before");
        Graph explicit = written(new ExplicitQuantization().apply(quantized));
        assertEquals(List.of(), ExplicitQuantizationRules.broken(explicit));
        assertEquals(60, explicit.nodes().stream().filter(node -> node.op() instanceof Op.QuantizeLinear
                && explicit.constants().containsKey(node.input(0))).count(), "weights of all convolutions");
    }

    @Test
    void theFileSaysWhatTheNetworkSays() {
        Graph graph = network();
        Map<String, Tensor> before = run(written(graph));
        Map<String, Tensor> after = run(written(new ExplicitQuantization().apply(graph)));
        before.forEach((name, wanted) -> {
            double error = 0;
            double energy = 0;
            for (int i = 0; i < wanted.elements(); i++) {
                error += Math.pow(wanted.floatAt(i) - after.get(name).floatAt(i), 2);
                energy += Math.pow(wanted.floatAt(i), 2);
            }
            assertTrue(error < 0.1 * energy, name + ": " + error + " of " + energy);
        });
    }

    @Test
    void readAgainItKeepsItsCodes() {
        Graph once = new ExplicitQuantization().apply(network());
        byte[] bytes = OnnxModels.toBytes(once);
        Graph again = GraphPasses.forInference(OnnxModels.read(bytes, "explicit", null), Map.of());
        assertEquals(6, again.quantization().keySet().stream().filter(again.constants()::containsKey).count());
        Graph twice = new ExplicitQuantization().apply(again);
        for (String name : List.of("first", "left", "inner", "right", "joined", "head")) {
            String stem = name + ".w.real";
            assertArrayEquals(once.constants().get(stem).toFloats(), twice.constants().entrySet().stream()
                    .filter(entry -> entry.getKey().startsWith(name + ".w") && entry.getKey().contains(".real"))
                    .findFirst().orElseThrow().getValue().toFloats(), name);
        }
        once.quantization().forEach((name, how) -> assertTrue(how.isSameAs(twice.quantization().get(name)), name));
    }

    /** Dividing in float32, as TensorRT does, and multiplying by the inverse give each code again. */
    @ParameterizedTest
    @ValueSource(floats = {1e-45f, 1e-38f, 1e-30f, 0.001f, 0.0123456f, 1 / 255f, 0.3333333f, 1e6f, 2e36f})
    void everyCodeComesBack(float scale) {
        constants.clear();
        conv("one", "images", 3, 86, 1, 0, 8);
        nodes.removeLast();
        long[] codes = new long[86 * 3];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = Math.min(i, 255) - 128;
        }
        constants.put("one.w", Tensor.of(DataType.INT8, Shape.of(86, 3, 1, 1), codes));
        quantization.put("one.w", Quantization.perTensor(scale, 0, 8, true));
        quantization.put("images", Quantization.perTensor(0.01f, 0, 8, true));
        Graph graph = new ExplicitQuantization().apply(new Graph("one",
                List.of(new ValueInfo("images", DataType.FLOAT32, Shape.of(1, 3, 2, 2))),
                List.of(new ValueInfo("one.raw", DataType.FLOAT32, Shape.of(1, 86, 2, 2))), nodes, constants,
                quantization, Map.of()));
        float given = graph.constants().get("one.w.scale").floatAt(0);
        float[] floats = graph.constants().get("one.w.real").toFloats();
        for (int i = 0; i < floats.length; i++) {
            if (scale < Float.MIN_NORMAL) {
                assertEquals(codes[i] * (double) scale, floats[i], given / 2);
            } else {
                assertEquals(codes[i], (long) Math.rint(floats[i] / given));
                assertEquals(codes[i], (long) Math.rint(floats[i] * (1 / given)));
            }
        }
    }

    @Test
    void zeroPointsGoAndRealsStay() {
        Graph graph = network();
        Map<String, Quantization> changed = new HashMap<>(graph.quantization());
        Map<String, Tensor> weights = new HashMap<>(graph.constants());
        long[] codes = random.longs(216, 0, 256).toArray();
        weights.put("first.w", Tensor.of(DataType.UINT8, Shape.of(8, 3, 3, 3), codes));
        changed.put("first.w", Quantization.perTensor(0.01f, 100, 8, false));
        Graph explicit =
                new ExplicitQuantization().apply(graph.withNodes(graph.nodes(), weights, changed));
        float scale = explicit.constants().get("first.w.scale").floatAt(0);
        for (int i = 0; i < codes.length; i++) {
            double real = 0.01f * (codes[i] - 100);
            assertEquals(real, explicit.constants().get("first.w.real").floatAt(i), scale / 2 + 1e-6);
        }
        explicit.quantization().forEach((name, how) -> {
            Quantization before = changed.get(name);
            double lowest = before.scale().floatAt(0) * (before.minCode() - before.zeroPoint().longAt(0));
            double highest = before.scale().floatAt(0) * (before.maxCode() - before.zeroPoint().longAt(0));
            float step = how.scale().floatAt(0);
            assertTrue(127 * step >= highest - 1e-6 && -128 * step <= lowest + 1e-6, name);
        });
    }

    @Test
    void scalesBeyondFloatsAreRefused() {
        Graph graph = network();
        Map<String, Quantization> changed = new HashMap<>(graph.quantization());
        changed.put("right.w", Quantization.perTensor(3e37f, 0, 8, true));
        String message = assertThrows(UnsupportedModelException.class, () -> new ExplicitQuantization()
                .apply(graph.withNodes(graph.nodes(), graph.constants(), changed))).getMessage();
        assertTrue(message.contains("'right.w'"), message);
    }

    @Test
    void floatNetworksStayAsTheyAre() {
        Graph graph = network();
        Graph bare = graph.withNodes(graph.nodes(), graph.constants(), Map.of());
        assertSame(bare, new ExplicitQuantization().apply(bare));
    }
}
