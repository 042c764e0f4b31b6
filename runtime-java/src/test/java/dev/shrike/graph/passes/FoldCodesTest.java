package dev.shrike.graph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Sameness;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.Window;
import dev.shrike.graph.quantization.IntegerWeights;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Weights of codes take in what surrounds them and stay codes. */
class FoldCodesTest {
    private static final Quantization INPUT = Quantization.perTensor(1 / 15f, 0, 4, false);

    private static GraphBuilder normalized(float... gamma) {
        return new GraphBuilder().quantized("x", INPUT).constant("g", Tensor.ofFloats(Shape.of(3), gamma))
                .constant("b", Tensor.ofFloats(Shape.of(3), 0.5f, -0.25f, 0.125f))
                .constant("m", Tensor.ofFloats(Shape.of(3), 0.1f, 0.2f, 0.3f))
                .constant("v", Tensor.ofFloats(Shape.of(3), 1, 2, 0.5f));
    }

    private static Quantization weights(int bits, int axis) {
        Tensor zero = Tensor.of(DataType.INT32, Shape.of(3), 0, 0, 0);
        return new Quantization(Tensor.ofFloats(Shape.of(3), 0.1f, 0.2f, 0.05f), zero, bits, true, false, axis);
    }

    @Test
    void normalisationGoesIntoTheScalesOfAConvolution() {
        for (float gamma : new float[] {0.7f, -0.7f, 0, 1e-44f}) {
            Tensor codes = Tensor.of(DataType.INT8, Shape.of(3, 1, 1, 2), -8, 7, 3, -4, 1, 0);
            Graph graph = normalized(gamma, 2, 1).input("x", 1, 1, 4, 4).constant("w", codes)
                    .quantized("w", weights(4, 0))
                    .node("c", new Op.Conv(new Window(1, 2, 1, 1, 0, 0, 0, 1, 1, 1, Window.AutoPad.EXPLICIT), 1,
                            Activation.NONE), "x", "w")
                    .node("y", new Op.BatchNormalization(0), "c", "g", "b", "m", "v").output("y").build();
            Graph folded = GraphPasses.forInference(graph, Map.of());
            assertEquals(Map.of("Conv", 1L), GraphBuilder.counts(folded), "gamma " + gamma);
            Node conv = folded.nodes().getFirst();
            assertTrue(IntegerWeights.isIntegerProduct(folded, conv));
            assertEquals(gamma < 0 ? 5 : 4, folded.quantization().get(conv.input(1)).bits());
            Sameness.assertSameOutputs(graph, folded, 1, 1e-6);
        }
    }

    @Test
    void aProductOfMovedCodesBecomesAGemm() {
        Graph graph = normalized(1, -2, 3).input("x", 2, 4)
                .constant("w", Sameness.randomTensor(new SplittableRandom(1), DataType.INT8, Shape.of(3, 4), -7, 7))
                .quantized("w", weights(4, 0)).node("t", new Op.Transpose(List.of(1, 0)), "w")
                .node("p", new Op.MatMul(), "x", "t")
                .node("y", new Op.BatchNormalization(1e-5f), "p", "g", "b", "m", "v").output("y").build();
        Graph folded = GraphPasses.forInference(graph, Map.of());
        assertEquals(Map.of("Gemm", 1L), GraphBuilder.counts(folded));
        assertEquals(1, folded.quantization().get(folded.nodes().getFirst().input(1)).axis());
        Sameness.assertSameOutputs(graph, folded, 1, 1e-6);
    }

    @Test
    void readersOfRealsGetReals() {
        Graph graph = new GraphBuilder().input("x", 2, 4)
                .constant("w", Sameness.randomTensor(new SplittableRandom(1), DataType.INT8, Shape.of(4, 3), -7, 7))
                .quantized("w", weights(4, 1)).node("y", new Op.MatMul(), "x", "w").output("y").build();
        Graph folded = GraphPasses.forInference(graph, Map.of());
        assertTrue(folded.quantization().isEmpty());
        assertFalse(folded.constants().containsKey("w"));
        Sameness.assertSameOutputs(graph, folded, 1, 0);
    }
}
