package dev.shrike.calibration.metrics;

/** Curves given by points. */
final class Interpolation {
    private Interpolation() {}

    /**
     * The curve's height at x: straight between the points, the last height beyond them. Of several points at one x the
     * last counts.
     *
     * @param xs positions of the points, ascending
     * @param before what it is before the first point
     */
    static double at(double x, double[] xs, double[] ys, double before) {
        if (x < xs[0]) {
            return before;
        }
        int low = 0;
        int high = xs.length;
        while (high - low > 1) {
            int middle = (low + high) >>> 1;
            if (xs[middle] <= x) {
                low = middle;
            } else {
                high = middle;
            }
        }
        if (low == xs.length - 1) {
            return ys[low];
        }
        return ys[low] + (ys[low + 1] - ys[low]) * (x - xs[low]) / (xs[low + 1] - xs[low]);
    }

    /**
     * The mean of the window around each value; beyond the ends the end values go on.
     *
     * @param window odd
     */
    static double[] smooth(double[] values, int window) {
        int half = window / 2;
        double[] smooth = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            double sum = 0;
            for (int k = i - half; k <= i + half; k++) {
                sum += values[Math.clamp(k, 0, values.length - 1)];
            }
            smooth[i] = sum / window;
        }
        return smooth;
    }
}
