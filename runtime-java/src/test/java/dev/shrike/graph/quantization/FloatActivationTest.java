package dev.shrike.graph.quantization;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.graph.Activation;
import dev.shrike.graph.kernels.ElementMath;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FloatActivationTest {
    /** Prime, so that every exponent and all kinds of fractions come up. */
    private static final int STEP = 9973;
    private static final float ALPHA = 0.2f;
    private static final float BETA = 0.6f;

    @ParameterizedTest
    @EnumSource(Activation.Kind.class)
    void equalsTheFunctionInDoubleOverAllFloats(Activation.Kind kind) {
        Activation activation = new Activation(kind, ALPHA, BETA);
        DoubleUnaryOperator exact = ElementMath.function(activation);
        for (long bits = 0; bits < 1L << 32; bits += STEP) {
            float x = Float.intBitsToFloat((int) bits);
            if (!Float.isFinite(x)) {
                continue;
            }
            double expected = exact.applyAsDouble(x);
            float got = FloatActivation.apply(activation, x);
            assertTrue(Math.abs(got - expected) <= 3e-7 * Math.max(1, Math.abs(expected)),
                    () -> kind + " of " + x + ": " + got + ", not " + expected);
        }
    }

    @ParameterizedTest
    @EnumSource(value = Activation.Kind.class, names = {"SILU", "SIGMOID", "TANH"})
    void staysWithinBoundsAtTheEnds(Activation.Kind kind) {
        Activation activation = Activation.of(kind);
        float low = kind == Activation.Kind.TANH ? -1 : 0;
        float high = kind == Activation.Kind.SILU ? Float.POSITIVE_INFINITY : 1;
        assertEquals(low, FloatActivation.apply(activation, Float.NEGATIVE_INFINITY), 1e-30f);
        assertEquals(high, FloatActivation.apply(activation, Float.POSITIVE_INFINITY));
        assertEquals(FloatActivation.apply(activation, Float.NEGATIVE_INFINITY),
                FloatActivation.apply(activation, Float.NaN));
    }

    /** Codes worked out by hand from x / (1 + e^-x). */
    @Test
    void roundsWhatTheFunctionGivesToCodes() {
        ActivationEpilogue codes = ActivationEpilogue.of(Activation.SILU, new QuantParams(0.0625f, 5, 1, 200, false));
        assertEquals(5, codes.code(0));
        assertEquals(5 + 12, codes.code(1)); // 0.7311 * 16 = 11.70
        assertEquals(5 - 4, codes.code(-1)); // -0.2689 * 16 = -4.30
        assertEquals(5 + 160, codes.code(10)); // 9.9995 * 16 = 159.99
        assertEquals(200, codes.code(13));
        assertEquals(1, codes.code(-1.3f)); // the bottom, -0.2784 * 16 = -4.45
        assertEquals(5, codes.code(Float.NaN));
    }

    @Test
    void addsAResidualBeforeRounding() {
        QuantParams residual = new QuantParams(0.03125f, 20, 0, 255, false);
        ActivationEpilogue codes =
                ActivationEpilogue.of(Activation.SILU, residual, new QuantParams(0.0625f, 5, 0, 255, false));
        assertEquals(5, codes.code(0, 20));
        assertEquals(5 + 13, codes.code(1, 23)); // 11.70 + 1.5
        assertEquals(0, codes.code(-1, 0)); // 5 - 4.30 - 10
        assertEquals(255, codes.code(10, 255)); // 159.99 + 117.5
        assertThrows(IllegalArgumentException.class, () -> new ActivationEpilogue(Activation.NONE, 1, -1, 0, 0, 1));
    }

    @Test
    void codesOfScalesWithoutAFiniteReciprocalAreRefused() {
        QuantParams tiny = new QuantParams(Float.MIN_VALUE, 0, 0, 255, false);
        assertTrue(!ActivationEpilogue.canGive(tiny));
        assertThrows(IllegalArgumentException.class, () -> ActivationEpilogue.of(Activation.SILU, tiny));
    }
}
