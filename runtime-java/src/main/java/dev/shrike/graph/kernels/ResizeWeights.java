package dev.shrike.graph.kernels;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Op;

/**
 * What each element of an axis is made of after cubic interpolation (R. Keys, "Cubic convolution interpolation for
 * digital image processing", 1981).
 */
public final class ResizeWeights {
    private static final int MOST_WEIGHTS = 1 << 25;

    private ResizeWeights() {}

    /**
     * Weights of the elements of the axis, a row of {@code from} for each of {@code to} results.
     *
     * @param resize a cubic one
     * @param scale ratio of the sizes as the node gives it
     * @throws UnsupportedModelException if there are more weights than any image needs
     */
    public static float[] of(Op.Resize resize, int from, int to, float scale) {
        if ((long) from * to > MOST_WEIGHTS) {
            throw new UnsupportedModelException(
                    "cubic resizing from " + from + " to " + to + " elements takes more than "
                            + MOST_WEIGHTS + " weights");
        }
        float[] rows = new float[from * to];
        for (int i = 0; i < to; i++) {
            double at = ResizeMath.coordinate(i, from, to, scale, resize.coordinates());
            double sum = 0;
            double[] row = new double[from];
            for (long tap = (long) Math.floor(at) - 1; tap <= Math.floor(at) + 2; tap++) {
                double weight = filter(resize.cubicCoefficient(), Math.abs(tap - at));
                boolean inside = tap >= 0 && tap < from;
                if (inside || !resize.excludeOutside()) {
                    row[Math.clamp(tap, 0, from - 1)] += weight;
                    sum += weight;
                }
            }
            for (int j = 0; j < from; j++) {
                rows[i * from + j] = (float) (row[j] / sum);
            }
        }
        return rows;
    }

    private static double filter(double a, double x) {
        if (x <= 1) {
            return ((a + 2) * x - (a + 3)) * x * x + 1;
        }
        return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
    }
}
