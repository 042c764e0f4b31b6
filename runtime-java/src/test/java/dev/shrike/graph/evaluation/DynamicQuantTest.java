package dev.shrike.graph.evaluation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import dev.shrike.ModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.Node;
import dev.shrike.graph.OnnxRuntime;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.RandomConvolutions;
import dev.shrike.graph.Sameness;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.graph.passes.ExportQuantization;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.graph.quantization.DynamicQuantParams;
import dev.shrike.graph.quantization.IntegerWeights;
import dev.shrike.graph.quantization.QuantParams;
import dev.shrike.graph.quantization.WeightRounding;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.testing.MinMaxQuantizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Rounding by the range of the value itself. */
class DynamicQuantTest {
    private static final Op OP = new Op.DynamicQuant();
    private static final float LARGEST = Float.MAX_VALUE;

    private static float[] rounded(float... x) {
        return GraphBuilder.evaluate(OP, Tensor.ofFloats(Shape.of(x.length), x)).toFloats();
    }

    private static QuantParams codes(float... x) {
        return DynamicQuantParams.of(Tensor.ofFloats(Shape.of(x.length), x));
    }

    @Test
    void roundsByLeastAndLargest() {
        // 255 steps of 0.5 from -27.5 on; 0.25 and 0.75 lie between two codes and go to the even one of the quotients.
        assertEquals(new QuantParams(0.5f, 55, 0, 255, false), codes(-27.5f, 1, 100));
        assertArrayEquals(new float[] {-27.5f, 100, 0, 1, 1, -1, 3, 0},
                rounded(-27.5f, 100, 0.25f, 0.75f, 1.25f, -0.75f, 2.8f, 0), 0);
    }

    @Test
    void zeroIsAlwaysWithin() {
        assertEquals(new QuantParams(2, 0, 0, 255, false), codes(510, 300));
        assertEquals(new QuantParams(2, 255, 0, 255, false), codes(-510, -300));
        assertArrayEquals(new float[] {510, 300}, rounded(510, 300), 0);
        assertArrayEquals(new float[] {-510, -300}, rounded(-510, -300), 0);
        assertArrayEquals(new float[] {255}, rounded(255), 0);
        assertArrayEquals(new float[] {-255, -255}, rounded(-255, -255), 0);
    }

    @Test
    void zeroPointsAreRoundedHalfToEven() {
        assertEquals(128, codes(-127.5f, 127.5f).zero());
        assertEquals(2, codes(-2.5f, 252.5f).zero());
    }

    @Test
    void zerosStayZeros() {
        assertEquals(new QuantParams(1, 0, 0, 255, false), codes(0, -0f));
        assertArrayEquals(new float[] {0, 0}, rounded(0, -0f), 0);
        assertEquals(0, GraphBuilder.evaluate(OP, Tensor.ofFloats(Shape.of(0))).elements());
    }

    @Test
    void whatIsNotFiniteHasNoPartInTheRange() {
        float[] found = rounded(Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, -55, 200);
        assertArrayEquals(new float[] {-55, 200, -55, -55, 200}, found, 0);
        assertArrayEquals(new float[] {0, 255, 0}, rounded(Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY),
                0);
    }

    @Test
    void hugeAndTinyValuesHaveFiniteScales() {
        assertEquals(LARGEST / 255 + LARGEST / 255, codes(-LARGEST, LARGEST).scale());
        assertEquals(128, codes(-LARGEST, LARGEST).zero());
        assertEquals(0, rounded(-LARGEST, LARGEST, 0)[2]);
        float tiny = Float.MIN_VALUE;
        assertEquals(new QuantParams(Float.MIN_NORMAL, 0, 0, 255, false), codes(tiny, 3 * tiny));
        assertArrayEquals(new float[] {0, 0}, rounded(tiny, -tiny), 0);
        assertArrayEquals(new float[] {3 * Float.MIN_NORMAL, -Float.MIN_NORMAL},
                rounded(3 * Float.MIN_NORMAL, -Float.MIN_NORMAL), 0);
    }

    @Test
    void onlyFloatsAreTaken() {
        Graph wrong = new GraphBuilder().input("x", DataType.FLOAT64, 3).node("y", OP, "x").output("y").build();
        assertTrue(assertThrows(ModelException.class, () -> ShapeInference.infer(wrong)).getMessage()
                .contains("FLOAT32"));
    }

    // --- files -----------------------------------------------------------------------------------------------------

    private static GraphBuilder pair() {
        return new GraphBuilder().input("x", 1, 2, 4, 4).node(List.of("c", "s", "z"), new Op.DynamicQuantizeLinear(),
                "x").node("r", new Op.DequantizeLinear(0), "c", "s", "z");
    }

