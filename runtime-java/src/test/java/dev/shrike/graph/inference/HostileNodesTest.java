package dev.shrike.graph.inference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ModelException;
import dev.shrike.graph.Activation;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.Window;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.graph.passes.GraphPasses;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.FieldSource;

/** Indices, axes and sizes that a file may name but that no tensor has: refused where shapes are told, by node. */
class HostileNodesTest {
    private static final Op.Reduce SUM = new Op.Reduce(Op.Reduce.Kind.SUM, true);
    private static final Op.Resize RESIZE =
            new Op.Resize(Op.Resize.Mode.NEAREST, Op.Resize.Coordinates.ASYMMETRIC, Op.Resize.Nearest.FLOOR);
    private static final Op.Conv CONV = new Op.Conv(Window.square(1, 1, 0), 1, Activation.NONE);
    private static final Tensor NONE = Tensor.ofFloats(Shape.of(0));
    private static final long[] MANY_AXES = IntStream.range(0, 61).asLongStream().toArray();

    /** Operation, dimensions of its first input, its other inputs, what the message must say. */
    static final List<Arguments> HOSTILE = List.of(
            Arguments.of(new Op.Gather(1), dims(1, 3, 4, 4), List.of(Tensor.vector(0, 3)), "index 3"),
            Arguments.of(new Op.Gather(1), dims(1, 3, 4, 4), List.of(Tensor.vector(-4)), "index -4"),
            Arguments.of(new Op.Gather(0), dims(2, 3), List.of(Tensor.ofLongs(Shape.of(), Long.MIN_VALUE)), "index -9"),
            Arguments.of(new Op.Gather(-1), dims(2, 3), List.of(Tensor.vector(1L << 32)), "index 4294967296"),
            Arguments.of(new Op.Gather(1), dims(2, 0), List.of(Tensor.vector(0)), "index 0"),
            Arguments.of(new Op.Pad(), dims(1, 3, 4, 4),
                    List.of(Tensor.vector(1, 1, 1, 1), Tensor.scalar(0), Tensor.vector(3, 3)), "axis 3 is given twice"),
            Arguments.of(new Op.Pad(), dims(1, 3, 4, 4),
                    List.of(Tensor.vector(1, 1, 1, 1), Tensor.scalar(0), Tensor.vector(3, -1)), "axis -1 is given twi"),
            Arguments.of(new Op.Pad(), dims(4), List.of(Tensor.vector(1, 1), NONE), "padding value"),
            Arguments.of(new Op.Pad(), dims(4), List.of(Tensor.vector(Long.MAX_VALUE, 1)), "64 bits"),
            Arguments.of(new Op.Pad(), dims(4), List.of(Tensor.vector(-3, -3)), "at most the size"),
            Arguments.of(new Op.Squeeze(), dims(1, 1, 4), List.of(Tensor.vector(0, 0)), "axis 0 is given twice"),
            Arguments.of(new Op.Squeeze(), dims(1, 1, 4), List.of(Tensor.vector(1, -2)), "axis -2 is given twice"),
            Arguments.of(new Op.Unsqueeze(), dims(4), List.of(Tensor.vector(0, -3)), "axis -3 is given twice"),
            Arguments.of(new Op.Unsqueeze(), dims(1, 1, 1, 1), List.of(Tensor.vector(MANY_AXES)), "65 dimensions"),
            Arguments.of(SUM, dims(1, 3, 4), List.of(Tensor.vector(1, 1)), "axis 1 is given twice"),
            Arguments.of(SUM, dims(1, 3, 4), List.of(Tensor.vector(1, 3)), "axis 3"),
            Arguments.of(new Op.Slice(), dims(4, 4),
                    List.of(Tensor.vector(0, 0), Tensor.vector(2, 2), Tensor.vector(1, -1)), "sliced twice"),
            Arguments.of(new Op.Slice(), dims(4),
                    List.of(Tensor.vector(0), Tensor.vector(2), Tensor.vector(0), Tensor.vector(0)), "step 0"),
            Arguments.of(new Op.Transpose(List.of(0, 0)), dims(4, 4), List.of(), "permutation"),
            Arguments.of(new Op.Transpose(List.of(0, -1)), dims(4, 4), List.of(), "permutation"),
            Arguments.of(new Op.Split(0), dims(4), List.of(Tensor.vector(5)), "add up to 4"),
            Arguments.of(new Op.Split(0), dims(4), List.of(Tensor.vector(-4)), "size -4"),
            Arguments.of(new Op.Tile(), dims(4), List.of(Tensor.vector(-1)), "repeat -1"),
            Arguments.of(new Op.Tile(), dims(4), List.of(Tensor.vector(1L << 62)), "64 bits"),
            Arguments.of(new Op.Tile(), dims(4), List.of(Tensor.vector(1L << 40)), "elements that a tensor may have"),
            Arguments.of(new Op.Expand(), dims(1, 4), List.of(Tensor.vector(1L << 40, 4)), "elements that a tensor"),
            Arguments.of(new Op.Expand(), dims(4), List.of(Tensor.vector(-1)), "size -1"),
            Arguments.of(new Op.Reshape(false), dims(4), List.of(Tensor.vector(-1, -1)), "a single -1"),
            Arguments.of(new Op.Reshape(false), dims(4), List.of(Tensor.vector(4, 0)), "size 0 at position 1"),
            Arguments.of(new Op.Reshape(true), dims(4), List.of(Tensor.vector(0, -1)), "a divisor"),
            Arguments.of(new Op.Reshape(true), dims(4), List.of(Tensor.vector(0)), "the 4 elements"),
            Arguments.of(new Op.Reshape(false), dims(4), List.of(Tensor.vector(1L << 33, 1L << 33)), "64 bits"),
            Arguments.of(RESIZE, dims(1, 1, 4, 4),
                    List.of(NONE, Tensor.ofFloats(Shape.of(4), 1, 1, Float.NaN, 1), Tensor.vector(1, 1, 8, 8)), "both"),
            Arguments.of(RESIZE, dims(1, 1, 4, 4), List.of(NONE, Tensor.ofFloats(Shape.of(4), 1, 1, Float.NaN, 1)),
                    "scale NaN"),
            Arguments.of(RESIZE, dims(1, 1, 4, 4), List.of(NONE, Tensor.ofFloats(Shape.of(4), 1, 1, .1f, 1)),
                    "at least one element"),
            Arguments.of(RESIZE, dims(1, 1, 4, 4), List.of(NONE, NONE, Tensor.vector(1, 1, 0, 8)), "at least one elem"),
            Arguments.of(RESIZE, dims(1, 1, 4, 4), List.of(NONE, NONE, Tensor.vector(1, 1, 8, -8)), "size -8"),
            Arguments.of(CONV, dims(0, 1, 4, 4), List.of(floats(1, 1, 1, 1)), "at least one element"),
            Arguments.of(CONV, dims(1, 1, 0, 4), List.of(floats(1, 1, 1, 1)), "at least one element"),
            Arguments.of(CONV, dims(1, 1, 4, 4), List.of(floats(0, 1, 1, 1)), "at least one element"),
            Arguments.of(CONV, dims(1, 1, 4, 4), List.of(floats(1, 1, 3, 1)), "kernel of 1x1"),
            Arguments.of(new Op.GlobalAveragePool(), dims(1, 3, 0, 4), List.of(), "at least one element"),
            Arguments.of(new Op.MaxPool(Window.square(2, 1, 0), false), dims(1, 3, 4, 0), List.of(), "at least one el"),
            Arguments.of(new Op.DepthToSpace(1 << 20, true), dims(1, 4, 4, 4), List.of(), "channels divisible"),
            Arguments.of(new Op.DepthToSpace(0, true), dims(1, 4, 4, 4), List.of(), "channels divisible"),
            Arguments.of(new Op.Softmax(3), dims(1, 4), List.of(), "axis 3"),
            Arguments.of(new Op.Concat(-3), dims(1, 4), List.of(), "axis -3"),
            Arguments.of(new Op.Flatten(Integer.MIN_VALUE), dims(1, 4), List.of(), "axis -2147483648"));

