package dev.shrike.graph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.Op;
import dev.shrike.graph.Sameness;
import dev.shrike.graph.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Nodes that change nothing go; outputs keep their names. */
class RemoveIdentitiesTest {
    private static final Op IDENTITY = new Op.Identity();
    private static final Op NEG = Op.Unary.of(Op.Unary.Kind.NEG);

    private static Graph removed(Graph graph, int left) {
        Graph result = new EliminateDeadNodes().apply(new RemoveIdentities().apply(graph));
        assertEquals(left, result.nodes().size(), result.nodes().toString());
        Sameness.assertSameOutputs(graph, result, 8, 0);
        return result;
    }

    @Test
    void identitiesInAllTheirForms() {
        removed(new GraphBuilder().input("x", 2, 3).node("a", IDENTITY, "x")
                .node("b", new Op.Cast(DataType.FLOAT32), "a")
                .constant("shape", Tensor.vector(2, -1)).node("c", new Op.Reshape(false), "b", "shape")
                .node("d", new Op.Transpose(List.of(0, 1)), "c").node("e", new Op.Concat(0), "d")
                .constant("pads", Tensor.vector(0, 0, 0, 0)).node("f", new Op.Pad(), "e", "pads").node("y", NEG, "f")
                .output("y").build(), 1);
    }

    @Test
    void outputsKeepTheirNames() {
        removed(new GraphBuilder().input("x", 2).node("a", NEG, "x").node("y", IDENTITY, "a").output("y").build(), 1);
        removed(new GraphBuilder().input("x", 2).node("y", IDENTITY, "x").output("y").build(), 1);
        removed(new GraphBuilder().input("x", 2).node("a", NEG, "x").node("y", IDENTITY, "a").node("z", IDENTITY, "a")
                .output("y").output("z").output("a").build(), 3);
        removed(new GraphBuilder().input("x", 2).node("a", NEG, "x").node("y", IDENTITY, "a").node("z", NEG, "a")
                .output("y").output("z").build(), 2);
    }

    @Test
    void realChangesStay() {
        removed(new GraphBuilder().input("x", 2, 2).constant("s", Tensor.vector(-1)).constant("e", Tensor.vector(-9))
                .constant("axis", Tensor.vector(0)).node("y", new Op.Slice(), "x", "s", "e", "axis", "s").output("y")
                .build(), 1);
        removed(new GraphBuilder().input("x", 2, 2).node("y", new Op.Transpose(List.of(1, 0)), "x").output("y")
                .build(), 1);
    }
}
