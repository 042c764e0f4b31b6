package dev.shrike.graph;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ModelException;
import org.junit.jupiter.api.Test;

/** Quantisation that nothing can be computed with is refused by name. */
class GraphCheckTest {
    @Test
    void scalesArePositive() {
        for (float scale : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
            refused(new GraphBuilder().quantized("x", Quantization.perTensor(scale, 0, 8, false)), "'x'");
        }
    }

    @Test
    void constantsHoldCodes() {
        refused(new GraphBuilder().constant("w", 1).quantized("w", Quantization.perTensor(1, 0, 8, true)), "'w'");
    }

    @Test
    void scalesFitTheirAxis() {
        Tensor codes = Tensor.of(DataType.INT8, Shape.of(2, 2), 1, 2, 3, 4);
        Tensor three = Tensor.ofFloats(Shape.of(3), 1, 1, 1);
        for (int axis : new int[] {0, 1, 2}) {
            Quantization how = new Quantization(three, Tensor.of(DataType.INT32, Shape.of(3), 0, 0, 0), 8, true, false,
                    axis);
            refused(new GraphBuilder().constant("w", codes).quantized("w", how), "axis " + axis);
        }
    }

    private static void refused(GraphBuilder builder, String what) {
        builder.input("x", 1).node("y", new Op.Identity(), "x").output("y");
        String message = assertThrows(ModelException.class, builder::build).getMessage();
        assertTrue(message.contains(what), message);
    }
}
