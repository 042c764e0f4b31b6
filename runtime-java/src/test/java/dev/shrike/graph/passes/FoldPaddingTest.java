package dev.shrike.graph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

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

/** A Pad with zeros becomes padding of the convolution behind it. */
class FoldPaddingTest {
    private static GraphBuilder padded(float value, long... pads) {
        return new GraphBuilder().input("x", 1, 1, 4, 5).constant("pads", Tensor.vector(pads)).constant("v", value)
                .constant("w",
                        Sameness.randomTensor(new SplittableRandom(3), DataType.FLOAT32, Shape.of(2, 1, 3, 3), -1, 1))
                .node("p", new Op.Pad(), "x", "pads", "v")
                .node("y", new Op.Conv(Window.square(3, 2, 1), 1, Activation.NONE), "p", "w").output("y");
    }

    @Test
    void zerosMoveIntoTheWindow() {
        Graph graph = padded(0, 0, 0, 0, 1, 0, 0, 2, 3).build();
        Graph folded = new EliminateDeadNodes().apply(new FoldPadding().apply(graph));
        assertEquals(Map.of("Conv", 1L), GraphBuilder.counts(folded));
        Sameness.assertSameOutputs(graph, folded, 1, 1e-6);
    }

    @Test
    void otherValuesAndCutsStay() {
        for (Graph graph : List.of(padded(1, 0, 0, 0, 1, 0, 0, 2, 3).build(),
                padded(0, 0, 0, -1, 1, 0, 0, 2, 3).build())) {
            assertSame(graph, new FoldPadding().apply(graph));
        }
    }
}
