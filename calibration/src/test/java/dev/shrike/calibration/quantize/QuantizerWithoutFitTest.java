package dev.shrike.calibration.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.quantize.rounding.WeightFormat;
import dev.shrike.calibration.ranges.ActivationStatistics;
import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.RandomConvolutions;
import dev.shrike.graph.Sameness;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.Window;
import dev.shrike.graph.evaluation.IntegerEvaluator;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.graph.quantization.IntegerWeights;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import dev.shrike.testing.MinMaxQuantizer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rounding by the smallest and largest values alone, as {@code shrike build --bits} does it. */
class QuantizerWithoutFitTest {
    private static final List<String> WIDTHS =
            List.of("w8a8", "w4a8", "w4a4", "w3a3", "w2a2", "w1a1", "w1a2", "w5a6", "w8a3");

    private final SplittableRandom random = new SplittableRandom(Long.getLong("shrike.seed", 17));

    /** A second implementation, written on its own, chooses the same values, codes and weights. */
    @Test
    void randomConvolutionsAreQuantisedAsByTheOtherImplementation() {
        for (long seed = 0; seed < 80; seed++) {
            assertSameAsOther(RandomConvolutions.next(seed), WIDTHS.get((int) seed % WIDTHS.size()), seed % 3 != 2,
                    "seed " + seed);
        }
    }

    @Test
    void matrixProductsAreQuantisedAsByTheOtherImplementation() {
        for (int round = 0; round < 40; round++) {
            assertSameAsOther(matrixProducts(), WIDTHS.get(round % WIDTHS.size()), round % 3 != 2, "round " + round);
        }
    }

    private void assertSameAsOther(Graph ready, String text, boolean eightAtEnds, String label) {
        BitWidths widths = BitWidths.symmetric(text);
        MinMaxQuantizer.Options options = new MinMaxQuantizer.Options(
                new MinMaxQuantizer.Bits(widths.weights(), widths.activations()),
                eightAtEnds ? MinMaxQuantizer.FirstAndLast.EIGHT : MinMaxQuantizer.FirstAndLast.FLOAT, Map.of());
        List<Map<String, Tensor>> runs = List.of(Sameness.randomInputs(ready, random.split()),
                Sameness.randomInputs(ready, random.split()));
        Graph prepared = MinMaxQuantizer.prepare(ready);
        Map<String, float[]> ranges = RandomConvolutions.ranges(prepared, options, runs);
        Graph expected = MinMaxQuantizer.quantize(prepared, ranges, options);
        Quantizer quantizer = Quantizer.withoutFit(ready);
        QuantizationPlan plan =
                quantizer.uniform(widths, eightAtEnds ? Optional.of(BitWidths.EIGHT) : Optional.empty());
        assertEquals(ranges.keySet(), quantizer.valuesToMeasure(plan), label);
        assertSame(expected, quantizer.quantize(plan, statistics(ranges)).graph(), label + " " + text);
    }

    private static Map<String, ActivationStatistics> statistics(Map<String, float[]> ranges) {
        Map<String, ActivationStatistics> statistics = new HashMap<>();
        ranges.forEach((name, range) -> statistics.put(name, ActivationStatistics.ofRange(range[0], range[1])));
        return statistics;
    }

    private static void assertSame(Graph expected, Graph found, String label) {
        assertEquals(expected.nodes(), found.nodes(), label);
        assertEquals(new TreeSet<>(expected.constants().keySet()), new TreeSet<>(found.constants().keySet()), label);
        expected.constants().forEach((name, tensor) -> {
            Tensor other = found.constants().get(name);
            assertEquals(tensor.type(), other.type(), label + " " + name);
            assertEquals(-1, tensor.data().mismatch(other.data()), label + " " + name);
        });
        assertEquals(new TreeSet<>(expected.quantization().keySet()), new TreeSet<>(found.quantization().keySet()),
                label);
        expected.quantization().forEach((name, how) -> {
            Quantization other = found.quantization().get(name);
            assertTrue(how.isSameAs(other) && how.bits() == other.bits() && how.signed() == other.signed()
                    && how.narrow() == other.narrow() && how.axis() == other.axis(), label + " " + name);
        });
    }

