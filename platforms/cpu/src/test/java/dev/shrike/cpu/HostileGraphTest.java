package dev.shrike.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ShrikeException;
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
import dev.shrike.graph.evaluation.IntegerEvaluator;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Networks that no exporter writes: run right, or refused by node, and never with memory of others. */
class HostileGraphTest {
    private static final Shape IMAGE = Shape.of(2, 3, 4, 5);
    private static final Op RELU = Op.Unary.of(Op.Unary.Kind.RELU);
    private static final Op ADD = new Op.Binary(Op.Binary.Kind.ADD);

    private static Tensor pixels(Shape shape) {
        float[] values = new float[(int) shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (i * 37 % 101) / 101f - 0.5f;
        }
        return Tensor.ofFloats(shape, values);
    }

    private static Map<String, Tensor> constants() {
        Map<String, Tensor> constants = new HashMap<>();
        constants.put("minus one", Tensor.vector(-1));
        constants.put("lowest", Tensor.vector(Long.MIN_VALUE));
        for (int axis = 0; axis < 4; axis++) {
            constants.put("axis " + axis, Tensor.vector(axis));
        }
        constants.put("w", pixels(Shape.of(4, 3, 3, 3)));
        constants.put("matrix", pixels(Shape.of(5, 6)));
        constants.put("image", pixels(IMAGE));
        constants.put("flat", Tensor.vector(2, -1));
        constants.put("pads", Tensor.vector(0, 0, 1, 1, 0, 0, 1, 1));
        constants.put("picked", Tensor.vector(2, 0, -1));
        constants.put("scales", Tensor.ofFloats(Shape.of(4), 1, 1, 2, 2));
        constants.put("none", Tensor.ofFloats(Shape.of(2, 0, 4, 5)));
        constants.put("zero", Tensor.vector(0));
        constants.put("two", Tensor.vector(2));
        constants.put("nothing", Tensor.vector(0, -1));
        return constants;
    }

    private static Graph graph(List<Node> nodes) {
        List<String> outputs = nodes.getLast().outputs();
        return new Graph("hostile", List.of(new ValueInfo("x", DataType.FLOAT32, IMAGE)),
                outputs.stream().map(name -> new ValueInfo(name, DataType.FLOAT32, Shape.of())).toList(), nodes,
                constants(), Map.of(), Map.of());
    }

    private static Map<String, float[]> run(Graph graph, Tensor input) {
        Map<String, float[]> results = new HashMap<>();
        try (GraphExecutor executor = new CpuBackend().open(graph, ExecutorOptions.DEFAULT.withThreads(1))) {
            FloatBench.fill(executor.inputs().getFirst(), input.toFloats());
            executor.run();
            for (Binding output : executor.outputs()) {
                results.put(output.name(), FloatBench.read(output));
            }
        }
        return results;
    }

    private static void equalsTheReference(Graph graph, String hint) {
        Tensor x = pixels(IMAGE);
        Map<String, float[]> ours = run(graph, x);
        Map<String, Tensor> right = ReferenceEvaluator.run(graph, Map.of("x", x), ours.keySet());
        right.forEach(
                (name, tensor) -> assertArrayEquals(tensor.toFloats(), ours.get(name), 1e-5f, hint + ": " + name));
    }

