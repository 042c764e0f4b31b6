package dev.shrike.calibration.quantize;

/**
 * Steps of uniform codes under a limit on their entropy: with entropy coding, codes are as fine as their file may be
 * large, not as few as their width (entropy-constrained scalar quantisation; Gish and Pierce 1968).
 */
final class EntropySteps {
    private static final int MOST = 127;
    private static final int ROUNDS = 50;

    private EntropySteps() {}

    /**
     * The entropy of codes in bits a code, taking the codes of a layer as draws from one distribution.
     */
    static double entropy(byte[] codes) {
        long[] counts = new long[1 << Byte.SIZE];
        for (byte code : codes) {
            counts[code & 0xff]++;
        }
        return entropy(counts, codes.length);
    }

    /** The entropy of weights rounded to nearest with these steps, one a row. */
    static double entropy(double[] weights, float[] steps) {
        int size = weights.length / steps.length;
        long[] counts = new long[2 * MOST + 1];
        for (int row = 0; row < steps.length; row++) {
            double inverse = 1.0 / steps[row];
            for (int i = row * size; i < (row + 1) * size; i++) {
                counts[(int) Math.clamp(Math.rint(weights[i] * inverse), -MOST, MOST) + MOST]++;
            }
        }
        return entropy(counts, weights.length);
    }

    private static double entropy(long[] counts, long total) {
        double sum = 0;
        for (long count : counts) {
            if (count > 0) {
                double share = (double) count / total;
                sum -= share * Math.log(share) / Math.log(2);
            }
        }
        return sum;
    }

    /** Steps in proportion to relative ones, but none so fine that a weight of its row has no code. */
    static float[] scaled(double[] weights, double[] relative, double factor) {
        int size = weights.length / relative.length;
        float[] steps = new float[relative.length];
        for (int row = 0; row < steps.length; row++) {
            double largest = 1e-30;
            for (int i = row * size; i < (row + 1) * size; i++) {
                largest = Math.max(largest, Math.abs(weights[i]));
            }
            steps[row] = (float) Math.max(factor * relative[row], largest / MOST);
        }
        return steps;
    }

    /**
     * The factor for {@link #scaled} at which weights that are rounded to nearest have that entropy, or at which the
     * steps are as fine as they can be.
     */
    static double factor(double[] weights, double[] relative, double rate) {
        double high = 0;
        int size = weights.length / relative.length;
        for (int i = 0; i < weights.length; i++) {
            double own = Math.abs(weights[i]) / relative[i / size];
            high = Math.max(high, own);
        }
        if (high == 0) {
            return 1;
        }
        // Beyond twice the largest weight all codes are 0.
        high *= 2.5;
        double low = high * 1e-9;
        for (int i = 0; i < ROUNDS; i++) {
            double middle = Math.sqrt(low * high);
            if (entropy(weights, scaled(weights, relative, middle)) > rate) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return high;
    }
}
