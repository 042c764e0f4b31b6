package dev.shrike.graph.passes;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.Node;
import dev.shrike.graph.OnnxRuntime;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.RandomConvolutions;
import dev.shrike.graph.Sameness;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.evaluation.IntegerEvaluator;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.testing.MinMaxQuantizer;
import dev.shrike.testing.MinMaxQuantizer.Options;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ExportQuantizationTest {
    private static final int[][] WIDTHS = {{8, 8}, {4, 8}, {4, 4}, {3, 3}, {2, 2}, {1, 1}, {5, 7}, {8, 6}};

    @Test
    void whatIsWrittenIsReadBackAsTheSameCodes() {
        for (long seed = 0; seed < 48; seed++) {
            int[] width = WIDTHS[(int) seed % WIDTHS.length];
            Graph graph = GraphPasses.forInference(quantized(seed, Options.of(width[0], width[1])), Map.of());
            Graph back = GraphPasses.forInference(OnnxModels.read(OnnxModels.toBytes(graph), "seed " + seed, null),
                    Map.of());
            assertEquals(GraphBuilder.counts(graph), GraphBuilder.counts(back), "seed " + seed);
            for (Map.Entry<String, Quantization> entry : graph.quantization().entrySet()) {
                String name = entry.getKey();
                Quantization found = back.quantization().get(name);
                assertNotNull(found, "seed " + seed + ": " + name);
                assertEquals(entry.getValue().bits(), found.bits(), "seed " + seed + ": " + name);
                assertArrayEquals(entry.getValue().scale().toFloats(), found.scale().toFloats(), 0);
                if (graph.constants().containsKey(name)) {
                    assertEquals(entry.getValue().axis(), found.axis());
                    assertArrayEquals(graph.constants().get(name).toLongs(), back.constants().get(name).toLongs());
                } else {
                    assertTrue(entry.getValue().isSameAs(found), "seed " + seed + ": " + name);
                }
            }
            Map<String, Tensor> inputs = Sameness.randomInputs(graph, new SplittableRandom(seed));
            assertEquals(-1, IntegerEvaluator.run(graph, inputs, Set.of("y")).floats().get("y").data()
                    .mismatch(IntegerEvaluator.run(back, inputs, Set.of("y")).floats().get("y").data()));
        }
    }

    @Test
    void onnxRuntimeGivesTheSame() throws OrtException {
        long elements = 0;
        long off = 0;
        for (long seed = 0; seed < 40; seed++) {
            Graph graph = quantized(seed, Options.of(seed % 2 == 0 ? 8 : 4, seed % 4 < 2 ? 8 : 4));
            Map<String, Tensor> inputs = Sameness.randomInputs(graph, new SplittableRandom(seed));
            Node first = graph.nodes().getFirst();
            Graph shown = graph.withOutputs(List.of(ShapeInference.infer(graph).get(first.output())));
            Tensor found = OnnxRuntime.run(new EliminateDeadNodes().apply(shown), inputs).get(first.output());
            Tensor expected = ReferenceEvaluator.run(graph, inputs, Set.of(first.output())).get(first.output());
            float scale = graph.quantization().get(first.output()).scale().floatAt(0);
            for (long i = 0; i < expected.elements(); i++) {
                double steps = Math.abs(expected.doubleAt(i) - found.doubleAt(i)) / scale;
                assertTrue(steps < 1.001, "seed " + seed + ": " + steps + " codes off");
                elements++;
                off += steps > 0.5 ? 1 : 0;
            }
            Tensor output = OnnxRuntime.run(graph, inputs).get("y");
            Sameness.assertClose(ReferenceEvaluator.run(graph, inputs, Set.of("y")).get("y"), output, 0.2,
                    "seed " + seed);
        }
        assertTrue(off * 500 <= elements, off + " of " + elements + " differ");
    }

    @Test
    void floatGraphsAreLeftAlone() {
        Graph graph = RandomConvolutions.next(1);
        assertSame(graph, new ExportQuantization().apply(graph));
    }

    private static Graph quantized(long seed, Options options) {
        Graph graph = MinMaxQuantizer.prepare(RandomConvolutions.next(seed));
        return MinMaxQuantizer.quantize(graph, RandomConvolutions.ranges(graph, options,
                List.of(Sameness.randomInputs(graph, new SplittableRandom(seed + 7)))), options);
    }
}
