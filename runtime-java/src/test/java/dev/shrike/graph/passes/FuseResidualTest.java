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
import dev.shrike.graph.Window;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** An Add behind a convolution becomes its fourth input. */
class FuseResidualTest {
    private static final Op ADD = new Op.Binary(Op.Binary.Kind.ADD);
    private static final Op CONV = new Op.Conv(Window.square(3, 1, 1), 1, Activation.SILU);

    private static GraphBuilder conv() {
        return new GraphBuilder().input("x", 1, 2, 4, 4).constant("w", Sameness.randomTensor(new SplittableRandom(9),
                DataType.FLOAT32, Shape.of(2, 2, 3, 3), -1, 1)).node("c", CONV, "x", "w");
    }

    @Test
    void theConvolutionWaitsForTheOtherOperand() {
        Graph graph = conv().node("late", Op.Unary.of(Op.Unary.Kind.TANH), "x").node("y", ADD, "c", "late").output("y")
                .build();
        Graph fused = new FuseResidual().apply(graph);
        assertEquals(List.of("x", "w", "", "late"), fused.nodes().getLast().inputs());
        assertEquals(2, fused.nodes().size());
        Sameness.assertSameOutputs(graph, fused, 5, 1e-5);
    }

    @Test
    void aChainOfBlocksFusesWhole() {
        Graph graph = conv().node("a", ADD, "x", "c").node("d", CONV, "a", "w").node("y", ADD, "a", "d").output("y")
                .build();
        Graph fused = new FuseResidual().apply(graph);
        assertEquals(Map.of("Conv", 2L), GraphBuilder.counts(fused));
        Sameness.assertSameOutputs(graph, fused, 6, 1e-5);
    }

    @Test
    void broadcastsAndSharedResultsStay() {
        Graph broadcast = conv().constant("one", 1).node("y", ADD, "c", "one").output("y").build();
        assertSame(broadcast, new FuseResidual().apply(broadcast));
        Graph shared = conv().node("y", ADD, "c", "x").output("y").output("c").build();
        assertSame(shared, new FuseResidual().apply(shared));
        Graph twice = conv().node("y", ADD, "c", "c").output("y").build();
        assertSame(twice, new FuseResidual().apply(twice));
    }
}
