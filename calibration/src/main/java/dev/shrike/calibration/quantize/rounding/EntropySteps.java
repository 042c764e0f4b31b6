package dev.shrike.calibration.quantize.rounding;

import java.util.function.DoubleUnaryOperator;

/**
 * Steps of the uniform codes of a layer under a limit on their entropy: with entropy coding, codes are as fine as their
 * file may be large, not as few as their width (entropy-constrained scalar quantisation; Gish and Pierce 1968). Steps
 * of rows are in proportion to given ones, but none so fine that a weight of its row has no code.
 */
public final class EntropySteps {
    private static final int MOST = 127;
    private static final int ROUNDS = 60;

    private final double[] weights;
    private final double[] relative;
    /** The finest step of each row. */
    private final double[] finest;

    /**
     * Steps for a layer.
     *
     * @param weights row by row
     * @param relative steps of the rows, in any unit
     */
    public EntropySteps(double[] weights, double[] relative) {
        this.weights = weights;
        this.relative = relative;
        this.finest = new double[relative.length];
        int size = weights.length / relative.length;
        for (int row = 0; row < finest.length; row++) {
            double largest = 1e-30;
            for (int i = row * size; i < (row + 1) * size; i++) {
                largest = Math.max(largest, Math.abs(weights[i]));
            }
            finest[row] = largest / MOST;
        }
    }

    /** The steps of the rows for a factor of the relative ones. */
    public float[] at(double factor) {
        float[] steps = new float[relative.length];
        for (int row = 0; row < steps.length; row++) {
            steps[row] = (float) Math.max(factor * relative[row], finest[row]);
        }
        return steps;
    }

    /** The entropy of the weights, rounded to nearest with the steps for a factor. */
    public double entropy(double factor) {
        float[] steps = at(factor);
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

    /** A factor for which all codes are 0: every step is more than twice the largest weight of its row. */
    public double coarsest() {
        double factor = 0;
        for (int row = 0; row < finest.length; row++) {
            factor = Math.max(factor, 2.5 * MOST * finest[row] / relative[row]);
        }
        return factor;
    }

    /** The factor for which the weights have that entropy, or for which the steps are as fine as they can be. */
    public double factor(double rate) {
        return finest(coarsest(), this::entropy, rate);
    }

    /**
     * The least factor that takes no more than so many bits.
     *
     * @param coarsest a factor that takes no more
     * @param bits by the factor, falling
     */
    public static double finest(double coarsest, DoubleUnaryOperator bits, double limit) {
        double high = coarsest;
        double low = high * 1e-9;
        for (int i = 0; i < ROUNDS; i++) {
            double middle = Math.sqrt(low * high);
            if (bits.applyAsDouble(middle) > limit) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return high;
    }

    /** The entropy of codes in bits a code, taking the codes of a layer as draws from one distribution. */
    public static double entropy(byte[] codes) {
        long[] counts = new long[1 << Byte.SIZE];
        for (byte code : codes) {
            counts[code & 0xff]++;
        }
        return entropy(counts, codes.length);
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
}