    private static long[] dims(long... dims) {
        return dims;
    }

    private static Tensor floats(long... dims) {
        Shape shape = Shape.of(dims);
        return Tensor.ofFloats(shape, new float[(int) shape.elements()]);
    }

    private static Graph graph(Op op, long[] dims, List<Tensor> operands) {
        GraphBuilder builder = new GraphBuilder().input("x", dims);
        String[] names = new String[operands.size() + 1];
        names[0] = "x";
        for (int i = 0; i < operands.size(); i++) {
            names[i + 1] = "c" + i;
            builder.constant("c" + i, operands.get(i));
        }
        return builder.node("the node", op, names).output("the node").build();
    }

    @ParameterizedTest
    @FieldSource("HOSTILE")
    void isRefusedByNode(Op op, long[] dims, List<Tensor> operands, String part) {
        Graph graph = graph(op, dims, operands);
        String message = assertThrows(ModelException.class, () -> ShapeInference.infer(graph)).getMessage();
        assertTrue(message.contains("node 'the node'") && message.contains(part), message);
        assertThrows(ModelException.class, () -> GraphPasses.forInference(graph, Map.of()));
        Map<String, Tensor> given = Map.of("x", floats(dims));
        assertThrows(ModelException.class, () -> ReferenceEvaluator.run(graph, given, Set.of("the node")));
    }

