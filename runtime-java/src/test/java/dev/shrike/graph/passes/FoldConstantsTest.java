package dev.shrike.graph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Sameness;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What does not depend on the inputs is computed once. */
class FoldConstantsTest {
    @Test
    void chainsOverTheShapeOfAnInputFold() {
        GraphBuilder builder = new GraphBuilder().constant("i", Tensor.ofLongs(Shape.of(), 2))
                .node("s", new Op.ShapeOf(0, 4), "x").node("h", new Op.Gather(0), "s", "i")
                .constant("zero", Tensor.ofLongs(Shape.of(), 0)).constant("one", Tensor.ofLongs(Shape.of(), 1))
                .node("r", new Op.Range(), "zero", "h", "one").node("f", new Op.Cast(DataType.FLOAT32), "r")
                .node("y", new Op.Binary(Op.Binary.Kind.ADD), "x", "f").output("y");
        Graph graph = builder.input("x", 1, 1, 4, 4).build();
        Graph folded = new FoldConstants().apply(graph);
        assertEquals(List.of("y"), folded.nodes().stream().map(Node::name).toList());
        assertEquals(3, folded.constants().get("f").floatAt(3));
        Sameness.assertSameOutputs(graph, folded, 1, 0);
        assertSame(folded, new FoldConstants().apply(folded));
    }

    @Test
    void codesAreNotTakenForNumbers() {
        Quantization codes = new Quantization(Tensor.scalar(0.5f), Tensor.scalar(0), 8, true, false, -1);
        Graph graph = new GraphBuilder().constant("w", Tensor.of(DataType.INT8, Shape.of(1), 3)).quantized("w", codes)
                .node("y", new Op.Identity(), "w").output("y").build();
        assertSame(graph, new FoldConstants().apply(graph));
    }
}
