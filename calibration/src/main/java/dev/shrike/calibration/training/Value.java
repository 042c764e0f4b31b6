package dev.shrike.calibration.training;

/**
 * A value of a network under way: pixels row by row, the channels of each together.
 *
 * <p>{@code exact} is what its operation gives; {@code shown} is what others read, the same array where nothing rounds.
 */
final class Value {
    final int height;
    final int width;
    final int channels;
    final float[] exact;
    final float[] shown;
    /** Of what others read; turned into that of what the operation gives. Null if none is wanted. */
    final float[] gradient;
    final Rounding rounding;
    /** Of the learned step of the rounding, since it was cleared. */
    double stepGradient;

    Value(int height, int width, int channels, Rounding rounding, boolean learns) {
        this.height = height;
        this.width = width;
        this.channels = channels;
        this.rounding = rounding;
        this.exact = new float[height * width * channels];
        this.shown = rounding == null ? exact : new float[exact.length];
        this.gradient = learns ? new float[exact.length] : null;
    }

    int pixels() {
        return height * width;
    }

    void show() {
        if (rounding != null) {
            rounding.forward(exact, shown);
        }
    }

    void passBack() {
        if (rounding != null) {
            stepGradient += rounding.backward(exact, shown, gradient);
        }
    }
}
