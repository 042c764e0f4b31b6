package dev.shrike.calibration.ranges;

/**
 * The range whose codes keep the distribution of a value best in the sense of Kullback and Leibler: the method of
 * TensorRT's calibration (Migacz, 8-bit inference with TensorRT, 2017), on both sides of 0. The reference distribution
 * is the histogram with what lies beyond the range put into the outermost bins; the other one spreads the count of a
 * code evenly over those of its bins that are not empty.
 */
final class KlDivergenceCalibrator {
    private static final int CANDIDATES = 96;
    private static final int POINTS = 4096;

    private KlDivergenceCalibrator() {}

    static UniformCodes codes(ActivationStatistics statistics, int bits) {
        Histogram.Points points = statistics.histogram().points(POINTS);
        Range whole = statistics.minMax().withZero();
        UniformCodes best = UniformCodes.covering(whole, bits);
        double least = divergence(points, best);
        for (int i = 1; i < CANDIDATES; i++) {
            double share = (double) i / CANDIDATES;
            // Values end on one side long before the other; the nearer end stays until the range is that small.
            double reach = share * Math.max(-whole.low(), whole.high());
            Range range = new Range(Math.max(whole.low(), -reach), Math.min(whole.high(), reach));
            UniformCodes codes = UniformCodes.covering(range, bits);
            double divergence = divergence(points, codes);
            if (divergence < least) {
                least = divergence;
                best = codes;
            }
        }
        return best;
    }

    /** KL(reference, codes) in nats. */
    static double divergence(Histogram.Points points, UniformCodes codes) {
        int levels = 1 << codes.bits();
        double[] counts = new double[levels];
        int[] bins = new int[levels];
        int size = points.values().length;
        int[] codeOf = new int[size];
        double[] reference = new double[size];
        int first = -1;
        int last = -1;
        double low = ((double) -codes.zero() - 0.5) * codes.scale();
        double high = (levels - 1 - codes.zero() + 0.5) * codes.scale();
        double below = 0;
        double above = 0;
        double total = 0;
        for (int i = 0; i < size; i++) {
            double value = points.values()[i];
            double weight = points.weights()[i];
            total += weight;
            if (value < low) {
                below += weight;
            } else if (value > high) {
                above += weight;
            } else {
                first = first < 0 ? i : first;
                last = i;
                codeOf[i] = (int) Math.clamp(Math.rint(value / codes.scale()) + codes.zero(), 0, levels - 1);
                reference[i] = weight;
                counts[codeOf[i]] += weight;
                bins[codeOf[i]]++;
            }
        }
        if (first < 0) {
            return Double.POSITIVE_INFINITY;
        }
        reference[first] += below;
        reference[last] += above;
        double inside = total - below - above;
        double sum = 0;
        for (int i = first; i <= last; i++) {
            double p = reference[i] / total;
            double q = counts[codeOf[i]] / bins[codeOf[i]] / inside;
            sum += p > 0 ? p * Math.log(p / q) : 0;
        }
        return sum;
    }
}