    /** Convolution, Gemm and MatMul with joins, shared weights, and a head behind a Softmax that stays as it is. */
    private Graph matrixProducts() {
        GraphBuilder builder = new GraphBuilder().input("x", 1, 3, 4, 4);
        constant(builder, "conv.w", 5, 3, 3, 3);
        builder.node("conv", new Op.Conv(Window.square(3, 1, 1), 1, Activation.SILU), "x", "conv.w");
        builder.node("flat", new Op.Flatten(1), "conv");
        boolean transposed = random.nextBoolean();
        constant(builder, "gemm.w", transposed ? 12 : 80, transposed ? 80 : 12);
        constant(builder, "gemm.b", 12);
        builder.node("gemm", new Op.Gemm(0.5f, 1, false, transposed), "flat", "gemm.w", "gemm.b");
        builder.node("hard", Op.Unary.of(random.nextBoolean() ? Op.Unary.Kind.RELU : Op.Unary.Kind.TANH), "gemm");
        constant(builder, "square.w", 12, 12);
        builder.node("square", new Op.MatMul(), "hard", "square.w");
        builder.node("again", new Op.MatMul(), "square", "square.w");
        builder.node("sum", new Op.Binary(Op.Binary.Kind.ADD), "again", "hard");
        builder.node("both", new Op.Concat(1), "sum", random.nextBoolean() ? "square" : "gemm");
        constant(builder, "last.w", 24, 6);
        builder.node("last", new Op.MatMul(), "both", "last.w");
        builder.node("soft", new Op.Softmax(1), "last");
        constant(builder, "decoding.w", 6, 2);
        builder.node("y", new Op.MatMul(), "soft", "decoding.w");
        return GraphPasses.forInference(builder.output("y").build(), Map.of());
    }

    private void constant(GraphBuilder builder, String name, long... dims) {
        builder.constant(name, Sameness.randomTensor(random, DataType.FLOAT32, Shape.of(dims), -0.6, 0.6));
    }

    @Test
    void matrixProductsOfEightBitsAreNearFloat() {
        for (int round = 0; round < 10; round++) {
            Graph ready = matrixProducts();
            Quantizer quantizer = Quantizer.withoutFit(ready);
            assertEquals(5, quantizer.layers().nodes().size(), "the product behind the Softmax is no layer");
            Map<String, Tensor> inputs = Sameness.randomInputs(ready, random.split());
            Graph quantized = quantized(quantizer, quantizer.uniform(BitWidths.EIGHT), inputs);
            Graph engine = GraphPasses.forInference(quantized, Map.of());
            assertEquals(5, engine.nodes().stream().filter(node -> IntegerWeights.isIntegerProduct(engine, node))
                    .count());
            Sameness.assertClose(ReferenceEvaluator.run(ready, inputs, Set.of("y")).get("y"),
                    IntegerEvaluator.run(engine, inputs, Set.of("y")).floats().get("y"), 0.05, "round " + round);
        }
    }

    private static Graph quantized(Quantizer quantizer, QuantizationPlan plan, Map<String, Tensor> inputs) {
        Map<String, float[]> ranges = new HashMap<>();
        ReferenceEvaluator.run(quantizer.prepared(), inputs, quantizer.valuesToMeasure(plan)).forEach((name, value) -> {
            float[] range = {Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};
            for (float element : value.toFloats()) {
                range[0] = Math.min(range[0], element);
                range[1] = Math.max(range[1], element);
            }
            ranges.put(name, range);
        });
        return quantizer.quantize(plan, statistics(ranges)).graph();
    }

