package dev.shrike.graph.passes;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Sameness;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.Window;
import dev.shrike.graph.evaluation.IntegerEvaluator;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.graph.quantization.IntegerWeights;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImportQuantizationTest {
    private static final Op QUANTIZE = new Op.QuantizeLinear(1, DataType.UINT8);
    private static final Op DEQUANTIZE = new Op.DequantizeLinear(0);
    private static final Op CONV = new Op.Conv(Window.square(3, 1, 1), 1, Activation.NONE);
    private static final Op SIGMOID = Op.Unary.of(Op.Unary.Kind.SIGMOID);
    private static final Op MUL = new Op.Binary(Op.Binary.Kind.MUL);

    /** x -> codes -> Conv -> codes -> SiLU -> codes, with a quantised output. */
    private static GraphBuilder qdq() {
        SplittableRandom random = new SplittableRandom(1);
        GraphBuilder builder = new GraphBuilder().input("x", 1, 2, 5, 5).constant("xs", 1 / 255f)
                .constant("xz", Tensor.of(DataType.UINT8, Shape.of(), 0))
                .constant("w", Sameness.randomTensor(random, DataType.INT8, Shape.of(4, 2, 3, 3), -127, 127))
                .constant("ws", Tensor.ofFloats(Shape.of(4), 0.002f, 0.003f, 0.001f, 0.0025f))
                .constant("wz", Tensor.of(DataType.INT8, Shape.of(4), 0, 0, 0, 0))
                .constant("b", Tensor.of(DataType.INT32, Shape.of(4), 1000, -20000, 7, 0))
                .constant("bs", Tensor.ofFloats(Shape.of(4), 1e-5f, 2e-5f, 3e-5f, 4e-5f))
                .constant("vs", 0.03f).constant("vz", Tensor.of(DataType.UINT8, Shape.of(), 120))
                .constant("us", 0.015f).constant("uz", Tensor.of(DataType.UINT8, Shape.of(), 19));
        pair(builder, "x", "xs", "xz", "xr");
        builder.node("wr", DEQUANTIZE, "w", "ws", "wz").node("br", DEQUANTIZE, "b", "bs");
        builder.node("v", CONV, "xr", "wr", "br");
        pair(builder, "v", "vs", "vz", "vr");
        builder.node("s", SIGMOID, "vr").node("u", MUL, "vr", "s");
        pair(builder, "u", "us", "uz", "y");
        return builder.output("y");
    }

    private static void pair(GraphBuilder builder, String from, String scale, String zero, String to) {
        builder.node(to + ".codes", QUANTIZE, from, scale, zero).node(to, DEQUANTIZE, to + ".codes", scale, zero);
    }

    @Test
    void pairsBecomeQuantisedValuesAndWeightsCodes() {
        Graph graph = qdq().build();
        Graph prepared = GraphPasses.forInference(graph, Map.of());
        assertEquals(Map.of("Conv", 1L, "Unary", 1L), GraphBuilder.counts(prepared));
        Node conv = prepared.nodes().getFirst();
        assertEquals(Activation.NONE, ((Op.Conv) conv.op()).activation());
        assertEquals(Set.of("x", "wr", "v", "y"), prepared.quantization().keySet());
        assertEquals(DataType.INT8, prepared.constants().get("wr").type());
        assertEquals(0, prepared.quantization().get("wr").axis());
        assertArrayEquals(new float[] {1000 * 1e-5f, -20000 * 2e-5f, 7 * 3e-5f, 0},
                prepared.constants().get(conv.input(2)).toFloats(), 1e-9f);
        assertTrue(IntegerWeights.isIntegerProduct(prepared, conv));
        Sameness.assertSameOutputs(graph, prepared, 1, 0);
        assertSame(prepared, new ImportQuantization().apply(prepared));
    }

    @Test
    void codesAndRealsAgree() {
        Graph prepared = GraphPasses.forInference(qdq().build(), Map.of());
        for (long seed = 0; seed < 20; seed++) {
            Map<String, Tensor> inputs = Sameness.randomInputs(prepared, new SplittableRandom(seed));
            Tensor real = ReferenceEvaluator.run(prepared, inputs, Set.of("y")).get("y");
            IntegerEvaluator.Values found = IntegerEvaluator.run(prepared, inputs, Set.of("y"));
            for (long i = 0; i < real.elements(); i++) {
                assertEquals(real.floatAt(i), found.floats().get("y").floatAt(i), 0.0151f, "seed " + seed);
                assertEquals(0.015f * (found.codes().get("y").longAt(i) - 19), found.floats().get("y").floatAt(i));
            }
        }
    }

    @Test
    void whatIsReadRawStaysApartFromItsCodes() {
        Graph graph = qdq().node("raw", SIGMOID, "u").output("raw").build();
        Graph prepared = GraphPasses.forInference(graph, Map.of());
        assertEquals(Map.of("Conv", 1L, "Unary", 2L, "Identity", 1L), GraphBuilder.counts(prepared));
        assertFalse(prepared.quantization().containsKey("u"));
        assertTrue(prepared.quantization().containsKey("y"));
        Sameness.assertSameOutputs(graph, prepared, 2, 1e-6);
    }

    @Test
    void movesOfCodesAreQuantisedAlike() {
        GraphBuilder builder = qdq();
        builder.node("p", new Op.MaxPool(Window.square(2, 2, 0), false), "y").node("c", new Op.Concat(1), "p", "p");
        Graph graph = builder.output("c").build();
        Graph prepared = GraphPasses.forInference(graph, Map.of());
        assertTrue(prepared.quantization().get("c").isSameAs(prepared.quantization().get("y")));
        Sameness.assertSameOutputs(graph, prepared, 3, 0);
    }

    @Test
    void lowBitNodesBecomeCodes() {
        Tensor w = Sameness.randomTensor(new SplittableRandom(5), DataType.FLOAT32, Shape.of(6, 4), -1, 1);
        for (int bits = 1; bits <= 8; bits++) {
            Graph graph = new GraphBuilder().input("x", 1, 6).constant("w", w).constant("bits", bits)
                    .constant("s", 1f / (1 << bits)).constant("zero", 0)
                    .node("xq", new Op.Quant(false, false, "ROUND"), "x", "s", "zero", "bits")
                    .node("wq", new Op.Quant(true, bits > 1, "ROUND"), "w", "s", "zero", "bits")
                    .node("v", new Op.MatMul(), "xq", "wq").node("y", new Op.BipolarQuant(), "v", "s").output("y")
                    .build();
            Graph prepared = GraphPasses.forInference(graph, Map.of());
            assertEquals(1, prepared.nodes().size());
            assertEquals(bits, prepared.quantization().get("x").bits());
            assertEquals(bits == 1, prepared.quantization().get("wq").bipolar());
            assertTrue(prepared.quantization().get("y").bipolar());
            Sameness.assertSameOutputs(graph, prepared, bits, 0);
            Map<String, Tensor> inputs = Sameness.randomInputs(prepared, new SplittableRandom(bits));
            Tensor codes = IntegerEvaluator.run(prepared, inputs, Set.of("y")).codes().get("y");
            assertTrue(java.util.Arrays.stream(codes.toLongs()).allMatch(code -> code == 0 || code == 2));
        }
    }

    @Test
    void whatCannotBeHeldStaysANode() {
        for (float[] wrong : new float[][] {{9, 0}, {4, 0.5f}}) {
            Graph graph = new GraphBuilder().input("x", 1, 6).constant("bits", wrong[0]).constant("s", 0.1f)
                    .constant("zero", wrong[1]).node("y", new Op.Quant(false, false, "FLOOR"), "x", "s", "zero", "bits")
                    .output("y").build();
            Graph prepared = GraphPasses.forInference(graph, Map.of());
            assertEquals(Map.of("Quant", 1L), GraphBuilder.counts(prepared));
            Sameness.assertSameOutputs(graph, prepared, 1, 0);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"ROUND", "HALF_EVEN", "FLOOR", "CEIL", "UP", "DOWN", "ROUND_TO_ZERO", "half_up", "HALF_DOWN"})
    void everyRoundingModeGivesCodes(String mode) {
        float[] edges = new float[400];
        for (int i = 0; i < edges.length; i++) {
            float half = (i - 200) / 20 * 0.25f;
            // Halves, their float neighbours, and quotients that are off both.
            edges[i] = switch (i % 4) {
                case 0 -> half;
                case 1 -> Math.nextUp(half);
                case 2 -> Math.nextDown(half);
                default -> half + i * 1e-4f;
            };
        }
        for (int bits = 1; bits <= 8; bits++) {
            for (boolean signed : new boolean[] {false, true}) {
                for (int zero : new int[] {0, signed ? -1 : 1}) {
                    Graph graph = new GraphBuilder().input("x", 1, 400).constant("bits", bits).constant("s", 0.5f)
                            .constant("zero", zero).node("y", new Op.Quant(signed, bits > 2, mode), "x", "s", "zero",
                                    "bits")
                            .output("y").build();
                    Graph prepared = GraphPasses.forInference(graph, Map.of());
                    boolean held = zero == 0 || !signed || bits > 1;
                    assertEquals(held ? bits : 0, held ? prepared.quantization().get("y").bits()
                            : prepared.quantization().size(), mode + bits + signed);
                    Map<String, Tensor> inputs = Map.of("x", Tensor.ofFloats(Shape.of(1, 400), edges));
                    Tensor expected = ReferenceEvaluator.run(graph, inputs, Set.of("y")).get("y");
                    String what = mode + " w" + bits + (signed ? " signed" : " unsigned") + " zero " + zero;
                    boolean half = zero != 0 && List.of("ROUND", "HALF_EVEN").contains(mode);
                    // Documented: an odd zero point rounds exact halves to the other side.
                    Sameness.assertClose(expected,
                            IntegerEvaluator.run(prepared, inputs, Set.of("y")).floats().get("y"),
                            half ? 0.5 : 0, what);
                }
            }
        }
    }

    @Test
    void truncatedCodesAreCodes() {
        Graph graph = new GraphBuilder().input("x", 1, 64).constant("bits", 8).constant("few", 4).constant("s", 0.01f)
                .constant("zero", 0).node("q", new Op.Quant(false, false, "ROUND"), "x", "s", "zero", "bits")
                .node("y", new Op.Trunc("FLOOR"), "q", "s", "zero", "bits", "few").output("y").build();
        Graph prepared = GraphPasses.forInference(graph, Map.of());
        assertEquals(4, prepared.quantization().get("y").bits());
        Sameness.assertSameOutputs(graph, prepared, 1, 0);
        Map<String, Tensor> inputs = Sameness.randomInputs(prepared, new SplittableRandom(1));
        Tensor codes = IntegerEvaluator.run(prepared, inputs, Set.of("y")).codes().get("y");
        for (long i = 0; i < codes.elements(); i++) {
            assertEquals((long) Math.rint(inputs.get("x").floatAt(i) / 0.01f) / 16, codes.longAt(i));
        }
    }

    /** Every code of every width cut to every other in every mode, also where the largest one is rounded up. */
    @ParameterizedTest
    @ValueSource(strings = {"FLOOR", "ROUND", "CEIL", "UP", "DOWN", "ROUND_TO_ZERO", "HALF_UP", "HALF_DOWN"})
    void truncationsAreExactForEveryCode(String mode) {
        for (int bits = 2; bits <= 8; bits++) {
            for (int few = 2; few <= bits; few++) {
                for (boolean signed : new boolean[] {false, true}) {
                    Graph graph = new GraphBuilder().input("x", 1, 256).constant("bits", bits).constant("few", few)
                            .constant("s", 0.3f).constant("zero", 0)
                            .node("q", new Op.Quant(signed, false, "ROUND"), "x", "s", "zero", "bits")
                            .node("y", new Op.Trunc(mode), "q", "s", "zero", "bits", "few").output("y").build();
                    Graph prepared = GraphPasses.forInference(graph, Map.of());
                    assertTrue(prepared.quantization().containsKey("y"));
                    float[] all = new float[256];
                    for (int i = 0; i < 256; i++) {
                        all[i] = 0.3f * (i - (signed ? 128 : 0));
                    }
                    Map<String, Tensor> inputs = Map.of("x", Tensor.ofFloats(Shape.of(1, 256), all));
                    Tensor expected = ReferenceEvaluator.run(graph, inputs, Set.of("y")).get("y");
                    String what = mode + " of " + bits + " to " + few + (signed ? " signed" : "");
                    Sameness.assertClose(expected, ReferenceEvaluator.run(prepared, inputs, Set.of("y")).get("y"), 0,
                            what);
                    Sameness.assertClose(expected,
                            IntegerEvaluator.run(prepared, inputs, Set.of("y")).floats().get("y"),
                            0, what);
                }
            }
        }
    }
}
