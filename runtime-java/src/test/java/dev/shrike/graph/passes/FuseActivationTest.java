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
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Activations that exporters spell out are found and joined to convolutions. */
class FuseActivationTest {
    private static final Op MUL = new Op.Binary(Op.Binary.Kind.MUL);
    private static final Op ADD = new Op.Binary(Op.Binary.Kind.ADD);
    private static final Op DIV = new Op.Binary(Op.Binary.Kind.DIV);

    private static GraphBuilder conv() {
        SplittableRandom random = new SplittableRandom(9);
        return new GraphBuilder().input("x", 1, 2, 4, 4)
                .constant("w", Sameness.randomTensor(random, DataType.FLOAT32, Shape.of(3, 2, 3, 3), -3, 3))
                .node("c", new Op.Conv(Window.square(3, 1, 1), 1, Activation.NONE), "x", "w")
                .constant("zero", 0).constant("three", 3).constant("six", 6).constant("sixth", 1 / 6f);
    }

    private static void assertFused(Activation expected, GraphBuilder builder) {
        Graph graph = builder.output("y").build();
        Graph fused = new FuseActivation().apply(new FuseActivation().apply(graph));
        assertEquals(1, fused.nodes().size(), fused.nodes().toString());
        assertEquals(expected, ((Op.Conv) fused.nodes().getFirst().op()).activation());
        Sameness.assertSameOutputs(graph, fused, 3, 1e-5);
    }

    @Test
    void singleNodes() {
        assertFused(Activation.of(Activation.Kind.RELU), conv().node("y", Op.Unary.of(Op.Unary.Kind.RELU), "c"));
        assertFused(new Activation(Activation.Kind.LEAKY_RELU, 0.1f, 0),
                conv().node("y", new Op.Unary(Op.Unary.Kind.LEAKY_RELU, 0.1f, 0), "c"));
        assertFused(new Activation(Activation.Kind.CLIP, 0, 6), conv().node("y", new Op.Clip(), "c", "zero", "six"));
        assertFused(new Activation(Activation.Kind.CLIP, Float.NEGATIVE_INFINITY, 6),
                conv().node("y", new Op.Clip(), "c", "", "six"));
        assertFused(new Activation(Activation.Kind.CLIP, 0, 0), conv().node("y", new Op.Clip(), "c", "six", "zero"));
        assertFused(Activation.of(Activation.Kind.TANH), conv().node("y", Op.Unary.of(Op.Unary.Kind.TANH), "c"));
    }

    @Test
    void siluInEitherOrder() {
        assertFused(Activation.SILU,
                conv().node("s", Op.Unary.of(Op.Unary.Kind.SIGMOID), "c").node("y", MUL, "c", "s"));
        assertFused(Activation.SILU,
                conv().node("s", Op.Unary.of(Op.Unary.Kind.SIGMOID), "c").node("y", MUL, "s", "c"));
    }

    @Test
    void hardSwishInItsSpellings() {
        Activation hardSwish = Activation.of(Activation.Kind.HARD_SWISH);
        GraphBuilder last = conv().node("a", ADD, "c", "three").node("l", new Op.Clip(), "a", "zero", "six")
                .node("m", MUL, "c", "l").node("y", DIV, "m", "six");
        assertFused(hardSwish, last);
        GraphBuilder first = conv().node("a", ADD, "three", "c").node("l", new Op.Clip(), "a", "zero", "six")
                .node("d", MUL, "l", "sixth").node("y", MUL, "d", "c");
        assertFused(hardSwish, first);
        GraphBuilder short2 = conv().node("h", new Op.Unary(Op.Unary.Kind.HARD_SIGMOID, 1 / 6f, 0.5f), "c")
                .node("y", MUL, "c", "h");
        assertFused(hardSwish, short2);
    }

    @Test
    void othersThatReadTheResultPreventIt() {
        Graph graph = conv().node("y", Op.Unary.of(Op.Unary.Kind.RELU), "c").output("y").output("c").build();
        assertSame(graph, new FuseActivation().apply(graph));
        Graph gate = conv().node("s", Op.Unary.of(Op.Unary.Kind.SIGMOID), "c").node("y", MUL, "c", "s").output("y")
                .output("s").build();
        assertSame(gate, new FuseActivation().apply(gate));
    }

    @Test
    void siluWithoutAConvolution() {
        Graph graph = new GraphBuilder().input("x", 5).node("s", Op.Unary.of(Op.Unary.Kind.SIGMOID), "x")
                .node("y", MUL, "x", "s").output("y").build();
        Graph fused = new FuseActivation().apply(graph);
        assertEquals(Op.Unary.of(Op.Unary.Kind.SILU), fused.nodes().getFirst().op());
        Sameness.assertSameOutputs(graph, fused, 4, 1e-6);
    }
}