    /** A value beside a constant in a Concat: the range is that of both, so the constant has codes as well. */
    @Test
    void constantsOfAConcatAreWithinItsRange() {
        for (boolean constantFirst : new boolean[] {true, false}) {
            GraphBuilder builder = new GraphBuilder().input("x", 1, 2, 4, 4);
            constant(builder, "w", 3, 4, 1, 1);
            builder.constant("far", Tensor.ofFloats(Shape.of(1, 2, 4, 4), filled(32, 9)));
            builder.node("joined", new Op.Concat(1), constantFirst ? "far" : "x", constantFirst ? "x" : "far");
            builder.node("y", new Op.Conv(Window.square(1, 1, 0), 1, Activation.NONE), "joined", "w");
            Quantizer quantizer =
                    Quantizer.withoutFit(GraphPasses.forInference(builder.output("y").build(), Map.of()));
            QuantizationPlan plan = quantizer.uniform(BitWidths.EIGHT);
            assertEquals(Set.of("x", "joined"), quantizer.valuesToMeasure(plan));
            Graph graph = quantized(quantizer, plan,
                    Sameness.randomInputs(quantizer.prepared(), random.split()));
            Quantization joined = graph.quantization().get("joined");
            assertEquals(9.0 / 255, joined.scale().floatAt(0), 1e-6);
            assertTrue(joined.isSameAs(graph.quantization().get("x")));
        }
    }

    private static float[] filled(int count, float value) {
        float[] values = new float[count];
        java.util.Arrays.fill(values, value);
        return values;
    }

    /** What only moves the image, such as a change of layout, does not make the layer behind it an inner one. */
    @Test
    void theFirstLayerMayReadAMovedImage() {
        GraphBuilder builder = new GraphBuilder().input("x", 1, 8, 8, 3);
        constant(builder, "a.w", 4, 3, 3, 3);
        constant(builder, "b.w", 4, 4, 3, 3);
        constant(builder, "c.w", 4, 4, 1, 1);
        builder.node("moved", new Op.Transpose(List.of(0, 3, 1, 2)), "x");
        builder.node("a", new Op.Conv(Window.square(3, 1, 1), 1, Activation.SILU), "moved", "a.w");
        builder.node("b", new Op.Conv(Window.square(3, 1, 1), 1, Activation.SILU), "a", "b.w");
        builder.node("y", new Op.Conv(Window.square(1, 1, 0), 1, Activation.NONE), "b", "c.w");
        Quantizer quantizer = Quantizer.withoutFit(GraphPasses.forInference(builder.output("y").build(), Map.of()));
        assertEquals(Set.of("a"), quantizer.layers().first());
        assertEquals(Set.of("y"), quantizer.layers().last());
        QuantizationPlan plan = quantizer.uniform(BitWidths.symmetric("w2a2"));
        assertEquals(8, plan.widths("a").weights());
        assertEquals(2, plan.widths("b").weights());
    }

