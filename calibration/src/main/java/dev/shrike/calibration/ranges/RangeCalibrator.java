package dev.shrike.calibration.ranges;

import java.util.Locale;
import java.util.function.DoubleUnaryOperator;

/** How codes are chosen for a value from what was seen of it. */
public sealed interface RangeCalibrator {
    /** From the smallest to the largest value. */
    record MinMax() implements RangeCalibrator {}

    /** From the moving average of the smallest to that of the largest values of the images. */
    record MovingAverage() implements RangeCalibrator {}

    /**
     * Without the rarest values at both ends.
     *
     * @param share percentage of the values that lie within, above 50 to 100
     */
    record Percentile(double share) implements RangeCalibrator {
        public Percentile {
            if (!(share > 50 && share <= 100)) {
                throw new IllegalArgumentException("percentile " + share + " is not within 50 to 100");
            }
        }
    }

    /** The range whose codes keep the distribution best: the least Kullback-Leibler divergence. */
    record Entropy() implements RangeCalibrator {}

    /**
     * The least mean of {@code |error|^power}. 2 is the mean squared error, which gives up rare large values for the
     * sake of many small ones; a higher power does so less.
     *
     * @param power 1 to 16
     */
    record LeastError(double power) implements RangeCalibrator {
        public LeastError {
            if (!(power >= 1 && power <= 16)) {
                throw new IllegalArgumentException("power " + power + " is not within 1 to 16");
            }
        }
    }

    /**
     * The codes for a value.
     *
     * @param statistics what was seen of it, at least one image
     * @param bits width of a code
     */
    default UniformCodes codes(ActivationStatistics statistics, int bits) {
        return codes(statistics, bits, DoubleUnaryOperator.identity());
    }

    /**
     * The codes for a value of which only a function is used; only {@link LeastError} and {@link MinMax} heed it.
     *
     * @param function continuous, such as the activation behind a convolution
     */
    default UniformCodes codes(ActivationStatistics statistics, int bits, DoubleUnaryOperator function) {
        return switch (this) {
            case MinMax _ -> UniformCodes.covering(statistics.minMax(), bits);
            case MovingAverage _ -> UniformCodes.covering(statistics.movingAverage(), bits);
            case Percentile(double share) -> UniformCodes.covering(within(statistics, share), bits);
            case Entropy _ -> KlDivergenceCalibrator.codes(statistics, bits);
            case LeastError(double power) ->
                new MseCalibrator(statistics.histogram(), statistics.minMax(), power, function).codes(bits);
        };
    }

    /**
     * The codes of 8 bits with the zero point in their middle, as engines want them that have no zero points.
     *
     * @param function as in {@link #codes(ActivationStatistics, int, DoubleUnaryOperator)}
     */
    default UniformCodes symmetricCodes(ActivationStatistics statistics, DoubleUnaryOperator function) {
        return switch (this) {
            case MinMax _ -> UniformCodes.symmetric(statistics.minMax());
            case MovingAverage _ -> UniformCodes.symmetric(statistics.movingAverage());
            case Percentile(double share) -> UniformCodes.symmetric(within(statistics, share));
            case Entropy _ -> {
                UniformCodes free = KlDivergenceCalibrator.codes(statistics, 8);
                double step = free.scale();
                yield UniformCodes.symmetric(new Range(-free.zero() * step, (255 - free.zero()) * step));
            }
            case LeastError(double power) ->
                new MseCalibrator(statistics.histogram(), statistics.minMax(), power, function).symmetricCodes();
        };
    }

    private static Range within(ActivationStatistics statistics, double share) {
        Histogram histogram = statistics.histogram();
        return new Range(histogram.quantile((100 - share) / 100), histogram.quantile(share / 100));
    }

    /**
     * The method of that name: {@code min-max}, {@code moving-average}, {@code percentile}, {@code percentile:99.9},
     * {@code entropy}, {@code mse} or {@code power:2.4}.
     *
     * @throws IllegalArgumentException if there is none
     */
    static RangeCalibrator parse(String text) {
        String[] parts = text.toLowerCase(Locale.ROOT).split(":", 2);
        try {
            double number = parts.length < 2 ? Double.NaN : Double.parseDouble(parts[1]);
            boolean given = parts.length == 2;
            switch (parts[0]) {
                case "percentile" -> {
                    return new Percentile(given ? number : 99.99);
                }
                case "power" -> {
                    return new LeastError(given ? number : 2.4);
                }
                case "min-max", "moving-average", "entropy", "mse" -> {
                    if (!given) {
                        return plain(parts[0]);
                    }
                }
                default -> {
                    // Said below.
                }
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + parts[1] + "' is no number", e);
        }
        throw new IllegalArgumentException("'" + text + "' is none of min-max, moving-average, percentile[:99.99],"
                + " entropy, mse, power[:2.4]");
    }

    private static RangeCalibrator plain(String name) {
        return switch (name) {
            case "min-max" -> new MinMax();
            case "moving-average" -> new MovingAverage();
            case "entropy" -> new Entropy();
            default -> new LeastError(2);
        };
    }
}
