package dev.shrike.calibration.training;

import dev.shrike.graph.Quantization;

/**
 * Rounds values as codes do and lets gradients pass straight through where nothing is clipped. The step can be learned
 * (Esser et al. 2020, LSQ), as a factor {@code exp(parameter)} of the given one.
 */
final class Rounding {
    /** Adding and taking it away rounds floats below 2^22 to the nearest integer. */
    private static final float MAGIC = 12582912f;

    private final Quantization given;
    private final float low;
    private final float high;
    private final boolean learned;
    private final float[] factor = new float[1];
    private final Adam adam = new Adam(1);
    private float scale;

    /** @param how for a whole tensor */
    Rounding(Quantization how, boolean learned) {
        this.given = how;
        int zero = (int) how.zeroPoint().longAt(0);
        this.low = how.minCode() - zero;
        this.high = how.maxCode() - zero;
        this.learned = learned;
        this.scale = how.scale().floatAt(0);
    }

    /** What it stood for before anything was learned. */
    Quantization given() {
        return given;
    }

    float scale() {
        return scale;
    }

    boolean isLearned() {
        return learned;
    }

    float parameter() {
        return factor[0];
    }

    void parameter(float value) {
        factor[0] = value;
        scale = given.scale().floatAt(0) * (float) Math.exp(value);
    }

    void step(float gradient, float rate) {
        adam.step(factor, new float[] {gradient}, rate);
        parameter(factor[0]);
    }

    /** What the codes can say of the values. */
    void forward(float[] values, float[] rounded) {
        float inverse = 1 / scale;
        for (int i = 0; i < values.length; i++) {
            float position = Math.min(high, Math.max(low, values[i] * inverse));
            rounded[i] = (position + MAGIC - MAGIC) * scale;
        }
    }

    /** Turns the gradient of what was rounded into that of the values; returns that of the learned parameter. */
    double backward(float[] values, float[] rounded, float[] gradient) {
        float from = low * scale - 0.5f * scale;
        float to = high * scale + 0.5f * scale;
        double own = 0;
        if (learned) {
            // d rounded / d log scale: the code where clipped, the rounding error inside.
            float sum = 0;
            for (int i = 0; i < values.length; i++) {
                boolean inside = values[i] >= from && values[i] <= to;
                sum += gradient[i] * (inside ? rounded[i] - values[i] : rounded[i]);
            }
            own = sum;
        }
        for (int i = 0; i < values.length; i++) {
            gradient[i] = values[i] >= from && values[i] <= to ? gradient[i] : 0;
        }
        return own;
    }
}
