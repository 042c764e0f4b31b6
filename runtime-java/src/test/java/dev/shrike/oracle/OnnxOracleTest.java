package dev.shrike.oracle;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.Window;
import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.constantpool.ClassEntry;
import java.lang.classfile.constantpool.PoolEntry;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The oracle against values worked out by hand from the texts of the operators. */
@Tag("any-processor")
class OnnxOracleTest {
    /** How a graph is spelt, and no arithmetic. */
    private static final Set<String> SPELLING = Set.of("Graph", "Node", "Op", "Tensor", "Shape", "DataType",
            "ValueInfo", "Quantization", "Window", "Activation");

    private static double[] run(Graph graph, float... input) {
        return OnnxOracle.run(graph, input, Formulas.ONNX.exact()).values().get("y").value();
    }

    @Test
    void quantizeLinearRoundsHalfToEvenAndSaturates() {
        Graph graph = new GraphBuilder().input("x", 8).constant("s", 2).constant("z", Tensor.of(DataType.UINT8,
                Shape.of(), 3)).node("y", new Op.QuantizeLinear(1, null), "x", "s", "z").output("y", 8).build();
        // x / 2 is 0.5, 1.5, 2.5, -0.5, -1.5, 200, 300 and -9.
        assertArrayEquals(new double[] {3, 5, 5, 3, 1, 203, 255, 0}, run(graph, 1, 3, 5, -1, -3, 400, 600, -18));
    }

    @Test
    void dequantizeLinearHasScalesOfAnAxis() {
        Graph graph = new GraphBuilder().input("x", 2).constant("w", Tensor.of(DataType.INT8, Shape.of(2, 2), 1, -2, 3,
                -4)).constant("s", Tensor.ofFloats(Shape.of(2), 0.5f, 0.25f))
                .constant("z", Tensor.of(DataType.INT8, Shape.of(2), 1, 0))
                .node("d", new Op.DequantizeLinear(0), "w", "s", "z")
                .node("y", new Op.Binary(Op.Binary.Kind.ADD), "d", "x").output("y", 2, 2).build();
        assertArrayEquals(new double[] {10, 98.5, 10.75, 99}, run(graph, 10, 100));
    }

    @Test
    void quantAddsItsZeroPointBeforeRounding() {
        Graph graph = new GraphBuilder().input("x", 5).constant("s", 1).constant("z", 1).constant("b", 3)
                .node("y", new Op.Quant(true, true, "ROUND"), "x", "s", "z", "b").output("y", 5).build();
        // Codes -3 to 3: 0.5 + 1 rounds to 2 and 1.5 + 1 to 2 as well; both ends clamp.
        assertArrayEquals(new double[] {1, 1, 2, -4, -1}, run(graph, 0.5f, 1.5f, 9, -9, -1.4f));
    }

    @Test
    void convolutionsPadWithTheRealZero() {
        Quantization how = Quantization.perTensor(0.5f, 3, 4, false);
        Graph graph = new GraphBuilder().input("x", 1, 1, 2, 2).quantized("x", how)
                .constant("w", Tensor.ofFloats(Shape.of(1, 1, 3, 3), 1, 2, 3, 4, 5, 6, 7, 8, 9))
                .constant("b", Tensor.ofFloats(Shape.of(1), 0.25f))
                .node("y", new Op.Conv(Window.square(3, 1, 1), 1, Activation.of(Activation.Kind.RELU)), "x", "w", "b")
                .output("y", 1, 1, 2, 2).build();
        // x becomes 1, -1.5, 0.5 and 6: windows of the corners, from the top left on.
        assertArrayEquals(new double[] {5 * 1 + 6 * -1.5 + 8 * 0.5 + 9 * 6 + 0.25,
                4 * 1 + 5 * -1.5 + 7 * 0.5 + 8 * 6 + 0.25, 2 * 1 + 3 * -1.5 + 5 * 0.5 + 6 * 6 + 0.25,
                1 * 1 + 2 * -1.5 + 4 * 0.5 + 5 * 6 + 0.25}, run(graph, 1.1f, -9, 0.4f, 99));
    }

    @Test
    void anIntervalHoldsBothCodesOfANearTieAndOneElsewhere() {
        Graph graph = new GraphBuilder().input("x", 2).quantized("x", Quantization.perTensor(0.3f, 0, 8, false))
                .node("y", new Op.Identity(), "x").output("y", 2).build();
        OnnxOracle.Results results = OnnxOracle.run(graph, new float[] {10.5f * 0.3f, 10.51f * 0.3f}, Formulas.ONNX);
        IntervalTensor y = results.values().get("y");
        assertEquals(10, y.low()[0] / 0.3f, 1e-9);
        assertEquals(11, y.high()[0] / 0.3f, 1e-9);
        assertEquals(11, y.low()[1] / 0.3f, 1e-9);
        assertEquals(11, y.high()[1] / 0.3f, 1e-9);
        assertEquals(1, results.ties().found());
        assertEquals(2, results.ties().positions());
        assertTrue(results.ties().expected() < 1e-3, results.ties().expected() + " expected");
    }

    /** Of the product it uses how a graph is spelt, nothing that computes. */
    @Test
    void sharesNoArithmeticWithTheProduct() throws IOException {
        Set<String> used = new TreeSet<>();
        for (Class<?> type : List.of(OnnxOracle.class, OracleOperators.class, OracleMoves.class, OracleFunction.class,
                IntervalTensor.class, NearTies.class, Formulas.class)) {
            for (PoolEntry entry : parse(type).constantPool()) {
                if (entry instanceof ClassEntry named && named.asInternalName().startsWith("dev/shrike/")) {
                    used.add(named.asInternalName().replaceFirst("\\$.*", ""));
                }
            }
        }
        used.removeIf(name -> name.startsWith("dev/shrike/oracle/"));
        for (String name : used) {
            assertTrue(name.startsWith("dev/shrike/graph/") && SPELLING.contains(name.substring(17)), name);
        }
        assertTrue(used.contains("dev/shrike/graph/Op"), used.toString());
    }

    private static ClassModel parse(Class<?> type) throws IOException {
        try (InputStream bytes = type.getResourceAsStream(type.getSimpleName() + ".class")) {
            return ClassFile.of().parse(bytes.readAllBytes());
        }
    }
}
