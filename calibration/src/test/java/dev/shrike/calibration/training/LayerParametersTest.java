package dev.shrike.calibration.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import org.junit.jupiter.api.Test;

class LayerParametersTest {
    private static final Shape SHAPE = Shape.of(2, 2, 1, 1);
    private static final float[] SCALES = {0.5f, 0.25f};

    private static final Tensor CODES = Tensor.of(DataType.INT8, SHAPE, new long[] {2, 2, -3, 1});

    private static LayerParameters layer() {
        Tensor zeros = Tensor.of(DataType.INT32, Shape.of(2), new long[2]);
        return new LayerParameters(CODES,
                new Quantization(Tensor.ofFloats(Shape.of(2), SCALES), zeros, 4, true, false, 0), null);
    }

    private static LayerParameters real(float... weights) {
        return new LayerParameters(Tensor.ofFloats(SHAPE, weights), null, null);
    }

    @Test
    void weightsBeginWithTheirCodesAndThoseCloseToTheNextGetThereFirst() {
        LayerParameters layer = layer();
        float[] given = layer.weights().clone();
        // In codes: 2.4, 1.6, and far beyond what rounding explains.
        layer.lean(real(1.2f, 0.8f, 5, -5));
        layer.step(new float[4], new float[2], new LayerParameters.Rates(0, 0, 0));
        assertArrayEquals(given, layer.weights());
        for (int i = 0; i < 3; i++) {
            layer.step(new float[] {1, 1, 0, 0}, new float[2], new LayerParameters.Rates(0.1f, 0, 0));
        }
        assertArrayEquals(new float[] {1, 0.5f, -0.75f, 0.25f}, layer.weights());
    }

    /** The slope of a loss {@code sum(gradients * weights)} along the logarithm of a scale is that sum itself. */
    @Test
    void scalesGoDownTheSlopeAndTakeTheirWeightsAlong() {
        LayerParameters layer = layer();
        // Rows of weights 1, 1 and -0.75, 0.25.
        layer.step(new float[] {3, -1, 1, 1}, new float[2], new LayerParameters.Rates(0, 0, 0.01f));
        Quantization how = layer.quantization();
        assertEquals(0.5 * Math.exp(-0.01), how.scale().floatAt(0), 1e-6);
        assertEquals(0.25 * Math.exp(0.01), how.scale().floatAt(1), 1e-6);
        Tensor codes = layer.codes(CODES);
        for (int i = 0; i < 4; i++) {
            assertEquals(CODES.longAt(i), codes.longAt(i));
            assertEquals(codes.longAt(i) * how.scale().floatAt(i / 2), layer.weights()[i], 1e-6);
        }
    }

    @Test
    void anAverageComesHalfTheWay() {
        LayerParameters layer = layer();
        float[][] average = layer.saved();
        layer.step(new float[] {1, 0, 0, 0}, new float[] {1, 0}, new LayerParameters.Rates(0.8f, 0.4f, 0));
        layer.draw(average, 0.5f);
        layer.restore(average);
        // From code 2 to 1.2 and half-way back to 1.6, which shows as 2.
        assertEquals(1, layer.weights()[0]);
        assertEquals(1.6f, layer.saved()[0][0], 1e-5);
        assertEquals(-0.2f, layer.bias()[0], 1e-5);
    }

    @Test
    void whatWasSavedComesBack() {
        LayerParameters layer = layer();
        float[][] saved = layer.saved();
        float[] weights = layer.weights().clone();
        for (int i = 0; i < 10; i++) {
            layer.step(new float[] {1, 2, 3, 4}, new float[] {1, 1}, new LayerParameters.Rates(0.2f, 0.1f, 0.1f));
        }
        assertTrue(layer.weights()[0] < weights[0] && layer.bias()[0] < 0);
        layer.restore(saved);
        assertArrayEquals(weights, layer.weights());
        assertArrayEquals(new float[2], layer.bias());
    }
}