    /** A value has the width of the widest layer that reads it, and nothing is copied. */
    @Test
    void valuesAreAsWideAsTheirWidestReader() {
        Quantizer quantizer = Quantizer.withoutFit(GraphPasses.forInference(SmallNetwork.graph(1), Map.of()));
        QuantizationPlan plan = quantizer.uniform(BitWidths.symmetric("w2a3"));
        Map<String, ActivationStatistics> statistics = new HashMap<>();
        quantizer.valuesToMeasure(plan).forEach(name -> statistics.put(name, ActivationStatistics.ofRange(-1, 2)));
        Quantizer.Result result = quantizer.quantize(plan, statistics);
        Graph graph = result.graph();
        assertTrue(result.layers().isEmpty(), "no layer was fitted");
        assertTrue(graph.nodes().stream().noneMatch(node -> node.op() instanceof Op.Identity));
        assertEquals(8, graph.quantization().get("images").bits());
        // Read by a sum and a layer of 3 bits; by a layer of 3 and the last one of 8; joined with one of 3 bits.
        assertEquals(3, graph.quantization().get("left").bits());
        assertEquals(8, graph.quantization().get("narrow").bits());
        assertEquals(8, graph.quantization().get("larger").bits());
        assertEquals(3, graph.quantization().get("down").bits());
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Concat) {
                node.inputs().forEach(name -> assertTrue(graph.quantization().get(name)
                        .isSameAs(graph.quantization().get(node.output())), name));
            }
        }
    }

    @Test
    void layersMayStayFloat() {
        Quantizer quantizer = Quantizer.withoutFit(RandomConvolutions.next(3));
        Map<String, Optional<BitWidths>> layers = new HashMap<>();
        quantizer.layers().nodes().forEach(node -> layers.put(node.name(),
                node.name().equals("first") ? Optional.of(BitWidths.symmetric("w5a7")) : Optional.empty()));
        QuantizationPlan plan = new QuantizationPlan("mine", Optional.of("min-max"), Optional.of("min-max"), layers);
        Graph graph = quantized(quantizer, plan, Sameness.randomInputs(quantizer.prepared(), random.split()));
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Conv) {
                Quantization weights = graph.quantization().get(node.input(1));
                assertEquals(node.name().equals("first"), weights != null, node.name());
                assertTrue(weights == null || weights.bits() == 5);
            }
        }
        assertEquals(7, graph.quantization().get("x").bits());
    }

    @Test
    void whatWasNotMeasuredIsNamed() {
        Quantizer quantizer = Quantizer.withoutFit(RandomConvolutions.next(1));
        QuantizationPlan plan = quantizer.uniform(BitWidths.EIGHT);
        ModelException e = assertThrows(ModelException.class, () -> quantizer.quantize(plan, Map.of()));
        assertTrue(e.getMessage().contains("no range is known of value '"), e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"w4a8", "w4a4 power-of-two", "w3a8 entropy-coded"})
    void codesThatNeedAFitAreRefused(String widths) {
        Quantizer quantizer = Quantizer.withoutFit(GraphPasses.forInference(SmallNetwork.graph(1), Map.of()));
        QuantizationPlan plan = quantizer.uniform(BitWidths.parse(widths));
        ModelException e = assertThrows(ModelException.class, () -> quantizer.valuesToMeasure(plan));
        assertTrue(e.getMessage().contains("has " + BitWidths.parse(widths)) && e.getMessage().contains("symmetric"),
                e.getMessage());
    }

    @Test
    void oneBitIsNotFitted() {
        for (String text : List.of("w1a8", "w1a8 symmetric", "w4a1 symmetric", "w0a8 symmetric", "w1a4 power-of-two")) {
            assertThrows(IllegalArgumentException.class, () -> BitWidths.parse(text), text);
        }
        for (String text : List.of("w0a8", "w9a8", "w4a0", "w4a9", "4x4", "w4.5a8", "w4a8 symmetric", "")) {
            assertThrows(IllegalArgumentException.class, () -> BitWidths.symmetric(text), text);
        }
        assertThrows(IllegalArgumentException.class, () -> new BitWidths(1, 8));
        assertThrows(IllegalArgumentException.class, () -> new BitWidths(8, 1));
        assertEquals(new BitWidths(1, 2, WeightFormat.SYMMETRIC), BitWidths.symmetric("w1a2"));
        assertFalse(BitWidths.symmetric("w1a2").canBeFitted());
        Backend backend = Backends.usable(Backends.installed(), "").getFirst();
        Quantizer fitting = new Quantizer(SmallNetwork.graph(1), Map.of(), backend, 1);
        ModelException e = assertThrows(ModelException.class,
                () -> fitting.valuesToMeasure(fitting.uniform(BitWidths.symmetric("w1a2"))));
        assertTrue(e.getMessage().contains("fitted to 2 bits or more"), e.getMessage());
    }

    @Test
    void networksWithNothingToQuantiseAreRefused() {
        Graph none = new GraphBuilder().input("x", 1, 3, 4, 4).node("y", Op.Unary.of(Op.Unary.Kind.RELU), "x")
                .output("y").build();
        UnsupportedModelException e =
                assertThrows(UnsupportedModelException.class, () -> Quantizer.withoutFit(none));
        assertTrue(e.getMessage().contains("nothing to quantise"), e.getMessage());
        Quantizer quantizer = Quantizer.withoutFit(RandomConvolutions.next(2));
        Graph done = quantized(quantizer, quantizer.uniform(BitWidths.EIGHT),
                Sameness.randomInputs(quantizer.prepared(), random.split()));
        assertThrows(UnsupportedModelException.class, () -> Quantizer.withoutFit(done));
    }
}