    /** A value read backwards by every operation, and as it is by who runs the network. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void stepsBackwardsAreRight(int axis) {
        Node slice = new Node("slice", new Op.Slice(),
                List.of("relu", "minus one", "lowest", "axis " + axis, "minus one"), List.of("back"));
        Op.Conv conv = new Op.Conv(Window.square(3, 1, 1), 1, Activation.NONE);
        Op.Resize resize =
                new Op.Resize(Op.Resize.Mode.NEAREST, Op.Resize.Coordinates.ASYMMETRIC, Op.Resize.Nearest.FLOOR);
        Map<Op, List<String>> readers = new HashMap<>();
        readers.put(new Op.Identity(), List.of("back"));
        readers.put(RELU, List.of("back"));
        readers.put(ADD, List.of("back", "image"));
        readers.put(new Op.Softmax(1), List.of("back"));
        readers.put(new Op.Softmax(-1), List.of("back"));
        readers.put(new Op.Reduce(Op.Reduce.Kind.SUM, false), List.of("back", "axis " + axis));
        readers.put(new Op.Reduce(Op.Reduce.Kind.MAX, true), List.of("back", "axis 1"));
        readers.put(new Op.MatMul(), List.of("back", "matrix"));
        readers.put(conv, List.of("back", "w"));
        readers.put(new Op.MaxPool(Window.square(2, 1, 0), false), List.of("back"));
        readers.put(new Op.AveragePool(Window.square(2, 1, 0), false, false), List.of("back"));
        readers.put(new Op.GlobalAveragePool(), List.of("back"));
        readers.put(new Op.Concat(1), List.of("back", "relu", "back"));
        readers.put(new Op.Concat(3), List.of("relu", "back"));
        readers.put(new Op.Split(1), List.of("back"));
        readers.put(new Op.Reshape(false), List.of("back", "flat"));
        readers.put(new Op.Transpose(List.of(0, 2, 3, 1)), List.of("back"));
        readers.put(new Op.Transpose(List.of()), List.of("back"));
        readers.put(new Op.Flatten(2), List.of("back"));
        readers.put(new Op.Pad(), List.of("back", "pads"));
        readers.put(new Op.Gather(1), List.of("back", "picked"));
        readers.put(resize, List.of("back", "", "scales"));
        readers.forEach((op, inputs) -> equalsTheReference(graph(List.of(
                new Node("relu", RELU, List.of("x"), List.of("relu")), slice,
                new Node("reader", op, inputs, List.of("y")))),
                op.toString()));
        equalsTheReference(graph(List.of(new Node("relu", RELU, List.of("x"), List.of("relu")), slice)), "the slice");
        equalsTheReference(graph(List.of(new Node("slice", new Op.Slice(),
                List.of("x", "minus one", "lowest", "axis " + axis, "minus one"), List.of("back")))), "of the input");
    }

    @Test
    void valuesWithoutElementsAreRefusedByNode() {
        Op.Slice slice = new Op.Slice();
        Node empty = new Node("cut", slice, List.of("x", "zero", "zero", "axis 1"), List.of("cut"));
        String message = refusal(graph(List.of(empty)));
        assertTrue(message.contains("node 'cut' (Slice)") && message.contains("[2, 0, 4, 5]"), message);
        message = refusal(graph(List.of(empty, new Node("rows", new Op.Reshape(true), List.of("cut", "nothing"),
                List.of("rows")))));
        assertTrue(message.contains("node '"), message);
        message = refusal(graph(List.of(empty, new Node("pool", new Op.GlobalAveragePool(), List.of("cut"),
                List.of("y")))));
        assertTrue(message.contains("node 'pool'"), message);
        Graph given = new Graph("hostile", List.of(new ValueInfo("x", DataType.FLOAT32, Shape.of(1, 0))),
                List.of(new ValueInfo("y", DataType.FLOAT32, Shape.of(1, 0))),
                List.of(new Node("relu", RELU, List.of("x"), List.of("y"))), Map.of(), Map.of(), Map.of());
        message = refusal(given);
        assertTrue(message.contains("input 'x'"), message);
    }

    @Test
    void theFirstOfSeveralResultsMayBeUnwanted() {
        List<Node> nodes = List.of(new Node("relu", RELU, List.of("x"), List.of("relu")),
                new Node("best", new Op.TopK(3, true), List.of("relu", "two"), List.of("", "best")),
                new Node("y", new Op.Cast(DataType.FLOAT32), List.of("best"), List.of("y")));
        equalsTheReference(graph(nodes), "places of the largest");
    }

    /** A constant of codes and a value of codes, each read by somebody and a result as well. */
    @Test
    void resultsOfCodesAreGivenAsTheFloatsTheyStandFor() {
        Graph graph = quantized(name -> name, name -> name);
        List<Node> nodes = new ArrayList<>(graph.nodes());
        nodes.add(new Node("soft", new Op.Softmax(1), List.of("both"), List.of("soft")));
        List<ValueInfo> outputs = new ArrayList<>(graph.outputs());
        for (String name : List.of("both", "soft", "w1", "a")) {
            outputs.add(new ValueInfo(name, DataType.FLOAT32, Shape.of()));
        }
        Graph more = graph.withNodes(nodes).withOutputs(outputs);
        Tensor x = pixels(Shape.of(1, 2, 8, 8));
        Map<String, float[]> ours = run(more, x);
        Map<String, Tensor> right = IntegerEvaluator.run(more, Map.of("x", x), ours.keySet()).floats();
        right.forEach((name, tensor) -> assertArrayEquals(tensor.toFloats(), ours.get(name), 1e-5f, name));
    }

