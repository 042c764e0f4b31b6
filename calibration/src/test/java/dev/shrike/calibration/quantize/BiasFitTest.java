package dev.shrike.calibration.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a layer gives far below zero, SiLU ignores, however wrong it is there: a bias that makes up for the mean of such
 * errors would shift what SiLU lets through.
 */
class BiasFitTest {
    private static final DoubleUnaryOperator SILU = x -> x / (1 + Math.exp(-x));
    private static final int PAIRS = 1000;

    /** The bias of {@code y = x + b}, where y is x but 2 lower, or higher, where x is -8. */
    private static float bias(DoubleUnaryOperator activation, PtqOptions effort, float error) {
        try (LayerSamples samples = new LayerSamples(1, 1, effort.weighOutputs() ? activation : null, PAIRS)) {
            for (int i = 0; i < PAIRS; i++) {
                float x = i % 2 == 0 ? -8 : 1 + i % 10 / 10f;
                samples.add(new float[] {x}, 0, new float[] {i % 2 == 0 ? x + error : x}, 0, 1);
            }
            return samples.fit(new double[] {1}, effort, 8, null).offsets(new double[] {1})[0];
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"full", "no-fit", "scale-search", "bias"})
    void errorsThatTheActivationIgnoresDoNotShiftTheRest(String effort) {
        PtqOptions options = PtqOptions.parse(effort);
        assertTrue(options.refitBias());
        for (float error : new float[] {-2, 2}) {
            assertEquals(0, bias(SILU, options, error), 0.1, effort);
            assertEquals(error / 2, bias(null, options, error), 0.1, "without an activation they count");
        }
    }
}
