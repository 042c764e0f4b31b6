package dev.shrike.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ModelException;
import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.RandomConvolutions;
import dev.shrike.graph.Sameness;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.evaluation.IntegerEvaluator;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.graph.quantization.IntegerWeights;
import dev.shrike.graph.quantization.WeightRounding;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.testing.MinMaxQuantizer.Bits;
import dev.shrike.testing.MinMaxQuantizer.FirstAndLast;
import dev.shrike.testing.MinMaxQuantizer.Options;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class MinMaxQuantizerTest {
    private static final int[][] WIDTHS = {{8, 8}, {4, 8}, {4, 4}, {3, 3}, {2, 2}, {1, 1}, {1, 2}, {5, 6}};

    @Test
    void codesEqualRoundedRealsUpToFewEdges() {
        long codes = 0;
        long off = 0;
        for (long seed = 0; seed < 60; seed++) {
            int[] width = WIDTHS[(int) seed % WIDTHS.length];
            Graph quantized = quantized(seed, Options.of(width[0], width[1]));
            Graph engine = GraphPasses.forInference(quantized, Map.of());
            assertEquals(quantized.quantization().keySet(), engine.quantization().keySet(), "seed " + seed);
            Map<String, Tensor> inputs = Sameness.randomInputs(engine, new SplittableRandom(seed + 1000));
            // Each node is given the very codes that the integer evaluation gave it, so that edges do not add up.
            Set<String> names = new TreeSet<>(engine.quantization().keySet());
            IntegerEvaluator.Values found = IntegerEvaluator.run(engine, inputs, names);
            for (Node node : engine.nodes()) {
                String name = node.output();
                if (!found.codes().containsKey(name)) {
                    continue;
                }
                Tensor expected = alone(engine, node, found.floats());
                float scale = engine.quantization().get(name).scale().floatAt(0);
                for (long i = 0; i < expected.elements(); i++) {
                    double steps = Math.abs(expected.doubleAt(i) - found.floats().get(name).doubleAt(i)) / scale;
                    assertTrue(steps < 1.001, "seed " + seed + " " + name + ": " + steps + " codes off");
                    codes++;
                    off += steps > 0.5 ? 1 : 0;
                }
            }
        }
        assertTrue(codes > 100_000 && off * 2000 < codes, off + " of " + codes + " codes differ");
    }

    /** What one node gives in float of the values that were found for what it reads. */
    private static Tensor alone(Graph graph, Node node, Map<String, Tensor> floats) {
        List<ValueInfo> inputs = new ArrayList<>();
        Map<String, Tensor> given = new HashMap<>();
        for (String name : new TreeSet<>(node.inputs())) {
            if (!name.isEmpty() && !graph.constants().containsKey(name)) {
                inputs.add(new ValueInfo(name, DataType.FLOAT32, floats.get(name).shape()));
                given.put(name, floats.get(name));
            }
        }
        Map<String, Quantization> quantization = new HashMap<>(graph.quantization());
        quantization.keySet().removeAll(given.keySet());
        Graph part = new Graph("part", inputs, List.of(new ValueInfo(node.output(), DataType.FLOAT32, Shape.of())),
                List.of(node), graph.constants(), quantization, Map.of());
        return ReferenceEvaluator.run(part, given, Set.of(node.output())).get(node.output());
    }

    @Test
    void eightBitsStayCloseToFloat() {
        for (long seed = 0; seed < 30; seed++) {
            Graph graph = RandomConvolutions.next(seed);
            Graph quantized = quantized(seed, Options.of(8, 8));
            Map<String, Tensor> inputs = Sameness.randomInputs(graph, new SplittableRandom(seed));
            Tensor expected = ReferenceEvaluator.run(graph, inputs, Set.of("y")).get("y");
            Tensor found = IntegerEvaluator.run(quantized, inputs, Set.of("y")).floats().get("y");
            Sameness.assertClose(expected, found, 0.2, "seed " + seed);
        }
    }

    @Test
    void integerEnginesMeetOnlyCodes() {
        for (long seed = 0; seed < 30; seed++) {
            Graph engine = GraphPasses.forInference(quantized(seed, Options.of(4, 4)), Map.of());
            String head = null;
            for (Node node : engine.nodes()) {
                if (node.op() instanceof Op.Conv conv) {
                    assertTrue(IntegerWeights.isIntegerProduct(engine, node), "seed " + seed);
                    assertEquals(node.name().equals("head"), !engine.quantization().containsKey(node.output()));
                    head = node.name().equals("head") ? node.output() : head;
                    assertTrue(conv.activation().kind() == Activation.Kind.NONE || node.name().equals("head"));
                } else if (!node.output().equals("y")) {
                    assertTrue(engine.quantization().containsKey(node.output()), node.output());
                }
                if (node.op() instanceof Op.Concat) {
                    node.inputs().forEach(name -> assertTrue(engine.quantization().get(name)
                            .isSameAs(engine.quantization().get(node.output()))));
                }
            }
            assertFalse(head == null && engine.outputs().isEmpty());
        }
    }

    @Test
    void firstAndLastMayStayFloatAndSingleNodesHaveTheirOwnBits() {
        Graph graph = MinMaxQuantizer.prepare(RandomConvolutions.next(3));
        List<String> convs = graph.nodes().stream().filter(node -> node.op() instanceof Op.Conv).map(Node::name)
                .toList();
        Options options = new Options(new Bits(2, 2), FirstAndLast.FLOAT, Map.of("first", new Bits(5, 7)));
        Graph quantized = MinMaxQuantizer.quantize(graph, RandomConvolutions.ranges(graph, options,
                List.of(Sameness.randomInputs(graph, new SplittableRandom(1)))), options);
        for (Node node : quantized.nodes()) {
            if (node.op() instanceof Op.Conv) {
                Quantization weights = quantized.quantization().get(node.input(1));
                assertEquals(node.name().equals("head"), weights == null, node.name() + " of " + convs);
                assertTrue(weights == null || weights.bits() == (node.name().equals("first") ? 5 : 2));
            }
        }
        assertEquals(7, quantized.quantization().get("x").bits());
        Options unknown = new Options(new Bits(2, 2), FirstAndLast.FLOAT, Map.of("nobody", new Bits(5, 7)));
        assertTrue(assertThrows(ModelException.class, () -> MinMaxQuantizer.rangesNeeded(graph, unknown)).getMessage()
                .contains("'nobody'"));
    }

    @Test
    void missingAndBrokenRangesAreNamed() {
        Graph graph = RandomConvolutions.next(1);
        String message = assertThrows(ModelException.class,
                () -> MinMaxQuantizer.quantize(graph, Map.of(), Options.of(8, 8))).getMessage();
        assertTrue(message.contains("no range is known of value"), message);
        Map<String, float[]> ranges = new HashMap<>();
        MinMaxQuantizer.rangesNeeded(graph, Options.of(8, 8))
                .forEach(name -> ranges.put(name, new float[] {0, Float.NaN}));
        message = assertThrows(ModelException.class,
                () -> MinMaxQuantizer.quantize(graph, ranges, Options.of(8, 8))).getMessage();
        assertTrue(message.contains("NaN"), message);
    }

    @Test
    void weightsAreRoundedAsTold() {
        Tensor w = Tensor.ofFloats(Shape.of(2, 3), 0.9f, -0.3f, 0, -2, 1, 0.9f);
        WeightRounding.Rounded one = WeightRounding.round(w, 0, 1);
        assertEquals(0.4f, one.how().scale().floatAt(0), 1e-6f);
        assertEquals(List.of(1L, -1L, 1L, -1L, 1L, 1L),
                java.util.Arrays.stream(one.codes().toLongs()).boxed().toList());
        WeightRounding.Rounded two = WeightRounding.round(w, 0, 2);
        assertEquals(0.9f, two.how().scale().floatAt(0), 1e-6f);
        assertEquals(1, two.how().scale().floatAt(1), 1e-6f);
        assertEquals(List.of(1L, 0L, 0L, -2L, 1L, 1L), java.util.Arrays.stream(two.codes().toLongs()).boxed().toList());
        WeightRounding.Rounded eight = WeightRounding.round(w, 1, 8);
        assertEquals(1, eight.how().axis());
        assertEquals(-127, eight.codes().longAt(3));
        WeightRounding.Rounded zero = WeightRounding.round(Tensor.ofFloats(Shape.of(1, 2), 0, 0), 0, 4);
        assertEquals(0, zero.codes().longAt(0));
    }

    @Test
    void yolov5nAtEightBitsIsCloseToFloat() {
        Graph model = OnnxModels.read(SharedFolder.file("models/yolov5n-dynamic.onnx"));
        Graph graph = MinMaxQuantizer.prepare(
                GraphPasses.forInference(model, Map.of("images", Shape.of(1, 3, 64, 64))));
        Options options = Options.of(8, 8);
        Map<String, Tensor> inputs = Sameness.randomInputs(graph, new SplittableRandom(1));
        Graph quantized = MinMaxQuantizer.quantize(graph, RandomConvolutions.ranges(graph, options, List.of(inputs)),
                options);
        Graph engine = GraphPasses.forInference(quantized, Map.of());
        assertEquals(60, engine.nodes().stream().filter(node -> IntegerWeights.isIntegerProduct(engine, node))
                .count());
        Tensor expected = ReferenceEvaluator.run(graph, inputs, Set.of("output")).get("output");
        Tensor rounded = ReferenceEvaluator.run(engine, inputs, Set.of("output")).get("output");
        Tensor codes = IntegerEvaluator.run(engine, inputs, Set.of("output")).floats().get("output");
        double error = 0;
        for (long i = 0; i < expected.elements(); i++) {
            boolean box = i % 85 < 4;
            double scale = box ? 64 : 1;
            assertEquals(rounded.doubleAt(i) / scale, codes.doubleAt(i) / scale, 0.1, "element " + i);
            error += Math.abs(expected.doubleAt(i) - codes.doubleAt(i)) / scale / expected.elements();
        }
        assertTrue(error < 0.01, "mean error " + error);
    }

    private static Graph quantized(long seed, Options options) {
        Graph graph = MinMaxQuantizer.prepare(RandomConvolutions.next(seed));
        List<Map<String, Tensor>> runs = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            runs.add(Sameness.randomInputs(graph, new SplittableRandom(seed * 10 + i)));
        }
        return MinMaxQuantizer.quantize(graph, RandomConvolutions.ranges(graph, options, runs), options);
    }
}
