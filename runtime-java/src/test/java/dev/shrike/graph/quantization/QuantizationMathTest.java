package dev.shrike.graph.quantization;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** QONNX operations against values computed by hand. */
class QuantizationMathTest {
    private static float[] quant(boolean signed, boolean narrow, String mode, float bits, float zero, float... x) {
        return GraphBuilder.evaluate(new Op.Quant(signed, narrow, mode), Tensor.ofFloats(Shape.of(x.length), x),
                Tensor.scalar(0.5f), Tensor.scalar(zero), Tensor.scalar(bits)).toFloats();
    }

    @ParameterizedTest
    @CsvSource({"ROUND, 2, -2, 2", "HALF_EVEN, 2, -2, 2", "CEIL, 3, -2, 2", "FLOOR, 2, -3, 1", "UP, 3, -3, 2",
            "DOWN, 2, -2, 1", "round_to_zero, 2, -2, 1", "HALF_UP, 3, -3, 2", "HALF_DOWN, 2, -2, 2"})
    void roundsAsTheModeSays(String mode, float first, float second, float third) {
        // The codes before rounding are 2.5, -2.5 and 1.6.
        assertArrayEquals(new float[] {first / 2, second / 2, third / 2},
                quant(true, false, mode, 8, 0, 1.25f, -1.25f, 0.8f));
    }

    @Test
    void clampsToTheBitWidth() {
        assertArrayEquals(new float[] {-4, 3.5f}, quant(true, false, "ROUND", 4, 0, -100, 100));
        assertArrayEquals(new float[] {-3.5f, 3.5f}, quant(true, true, "ROUND", 4, 0, -100, 100));
        assertArrayEquals(new float[] {0, 7.5f}, quant(false, false, "ROUND", 4, 0, -100, 100));
        assertArrayEquals(new float[] {0, 7}, quant(false, true, "ROUND", 4, 0, -100, 100));
        assertArrayEquals(new float[] {-2, 5.5f}, quant(false, false, "ROUND", 4, 4, -100, 100));
    }

    @Test
    void oneSignedBitIsBipolar() {
        assertArrayEquals(new float[] {0.5f, 0.5f, -0.5f}, quant(true, false, "ROUND", 1, 0, 3, 0, -0.1f));
        assertArrayEquals(new float[] {2, 2, -2}, GraphBuilder.evaluate(new Op.BipolarQuant(),
                Tensor.ofFloats(Shape.of(3), 3, 0, -0.1f), Tensor.scalar(2)).toFloats());
    }

    @Test
    void truncCutsLowBits() {
        float[] cut = GraphBuilder.evaluate(new Op.Trunc("FLOOR"), Tensor.ofFloats(Shape.of(3), 7.5f, 8, -0.5f),
                Tensor.scalar(0.5f), Tensor.scalar(0), Tensor.scalar(8), Tensor.scalar(4)).toFloats();
        // Codes 15, 16 and -1, divided by 16.
        assertArrayEquals(new float[] {0, 0.5f, -0.5f}, cut);
    }

    @Test
    void perChannelScalesBroadcast() {
        float[] found = GraphBuilder.evaluate(new Op.Quant(true, false, "ROUND"),
                Tensor.ofFloats(Shape.of(2, 2), 1.3f, 9, 1.3f, 9), Tensor.ofFloats(Shape.of(2, 1), 1, 2),
                Tensor.scalar(0), Tensor.scalar(3)).toFloats();
        assertArrayEquals(new float[] {1, 3, 2, 6}, found);
    }

    @Test
    void unknownModesAreNamed() {
        String message = assertThrows(UnsupportedModelException.class, () -> quant(true, true, "DICE", 4, 0, 1))
                .getMessage();
        assertTrue(message.contains("DICE"), message);
    }
}
