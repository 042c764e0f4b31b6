package dev.shrike.graph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.Numbers;
import dev.shrike.graph.Op;
import dev.shrike.graph.Sameness;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.inference.ShapeInference;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Half and double precision become single precision. */
class HalfToFloatTest {
    @Test
    void everyFloatingTypeBecomesFloat32() {
        Graph graph = new GraphBuilder().input("x", DataType.FLOAT16, 3)
                .constant("w", Numbers.cast(Tensor.ofFloats(Shape.of(3), 0.1f, 2, -3), DataType.FLOAT16))
                .node("m", new Op.Binary(Op.Binary.Kind.MUL), "x", "w").node("d", new Op.Cast(DataType.FLOAT64), "m")
                .node("n", Op.Unary.of(Op.Unary.Kind.NEG), "d").node("y", new Op.Cast(DataType.FLOAT16), "n")
                .output("y")
                .build();
        Graph single = new HalfToFloat().apply(graph);
        assertTrue(ShapeInference.infer(single).values().stream().allMatch(info -> info.type() == DataType.FLOAT32));
        Sameness.assertSameOutputs(graph, single, 2, 2e-3);
        assertSame(single, new HalfToFloat().apply(single));
        assertEquals(Map.of("Unary", 1L, "Binary", 1L),
                GraphBuilder.counts(GraphPasses.forInference(graph, Map.of())));
    }
}
