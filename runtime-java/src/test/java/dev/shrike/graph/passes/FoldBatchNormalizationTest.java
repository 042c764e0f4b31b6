package dev.shrike.graph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ModelException;
import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.Op;
import dev.shrike.graph.Sameness;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.Window;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Batch normalisation folds into weights and bias, or becomes a Mul and an Add. */
class FoldBatchNormalizationTest {
    private static GraphBuilder norm(GraphBuilder builder, String input, long channels, SplittableRandom random) {
        for (String name : List.of("gamma", "beta", "mean", "variance")) {
            builder.constant(name, Sameness.randomTensor(random, DataType.FLOAT32, Shape.of(channels), 0.2, 3));
        }
        return builder.node("y", new Op.BatchNormalization(1e-3f), input, "gamma", "beta", "mean", "variance")
                .output("y");
    }

    @Test
    void foldsIntoGroupedConvolutionsWithAndWithoutBias() {
        for (int seed = 0; seed < 4; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            GraphBuilder builder = new GraphBuilder().input("x", 1, 4, 5, 5)
                    .constant("w", Sameness.randomTensor(random, DataType.FLOAT32, Shape.of(6, 2, 3, 3), -1, 1))
                    .constant("b", Sameness.randomTensor(random, DataType.FLOAT32, Shape.of(6), -1, 1))
                    .node("c", new Op.Conv(Window.square(3, 1, 1), 2, Activation.NONE), "x", "w",
                            seed % 2 == 0 ? "b" : "");
            Graph graph = norm(builder, "c", 6, random).build();
            Graph folded = new FoldBatchNormalization().apply(graph);
            assertEquals(Map.of("Conv", 1L), GraphBuilder.counts(folded));
            Sameness.assertSameOutputs(graph, folded, seed, 1e-5);
        }
    }

    @Test
    void standsAloneAsMulAndAdd() {
        for (Shape shape : List.of(Shape.of(2, 3), Shape.of(2, 3, 4, 4))) {
            Graph graph = norm(new GraphBuilder().input("x", shape.toArray()), "x", 3, new SplittableRandom(1)).build();
            Graph folded = new FoldBatchNormalization().apply(graph);
            assertEquals(Map.of("Binary", 2L), GraphBuilder.counts(folded));
            Sameness.assertSameOutputs(graph, folded, 1, 1e-5);
        }
    }

    @Test
    void negativeVarianceIsNamed() {
        Graph graph = norm(new GraphBuilder().input("x", 1, 1), "x", 1, new SplittableRandom(1)).build();
        Graph bad = graph.withNodes(graph.nodes(), Map.of("gamma", Tensor.ofFloats(Shape.of(1), 1), "beta",
                Tensor.ofFloats(Shape.of(1), 1), "mean", Tensor.ofFloats(Shape.of(1), 1), "variance",
                Tensor.ofFloats(Shape.of(1), -1)));
        assertTrue(assertThrows(ModelException.class, () -> new FoldBatchNormalization().apply(bad)).getMessage()
                .contains("variance -1.0 of channel 0"));
    }
}
