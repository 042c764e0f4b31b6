package dev.shrike.onnx;

import static dev.shrike.onnx.QuantizedFile.INT8;
import static dev.shrike.onnx.QuantizedFile.UINT8;
import static dev.shrike.onnx.TestModels.integer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ShrikeException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.evaluation.IntegerEvaluator;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.graph.quantization.IntegerWeights;
import dev.shrike.onnx.QuantizedFile.Builder;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Quantised files of other tools compute what ONNX Runtime computes, in integers where weights have codes. */
class QuantizedFilesTest {
    private static final int INT16 = 5;

    @TestFactory
    List<DynamicTest> sameAsOnnxRuntime() {
        return QuantizedFiles.all().stream().map(file -> DynamicTest.dynamicTest(file.name(), () -> {
            Graph graph = graph(file);
            Tensor x = Tensor.ofFloats(Shape.of(file.shape()), file.input());
            float[] found = IntegerEvaluator.run(graph, Map.of("x", x), Set.of("y")).floats().get("y").toFloats();
            assertNull(QuantizedFile.difference(file.expected(), found, file.step()), () -> graph.nodes().toString());
            boolean floats = file.name().matches("(QLinear(Add|Mul|Sig|Leaky|Global|Average|Concat)|mask 0).*");
            assertEquals(floats ? 0 : 1, graph.nodes().stream()
                    .filter(node -> IntegerWeights.isIntegerProduct(graph, node)).count(), graph.nodes().toString());
        })).toList();
    }

    private static Graph graph(QuantizedFile file) {
        return GraphPasses.forInference(OnnxModels.read(file.model(), file.name(), null), Map.of());
    }

    /** What a Clip leaves of the codes decides how many bits they have. */
    @Test
    void clippedCodesHaveFewerBits() {
        assertEquals("7 bits unsigned", clipped(UINT8, 0, 127, 64));
        assertEquals("7 bits signed", clipped(INT8, -64, 63, 0));
        assertEquals("8 bits signed narrow", clipped(INT8, -127, 127, 0));
        assertEquals("4 bits signed narrow", clipped(INT8, -7, 7, 0));
        assertEquals("4 bits signed", clipped(INT8, -8, 7, 0));
        assertEquals("4 bits unsigned", clipped(INT8, 0, 15, 0));
        assertEquals("4 bits unsigned", clipped(UINT8, 100, 115, 103));
        // The zero point is none of the codes, or no width has so many.
        assertEquals("8 bits unsigned", clipped(UINT8, 100, 115, 0));
        assertEquals("8 bits unsigned", clipped(UINT8, 0, 200, 0));
    }

    private static String clipped(int type, int low, int high, int zeroPoint) {
        Builder b = new Builder(new Random(1), 1, 2, 4, 4);
        String scale = b.scalar(0.02f);
        String zero = b.zero(type, zeroPoint);
        String codes = b.node("Clip", List.of(b.node("QuantizeLinear", List.of("x", scale, zero)), b.zero(type, low),
                b.zero(type, high)));
        QuantizedFile file = b.file("clip", 13, b.node("DequantizeLinear", List.of(codes, scale, zero)), 0);
        Quantization how = graph(file).quantization().values().iterator().next();
        return how.bits() + " bits " + (how.signed() ? "signed" : "unsigned") + (how.narrow() ? " narrow" : "");
    }

    @Test
    void qonnxsNewerNameReadsAsQuant() {
        Builder b = new Builder(new Random(1), 1, 2, 4, 4);
        String y = b.nodes("qonnx.custom_op.general", "IntQuant",
                List.of("x", b.scalar(0.125f), b.scalar(0), b.scalar(4)), 1, integer("signed", 1),
                integer("narrow", 1), TestModels.text("rounding_mode", "ROUND")).getFirst();
        Graph graph = graph(b.file("IntQuant", 13, y, 0));
        Quantization how = graph.quantization().values().iterator().next();
        assertEquals("4 -7 7", how.bits() + " " + how.minCode() + " " + how.maxCode());
    }

    @Test
    void whatHasNoCodesHereIsRefusedWithTheWayOut() {
        refused("8-bit activations", b -> {
            String scale = b.scalar(0.001f);
            String zero = b.zero(INT16, 0);
            return b.node("DequantizeLinear",
                    List.of(b.node("QuantizeLinear", List.of("x", scale, zero)), scale, zero));
        });
        refused("8-bit activations", b -> {
            String scale = b.scalar(0.001f);
            String codes = b.node("QuantizeLinear", List.of("x", scale), integer("output_dtype", INT16));
            return b.node("DequantizeLinear", List.of(codes, scale));
        });
        refused("shrike quantize", b -> {
            String weights = b.node("DequantizeLinear",
                    List.of(b.integers(INT8, new long[] {4, 4}, new int[16]),
                            b.floats(new long[] {2, 4}, 1, 1, 1, 1, 1, 1, 1, 1)),
                    integer("block_size", 2), integer("axis", 0));
            return b.node("MatMul", List.of("x", weights));
        });
        refused("shrike quantize", b -> b.microsoft("MatMulNBits", List.of("x", b.integers(UINT8, new long[] {4, 1, 16},
                new int[64]), b.floats(new long[] {4}, 1, 1, 1, 1)), integer("K", 4), integer("N", 4),
                integer("bits", 4), integer("block_size", 32)));
        refused("calibrate again", b -> {
            String scale = b.scalar(0);
            String zero = b.zero(UINT8, 0);
            return b.node("DequantizeLinear",
                    List.of(b.node("QuantizeLinear", List.of("x", scale, zero)), scale, zero));
        });
        refused("channels_last",
                b -> b.microsoft("QLinearGlobalAveragePool", List.of("x", b.scalar(1), b.zero(UINT8, 0),
                        b.scalar(1), b.zero(UINT8, 0)), integer("channels_last", 1)));
        refused("three for each operand", b -> b.microsoft("QLinearConcat", List.of(b.scalar(1), b.zero(UINT8, 0), "x"),
                integer("axis", 1)));
        refused("is missing", b -> b.node("QLinearConv", List.of("x", b.scalar(1), b.zero(UINT8, 0))));
    }

    private static void refused(String part, Function<Builder, String> contents) {
        Builder b = new Builder(new Random(1), 1, 4, 4, 4);
        QuantizedFile file = b.file("refused", 21, contents.apply(b), 0);
        var error = assertThrows(ShrikeException.class, () -> graph(file));
        assertTrue(error.getMessage().contains(part) && error.getMessage().contains("node '"), error.getMessage());
    }
}
