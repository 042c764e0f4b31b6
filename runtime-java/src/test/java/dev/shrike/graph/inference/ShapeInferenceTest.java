package dev.shrike.graph.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ModelException;
import dev.shrike.ShrikeException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ShapeInferenceTest {
    private static final Op ADD = new Op.Binary(Op.Binary.Kind.ADD);

    private static Shape shape(Graph graph, String name) {
        return ShapeInference.infer(graph).get(name).shape();
    }

    private static String failure(GraphBuilder builder) {
        Graph graph = builder.build();
        return assertThrows(ModelException.class, () -> ShapeInference.infer(graph)).getMessage();
    }

    @Test
    void openDimensionsStayOpen() {
        Graph graph = new GraphBuilder().input("x", -1, 3, -1, 64)
                .constant("w", Tensor.ofFloats(Shape.of(8, 3, 3, 3), new float[216]))
                .node("c", new Op.Conv(Window.square(3, 2, 1), 1, Activation.NONE), "x", "w")
                .constant("to", Tensor.vector(0, 8, -1)).node("r", new Op.Reshape(false), "c", "to")
                .node("s", new Op.ShapeOf(0, Integer.MAX_VALUE), "c").output("r").build();
        assertEquals(Shape.of(-1, 8, -1, 32), shape(graph, "c"));
        assertEquals(Shape.of(-1, 8, -1), shape(graph, "r"));
        assertEquals(new ValueInfo("s", DataType.INT64, Shape.of(4)), ShapeInference.infer(graph).get("s"));
    }

    @Test
    void sizesThatDependOnConstantsAreComputed() {
        Graph graph = new GraphBuilder().input("x", 1, 3, 8, 8).node("s", new Op.ShapeOf(2, 4), "x")
                .constant("two", Tensor.vector(2)).node("half", new Op.Binary(Op.Binary.Kind.DIV), "s", "two")
                .constant("zero", Tensor.vector(0)).constant("minus", Tensor.vector(-1, 3))
                .node("to", new Op.Concat(0), "minus", "half").node("r", new Op.Reshape(false), "x", "to")
                .output("r").build();
        assertEquals(Shape.of(4, 3, 4, 4), shape(graph, "r"));
    }

    @Test
    void messagesNameTheNodeAndBothShapes() {
        String message = failure(new GraphBuilder().input("a", 2, 3).input("b", 2, 4).node("sum", ADD, "a", "b")
                .output("sum"));
        assertTrue(message.contains("'sum'") && message.contains("[2x3]") && message.contains("[2x4]"), message);
        message = failure(new GraphBuilder().input("x", 1, 4, 8, 8).constant("w",
                Tensor.ofFloats(Shape.of(2, 3, 1, 1), new float[6])).node("c",
                        new Op.Conv(Window.square(1, 1, 0), 1, Activation.NONE), "x", "w")
                .output("c"));
        assertTrue(message.contains("'c' (Conv)") && message.contains("3 channels"), message);
    }

    @Test
    void wrongTypesAreRefused() {
        String message = failure(new GraphBuilder().input("a", 2).input("b", DataType.INT64, 2)
                .node("sum", ADD, "a", "b").output("sum"));
        assertTrue(message.contains("INT64") && message.contains("FLOAT32"), message);
    }

    @Test
    void absurdSizesAreRefused() {
        assertTrue(failure(new GraphBuilder().input("x", 1L << 31).output("x")).contains("input 'x'"));
        assertTrue(failure(new GraphBuilder().input("x", 1 << 16, 1 << 16).output("x")).contains("elements"));
        assertTrue(failure(new GraphBuilder().input("x", 1).constant("n", Tensor.vector(1L << 40))
                .node("t", new Op.Tile(), "x", "n").output("t")).contains("'t' (Tile)"));
        assertTrue(failure(new GraphBuilder().input("x", 1 << 20).constant("n", Tensor.vector(Long.MAX_VALUE))
                .node("t", new Op.Tile(), "x", "n").output("t")).contains("64 bits"));
        assertTrue(failure(new GraphBuilder().constant("a", Tensor.ofLongs(Shape.of(), Long.MIN_VALUE))
                .constant("b", Tensor.ofLongs(Shape.of(), Long.MAX_VALUE)).constant("c", Tensor.ofLongs(Shape.of(), 1))
                .node("r", new Op.Range(), "a", "b", "c").output("r")).contains("64 bits"));
    }

    @Test
    void unknownRanksSayWhatIsMissing() {
        Graph graph = new GraphBuilder().input("x", 4).input("to", DataType.INT64, -1)
                .node("r", new Op.Reshape(false), "x", "to").output("r").build();
        assertTrue(assertThrows(UnsupportedModelException.class, () -> ShapeInference.infer(graph)).getMessage()
                .contains("'r' (Reshape)"));
    }

    @Test
    void hostileParametersGiveOnlyOurErrors() {
        long seed = 77;
        SplittableRandom random = new SplittableRandom(seed);
        long[] odd = {0, 1, -1, 2, -2, 3, 7, 64, -64, 1L << 31, 1L << 40, Long.MAX_VALUE, Long.MIN_VALUE};
        int sound = 0;
        for (int round = 0; round < 4000; round++) {
            Op op = OPS.get(random.nextInt(OPS.size()));
            List<Tensor> operands = new ArrayList<>();
            operands.add(random.nextInt(4) > 0 ? Tensor.ofFloats(Shape.of(2, 3), new float[6])
                    : Tensor.vector(odd[random.nextInt(odd.length)]));
            for (int i = random.nextInt(5); i > 0; i--) {
                int length = random.nextInt(4);
                long[] values = new long[length];
                for (int k = 0; k < length; k++) {
                    values[k] = odd[random.nextInt(odd.length)];
                }
                operands.add(random.nextInt(5) == 0 ? null : Tensor.vector(values));
            }
            Graph graph = GraphBuilder.single(op, operands.toArray(Tensor[]::new));
            try {
                Map<String, ValueInfo> infos = ShapeInference.infer(graph);
                Tensor found = ReferenceEvaluator.run(graph, Map.of(), Set.of("y")).get("y");
                assertEquals(infos.get("y").shape(), found.shape(), op + ", seed " + seed + ", round " + round);
                sound++;
            } catch (ShrikeException e) {
                assertTrue(e.getMessage().contains("'y'"), e.getMessage());
            } catch (RuntimeException e) {
                throw new AssertionError(op + " of " + operands + ", seed " + seed + ", round " + round, e);
            }
        }
        assertTrue(sound > 50, "only " + sound + " of the graphs were sound");
    }

    private static final List<Op> OPS = List.of(new Op.Slice(), new Op.Reshape(false), new Op.Reshape(true),
            new Op.Expand(), new Op.Tile(), new Op.Pad(), new Op.Squeeze(), new Op.Unsqueeze(), new Op.Gather(0),
            new Op.Gather(5), new Op.Split(0), new Op.Concat(-1), new Op.Range(), new Op.Flatten(1), new Op.Flatten(9),
            new Op.Transpose(List.of(1, 0)), new Op.Transpose(List.of(0, 0)), new Op.Softmax(-7),
            new Op.ShapeOf(-9, 9), new Op.ConstantOfShape(Tensor.vector(5)), new Op.MatMul(),
            new Op.Reduce(Op.Reduce.Kind.SUM, false), new Op.Reduce(Op.Reduce.Kind.MAX, true),
            new Op.Binary(Op.Binary.Kind.DIV), new Op.Binary(Op.Binary.Kind.POW), new Op.Where(), new Op.Clip(),
            new Op.Resize(Op.Resize.Mode.LINEAR, Op.Resize.Coordinates.HALF_PIXEL, Op.Resize.Nearest.FLOOR),
            new Op.DepthToSpace(0, true), new Op.Gemm(1, 1, true, true), new Op.GlobalAveragePool(),
            new Op.MaxPool(Window.square(3, 1, 1), true), new Op.DequantizeLinear(0),
            new Op.QuantizeLinear(4, DataType.INT8), new Op.BipolarQuant(), new Op.BatchNormalization(0));
}