    @Test
    void aConstantWithoutElementsAddsNothingToAConcat() {
        equalsTheReference(graph(List.of(new Node("relu", RELU, List.of("x"), List.of("relu")),
                new Node("both", new Op.Concat(1), List.of("none", "relu", "none", "x"), List.of("y")))), "concat");
    }

    private static String refusal(Graph graph) {
        return assertThrows(ShrikeException.class, () -> run(graph, pixels(IMAGE))).getMessage();
    }

    /** Two convolutions and a sum of codes, a Concat of different scales, and an output as floats of codes. */
    private static Graph quantized(UnaryOperator<String> nodeNames, UnaryOperator<String> valueNames) {
        Map<String, Tensor> constants = new HashMap<>();
        Map<String, Quantization> quantization = new HashMap<>();
        long[] codes = new long[36];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = i * 7 % 15 - 7;
        }
        for (String weights : List.of("w1", "w2")) {
            constants.put(valueNames.apply(weights), Tensor.of(DataType.INT8, Shape.of(2, 2, 3, 3), codes));
            quantization.put(valueNames.apply(weights), Quantization.perTensor(0.1f, 0, 4, true));
        }
        Op.Conv conv = new Op.Conv(Window.square(3, 1, 1), 1, Activation.NONE);
        List<Node> nodes = new ArrayList<>();
        String[][] drafts = {{"a", "x", "w1"}, {"b", "a", "w2"}, {"sum", "a", "b"}, {"both", "sum", "x"},
                {"back", "both"}, {"y", "back"}};
        Op[] ops = {conv, conv, ADD, new Op.Concat(1), Op.Unary.of(Op.Unary.Kind.TANH),
                new Op.MaxPool(Window.square(2, 2, 0), false)};
        for (int i = 0; i < ops.length; i++) {
            List<String> inputs = new ArrayList<>();
            for (int k = 1; k < drafts[i].length; k++) {
                inputs.add(valueNames.apply(drafts[i][k]));
            }
            nodes.add(new Node(nodeNames.apply(drafts[i][0]), ops[i], inputs,
                    List.of(valueNames.apply(drafts[i][0]))));
        }
        float scale = 0.02f;
        for (String value : List.of("x", "a", "b", "sum", "both", "back", "y")) {
            quantization.put(valueNames.apply(value), Quantization.perTensor(scale, 100, 8, false));
            scale *= 1.3f;
        }
        return new Graph("quantised", List.of(new ValueInfo(valueNames.apply("x"), DataType.FLOAT32,
                Shape.of(1, 2, 8, 8))),
                List.of(new ValueInfo(valueNames.apply("y"), DataType.FLOAT32, Shape.of())), nodes, constants,
                quantization, Map.of());
    }

    /** What lowering calls its own values and nodes must not meet what the file calls its. */
    @Test
    void namesOfNodesAndValuesMeanNothing() {
        Tensor x = pixels(Shape.of(1, 2, 8, 8));
        float[] right = run(quantized(name -> name, name -> name), x).get("y");
        Map<String, UnaryOperator<String>> nodeNames = new HashMap<>();
        nodeNames.put("all alike", _ -> "node");
        nodeNames.put("none", _ -> "");
        for (String form : List.of("quantize", "dequantize", "requantize", "bipolar", "operand 0", "operand 1")) {
            nodeNames.put(form,
                    name -> Map.of("a", "x", "b", "y", "sum", "both").getOrDefault(name, name) + "/" + form);
        }
        nodeNames.forEach((hint, names) -> {
            Graph graph = quantized(names, name -> name);
            assertArrayEquals(right, run(graph, x).get("y"), hint);
        });
        for (String form : List.of("exact", "codes", "real", "dynamic", "before", "sign", "operand 0", "operand 1")) {
            Map<String, String> renamed = Map.of("a", "y/" + form, "b", "x/" + form, "sum", "both/" + form, "w2",
                    "a/" + form, "back", "sum/" + form);
            Graph graph = quantized(name -> name, name -> renamed.getOrDefault(name, name));
            assertArrayEquals(right, run(graph, x).get("y"), form);
        }
    }

    @Test
    void namesThatMovingAFunctionBehindASplitMakesMayBeTaken() {
        List<Node> nodes = new ArrayList<>();
        nodes.add(new Node("f", Op.Unary.of(Op.Unary.Kind.SIGMOID), List.of("x"), List.of("f")));
        nodes.add(new Node("f of b", new Op.Split(3), List.of("f"), List.of("a", "b")));
        nodes.add(new Node("f of a", RELU, List.of("b"), List.of("a/before f")));
        nodes.add(new Node("again", RELU, List.of("a/before f"), List.of("b/before f")));
        nodes.add(new Node("last", new Op.Concat(3), List.of("a", "b/before f"), List.of("y")));
        equalsTheReference(graph(nodes), "split");
    }

    @Test
    void numbersThatNoQuantisationHasAreRefused() {
        for (float scale : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
            assertThrows(ShrikeException.class, () -> graph(Quantization.perTensor(scale, 0, 8, false)), "" + scale);
        }
        for (int zero : new int[] {-1, 256, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            assertThrows(ShrikeException.class,
                    () -> run(graph(Quantization.perTensor(1, zero, 8, false)), pixels(IMAGE)), "" + zero);
        }
        Tensor scales = Tensor.ofFloats(Shape.of(3), 1, 2, 3);
        Tensor zeros = Tensor.of(DataType.INT32, Shape.of(3), 0, 0, 0);
        for (int axis : new int[] {1, 2, 4, 100}) {
            String message = refusal(graph(new Quantization(scales, zeros, 8, false, false, axis)));
            assertTrue(message.contains("'y'") || message.contains("'relu'"), message);
        }
        assertThrows(ShrikeException.class, () -> graph(
                new Quantization(Tensor.scalar(1), Tensor.scalar(0.5f), 8, false, false, -1)), "no whole zero point");
    }

    private static Graph graph(Quantization how) {
        return new Graph("quantised", List.of(new ValueInfo("x", DataType.FLOAT32, IMAGE)),
                List.of(new ValueInfo("y", DataType.FLOAT32, IMAGE)),
                List.of(new Node("relu", RELU, List.of("x"), List.of("y"))), Map.of(), Map.of("y", how), Map.of());
    }

    @Test
    void codesWiderThanTheirWidthAreRefused() {
        for (long[] wrong : new long[][] {{2, -8}, {2, 2}, {4, 8}, {7, -128}}) {
            Graph sound = quantized(name -> name, name -> name);
            Map<String, Tensor> constants = new HashMap<>(sound.constants());
            Map<String, Quantization> quantization = new HashMap<>(sound.quantization());
            long[] codes = new long[36];
            codes[35] = wrong[1];
            constants.put("w2", Tensor.of(DataType.INT8, Shape.of(2, 2, 3, 3), codes));
            quantization.put("w2", Quantization.perTensor(0.1f, 0, (int) wrong[0], true));
            Graph graph = sound.withNodes(sound.nodes(), constants, quantization);
            String message = assertThrows(ShrikeException.class, () -> run(graph, pixels(Shape.of(1, 2, 8, 8))))
                    .getMessage();
            assertTrue(message.contains("node 'b'") && message.contains("code " + wrong[1]), message);
        }
    }

    @Test
    void aShapeIsNoQuantisedValue() {
        Graph graph = new Graph("quantised", List.of(new ValueInfo("x", DataType.FLOAT32, IMAGE)),
                List.of(new ValueInfo("y", DataType.INT64, Shape.of(4))),
                List.of(new Node("shape", new Op.ShapeOf(0, 4), List.of("x"), List.of("y"))), Map.of(),
                Map.of("y", Quantization.perTensor(1, 0, 8, false)), Map.of());
        assertTrue(refusal(graph).contains("'y' of type INT64"), refusal(graph));
    }
}
