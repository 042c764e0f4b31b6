package dev.shrike.graph.evaluation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ModelException;
import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.Numbers;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.Window;
import dev.shrike.graph.passes.FoldConstants;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Values computed by hand, and what is refused. */
class ReferenceEvaluatorTest {
    private static final Tensor ROW = Tensor.ofFloats(Shape.of(1, 1, 1, 4), 1, 2, 3, 4);

    @Test
    void convolutionAddsTheResidualAfterTheActivation() {
        Op.Conv conv = new Op.Conv(new Window(1, 3, 1, 1, 0, 1, 0, 1, 1, 1, Window.AutoPad.EXPLICIT), 1,
                Activation.of(Activation.Kind.RELU));
        Tensor found = GraphBuilder.evaluate(conv, ROW, Tensor.ofFloats(Shape.of(1, 1, 1, 3), 1, 0, -1),
                Tensor.ofFloats(Shape.of(1), 1), Tensor.ofFloats(Shape.of(1, 1, 1, 4), -5, -5, -5, -5));
        // -2+1, -2+1, -2+1, 3+1, then ReLU, then the residual.
        assertArrayEquals(new float[] {-5, -5, -5, -1}, found.toFloats());
    }

    @Test
    void groupsSeeOnlyTheirChannels() {
        Tensor found = GraphBuilder.evaluate(new Op.Conv(Window.square(1, 1, 0), 2, Activation.NONE),
                Tensor.ofFloats(Shape.of(1, 2, 1, 1), 3, 5), Tensor.ofFloats(Shape.of(2, 1, 1, 1), 10, 100));
        assertArrayEquals(new float[] {30, 500}, found.toFloats());
    }

    @Test
    void poolsLeaveOutPadding() {
        Window window = new Window(1, 3, 1, 2, 0, 1, 0, 1, 1, 1, Window.AutoPad.EXPLICIT);
        assertArrayEquals(new float[] {2, 4}, GraphBuilder.evaluate(new Op.MaxPool(window, false), ROW).toFloats());
        assertArrayEquals(new float[] {1.5f, 3},
                GraphBuilder.evaluate(new Op.AveragePool(window, false, false), ROW).toFloats());
        assertArrayEquals(new float[] {1, 3},
                GraphBuilder.evaluate(new Op.AveragePool(window, false, true), ROW).toFloats());
    }

    @Test
    void halfPrecisionIsRoundedAtEveryResult() {
        Tensor x = Numbers.cast(Tensor.ofFloats(Shape.of(1), 2048), DataType.FLOAT16);
        Tensor one = Numbers.cast(Tensor.ofFloats(Shape.of(1), 1), DataType.FLOAT16);
        Tensor sum = GraphBuilder.evaluate(new Op.Binary(Op.Binary.Kind.ADD), x, one);
        assertEquals(DataType.FLOAT16, sum.type());
        assertEquals(2048, sum.doubleAt(0), "2049 is no half");
    }

    @Test
    void onlyWhatIsWantedIsComputed() {
        Graph graph = new GraphBuilder().input("x", 2).constant("zero", Tensor.vector(0))
                .node("bad", new Op.Binary(Op.Binary.Kind.DIV), "zero", "zero")
                .node("y", Op.Unary.of(Op.Unary.Kind.NEG), "x").output("y").build();
        Map<String, Tensor> inputs = Map.of("x", Tensor.ofFloats(Shape.of(2), 1, 2));
        assertArrayEquals(new float[] {-1, -2}, ReferenceEvaluator.run(graph, inputs, Set.of("y")).get("y").toFloats());
        String message = assertThrows(ModelException.class,
                () -> ReferenceEvaluator.run(graph, inputs, Set.of("bad"))).getMessage();
        assertTrue(message.contains("'bad'") && message.contains("zero"), message);
    }

    @Test
    void inputsAreChecked() {
        Graph graph = new GraphBuilder().input("x", 2, -1).node("y", new Op.Identity(), "x").output("y").build();
        assertTrue(failure(graph, Map.of()).contains("'x' is missing"));
        assertTrue(failure(graph, Map.of("x", ROW)).contains("[2x?]"));
        assertTrue(failure(graph, Map.of("x", Tensor.ofLongs(Shape.of(2, 1), 1, 2))).contains("INT64"));
        assertTrue(assertThrows(ModelException.class, () -> ReferenceEvaluator.run(graph,
                Map.of("x", Tensor.ofFloats(Shape.of(2, 1), 1, 2)), Set.of("z"))).getMessage().contains("'z'"));
    }

    private static String failure(Graph graph, Map<String, Tensor> inputs) {
        return assertThrows(ModelException.class, () -> ReferenceEvaluator.run(graph, inputs, Set.of("y")))
                .getMessage();
    }

    @Test
    void hugeResultsAreRefusedBeforeTheyTakeMemory() {
        Tensor size = Tensor.vector(1 << 15, 1 << 15);
        for (Graph graph : new Graph[] {
                GraphBuilder.single(new Op.ConstantOfShape(Tensor.scalar(1)), size),
                GraphBuilder.single(new Op.Expand(), Tensor.scalar(1), size),
                GraphBuilder.single(new Op.Tile(), Tensor.ofFloats(Shape.of(1, 1), 1), size),
                GraphBuilder.single(new Op.Range(), Tensor.ofLongs(Shape.of(), 0), Tensor.ofLongs(Shape.of(), 1 << 30),
                        Tensor.ofLongs(Shape.of(), 1))}) {
            assertTrue(failure(graph, Map.of()).contains("elements"), graph.nodes().toString());
            assertEquals(graph, new FoldConstants().apply(graph), "nor does folding try");
        }
    }
}
