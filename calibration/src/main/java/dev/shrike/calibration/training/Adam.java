package dev.shrike.calibration.training;

/** A vector of parameters under Adam (Kingma and Ba 2015). */
final class Adam {
    private static final float FIRST = 0.9f;
    private static final float SECOND = 0.99f;

    private final float[] mean;
    private final float[] square;
    private int steps;

    Adam(int size) {
        mean = new float[size];
        square = new float[size];
    }

    /** Moves the values against their gradients, by about {@code rate} at first. */
    void step(float[] values, float[] gradients, float rate) {
        steps++;
        float firstShare = (float) (1 - Math.pow(FIRST, steps));
        float secondShare = (float) (1 - Math.pow(SECOND, steps));
        for (int i = 0; i < values.length; i++) {
            float gradient = gradients[i];
            mean[i] = FIRST * mean[i] + (1 - FIRST) * gradient;
            square[i] = SECOND * square[i] + (1 - SECOND) * gradient * gradient;
            values[i] -= rate * (mean[i] / firstShare) / ((float) Math.sqrt(square[i] / secondShare) + 1e-12f);
        }
    }
}