    @Test
    void indicesIntoAnOpenDimensionAreCheckedOnceItHasASize() {
        Graph graph = graph(new Op.Gather(0), dims(Shape.OPEN, 2), List.of(Tensor.vector(5)));
        assertEquals(Shape.of(1, 2), ShapeInference.infer(graph).get("the node").shape());
        assertThrows(ModelException.class, () -> GraphPasses.forInference(graph, Map.of("x", Shape.of(5, 2))));
        assertEquals(1, GraphPasses.forInference(graph, Map.of("x", Shape.of(6, 2))).nodes().size());
    }

    @Test
    void indicesThatAreComputedAreCheckedToo() {
        Graph graph = new GraphBuilder().input("x", 3).constant("two", Tensor.vector(2))
                .node("four", new Op.Binary(Op.Binary.Kind.ADD), "two", "two")
                .node("y", new Op.Gather(0), "x", "four").output("y").build();
        String message = assertThrows(ModelException.class, () -> ShapeInference.infer(graph)).getMessage();
        assertTrue(message.contains("node 'y'") && message.contains("index 4"), message);
    }

    @Test
    void whatCannotBeComputedNamesTheNode() {
        Graph graph = GraphBuilder.single(new Op.Binary(Op.Binary.Kind.DIV), Tensor.vector(1), Tensor.vector(0));
        String message = assertThrows(ModelException.class, () -> ShapeInference.infer(graph)).getMessage();
        assertTrue(message.contains("node 'y'"), message);
    }

    @Test
    void windowsHaveLimitsWhoeverMakesThem() {
        int large = Window.LARGEST + 1;
        Window.AutoPad explicit = Window.AutoPad.EXPLICIT;
        for (int field = 0; field < 10; field++) {
            int[] w = {2, 2, 1, 1, 0, 0, 0, 0, 1, 1};
            w[field] = large;
            assertThrows(IllegalArgumentException.class,
                    () -> new Window(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], explicit));
            w[field] = field < 4 || field > 7 ? 0 : -1;
            assertThrows(IllegalArgumentException.class,
                    () -> new Window(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8], w[9], explicit));
        }
        assertThrows(IllegalArgumentException.class, () -> new Window(1025, 1, 1, 1, 0, 0, 0, 0, 1024, 1, explicit),
                "rows times dilation");
        assertThrows(IllegalArgumentException.class,
                () -> new Window(1 << 17, 1, 1, 1, 0, 0, 0, 0, 1 << 15, 1, explicit), "a product beyond 32 bits");
        assertEquals(Window.LARGEST, Window.square(Window.LARGEST, 1, 0).effectiveHeight());
    }

    /** A window of a million pixels a side over an image of one: what lies outside costs nothing. */
    @Test
    void aHugeWindowTakesNoTime() {
        int most = Window.LARGEST;
        Window window = Window.square(most, most, most - 1);
        Shape shape = Shape.of(1, 1, 1, 1);
        for (Op op : List.of(new Op.MaxPool(window, false), new Op.AveragePool(window, false, true),
                new Op.AveragePool(window, false, false))) {
            Graph graph = new GraphBuilder().input("x", 1, 1, 1, 1).node("y", op, "x").output("y").build();
            Tensor y = assertTimeoutPreemptively(Duration.ofSeconds(60), () -> ReferenceEvaluator
                    .run(graph, Map.of("x", Tensor.ofFloats(shape, 3)), Set.of("y")).get("y"));
            boolean counts = op instanceof Op.AveragePool average && average.countIncludePad();
            assertEquals(counts ? 3f / ((float) most * most) : 3f, y.floatAt(0));
        }
    }
}
