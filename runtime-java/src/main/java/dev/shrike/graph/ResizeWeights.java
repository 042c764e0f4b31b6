package dev.shrike.graph;

/**
 * What each element of a resized axis is made of: resizing is linear along an axis. Cubic interpolation is R. Keys,
 * "Cubic convolution interpolation for digital image processing" (1981); where the picture shrinks, antialiasing
 * stretches the filter by the ratio.
 */
public final class ResizeWeights {
    private ResizeWeights() {}

    /**
     * Weights of the elements of the axis, a row of {@code from} for each of {@code to} results.
     *
     * @param resize linear or cubic
     * @param scale ratio of the sizes as the node gives it
     */
    public static float[] of(Op.Resize resize, int from, int to, float scale) {
        float[] rows = new float[Math.multiplyExact(from, to)];
        double stretch = resize.antialias() && scale < 1 ? scale : 1;
        double reach = (resize.mode() == Op.Resize.Mode.CUBIC ? 2 : 1) / stretch;
        for (int i = 0; i < to; i++) {
            double at = ResizeMath.coordinate(i, from, to, scale, resize.coordinates());
            if (resize.mode() == Op.Resize.Mode.LINEAR && !resize.antialias()) {
                at = Math.clamp(at, 0, from - 1);
            }
            double sum = 0;
            double[] row = new double[from];
            for (long tap = (long) Math.floor(at - reach); tap <= Math.ceil(at + reach); tap++) {
                double weight = filter(resize, (tap - at) * stretch);
                boolean inside = tap >= 0 && tap < from;
                if (inside || !resize.excludeOutside() && !resize.antialias()) {
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

    private static double filter(Op.Resize resize, double distance) {
        double x = Math.abs(distance);
        if (resize.mode() == Op.Resize.Mode.LINEAR) {
            return Math.max(0, 1 - x);
        }
        double a = resize.cubicCoefficient();
        if (x <= 1) {
            return ((a + 2) * x - (a + 3)) * x * x + 1;
        }
        return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
    }
}