    @Test
    void aPairBecomesOneNode() {
        Graph graph = pair().node("r2", new Op.DequantizeLinear(0), "c", "s", "z")
                .node("y", new Op.Binary(Op.Binary.Kind.ADD), "r", "r2").output("y").build();
        Graph prepared = GraphPasses.forInference(graph, Map.of());
        assertEquals(Map.of("DynamicQuant", 1L, "Binary", 1L), GraphBuilder.counts(prepared));
        Sameness.assertSameOutputs(graph, prepared, 1, 0);
        Graph back = GraphPasses.forInference(OnnxModels.read(OnnxModels.toBytes(prepared), "back", null), Map.of());
        assertEquals(GraphBuilder.counts(prepared), GraphBuilder.counts(back));
        Sameness.assertSameOutputs(prepared, back, 1, 0);
    }

    @Test
    void aScaleFromElsewhereKeepsTheNodes() {
        Graph graph = pair().constant("other", 0.5f).node("y", new Op.DequantizeLinear(0), "c", "other", "z")
                .output("y").build();
        Graph prepared = GraphPasses.forInference(graph, Map.of());
        assertEquals(Map.of("DynamicQuantizeLinear", 1L, "DequantizeLinear", 1L), GraphBuilder.counts(prepared));
        Sameness.assertSameOutputs(graph, prepared, 1, 0);
    }

    @Test
    void graphsWithoutAreLeftAlone() {
        Graph graph = RandomConvolutions.next(1);
        assertSame(graph, new ExportQuantization().apply(graph));
    }

    // --- networks --------------------------------------------------------------------------------------------------

    /** What each convolution reads is rounded by its own range, and its weights are codes. */
    private static Graph network(long seed, int bits) {
        Graph real = MinMaxQuantizer.prepare(RandomConvolutions.next(seed));
        Map<String, Tensor> constants = new HashMap<>(real.constants());
        Map<String, Quantization> quantization = new HashMap<>();
        Map<String, String> rounded = new HashMap<>();
        List<Node> nodes = new ArrayList<>();
        for (Node node : real.nodes()) {
            if (!(node.op() instanceof Op.Conv)) {
                nodes.add(node);
                continue;
            }
            String x = node.input(0);
            if (!rounded.containsKey(x)) {
                rounded.put(x, x + ".rounded");
                nodes.add(new Node(x + ".rounded", OP, List.of(x), List.of(x + ".rounded")));
            }
            WeightRounding.Rounded weights = WeightRounding.round(real.constants().get(node.input(1)), 0, bits);
            constants.put(node.input(1), weights.codes());
            quantization.put(node.input(1), weights.how());
            List<String> inputs = new ArrayList<>(node.inputs());
            inputs.set(0, rounded.get(x));
            nodes.add(node.withInputs(inputs));
        }
        return real.withNodes(nodes, constants, quantization);
    }

    @Test
    void productsOfMeasuredCodesAreProductsOfIntegers() {
        for (long seed = 0; seed < 30; seed++) {
            Graph graph = GraphPasses.forInference(network(seed, seed % 2 == 0 ? 8 : 4), Map.of());
            for (Node node : graph.nodes()) {
                if (node.op() instanceof Op.Conv) {
                    assertTrue(IntegerWeights.isIntegerProduct(graph, node), "seed " + seed + ": " + node.name());
                    assertTrue(IntegerWeights.isMeasured(graph, node.input(0)));
                    assertFalse(IntegerWeights.isMeasured(graph, node.output()));
                }
            }
            // Layer by layer the exact sum and the sum of floats differ in the last bits only, but for a code that lies
            // between two.
            Map<String, Tensor> inputs = Sameness.randomInputs(graph, new SplittableRandom(seed));
            Tensor real = ReferenceEvaluator.run(graph, inputs, Set.of("y")).get("y");
            Sameness.assertClose(real, IntegerEvaluator.run(graph, inputs, Set.of("y")).floats().get("y"), 0.02,
                    "seed " + seed);
        }
    }

    @Test
    void whatIsWrittenIsReadBackAndRunsInOnnxRuntime() throws OrtException {
        for (long seed = 0; seed < 30; seed++) {
            Graph graph = GraphPasses.forInference(network(seed, seed % 2 == 0 ? 8 : 4), Map.of());
            Graph back = GraphPasses.forInference(OnnxModels.read(OnnxModels.toBytes(graph), "seed " + seed, null),
                    Map.of());
            assertEquals(GraphBuilder.counts(graph), GraphBuilder.counts(back), "seed " + seed);
            Map<String, Tensor> inputs = Sameness.randomInputs(graph, new SplittableRandom(seed));
            Tensor ours = IntegerEvaluator.run(graph, inputs, Set.of("y")).floats().get("y");
            assertEquals(-1, ours.data().mismatch(
                    IntegerEvaluator.run(back, inputs, Set.of("y")).floats().get("y").data()), "seed " + seed);
            Sameness.assertClose(ours, OnnxRuntime.run(graph, inputs).get("y"), 0.02, "seed " + seed);
        }
    }
}
