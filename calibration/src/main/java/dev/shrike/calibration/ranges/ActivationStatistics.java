package dev.shrike.calibration.ranges;

import java.util.Objects;

/**
 * What a pass over images tells about one value of a network. Its size does not grow with the number of images. The
 * owner adds images one by one; confined to one thread.
 */
public final class ActivationStatistics {
    /** What an image weighs in the moving average. */
    private static final double MOMENTUM = 0.1;

    /** Null where only the range is known. */
    private final Histogram histogram;
    private final float[] channelLow;
    private final float[] channelHigh;
    private double movingLow;
    private double movingHigh;
    private long images;

    /**
     * Empty statistics.
     *
     * @param channels channels of the value, 1 if it has none
     */
    public ActivationStatistics(int channels) {
        this(new Histogram(), new float[channels], new float[channels], 0, 0, 0);
    }

    ActivationStatistics(Histogram histogram, float[] channelLow, float[] channelHigh, double movingLow,
            double movingHigh,
            long images) {
        this.histogram = histogram;
        if (channelLow.length != channelHigh.length || channelLow.length == 0) {
            throw new IllegalArgumentException(channelLow.length + " and " + channelHigh.length + " channels");
        }
        this.channelLow = channelLow;
        this.channelHigh = channelHigh;
        this.movingLow = movingLow;
        this.movingHigh = movingHigh;
        this.images = images;
    }

    /** Statistics of values of which only the range is known, for {@link RangeCalibrator.MinMax}; they do not grow. */
    public static ActivationStatistics ofRange(float low, float high) {
        Range range = new Range(low, high);
        return new ActivationStatistics(null, new float[] {low}, new float[] {high}, range.low(), range.high(), 1);
    }

    /**
     * Takes in the values of one image.
     *
     * @param values elements, the channels of a position one after another
     * @throws IllegalArgumentException if one is no finite number, or they are no whole number of positions
     * @throws IllegalStateException if only the range is known
     */
    public void add(float[] values, int count) {
        requireHistogram();
        int channels = channelLow.length;
        if (count == 0 || count % channels != 0) {
            throw new IllegalArgumentException(count + " values of " + channels + " channels");
        }
        histogram.add(values, 0, count);
        float[] low = new float[channels];
        float[] high = new float[channels];
        System.arraycopy(values, 0, low, 0, channels);
        System.arraycopy(values, 0, high, 0, channels);
        for (int at = channels; at < count; at += channels) {
            for (int c = 0; c < channels; c++) {
                low[c] = Math.min(low[c], values[at + c]);
                high[c] = Math.max(high[c], values[at + c]);
            }
        }
        double least = Double.POSITIVE_INFINITY;
        double most = Double.NEGATIVE_INFINITY;
        for (int c = 0; c < channels; c++) {
            least = Math.min(least, low[c]);
            most = Math.max(most, high[c]);
            channelLow[c] = images == 0 ? low[c] : Math.min(channelLow[c], low[c]);
            channelHigh[c] = images == 0 ? high[c] : Math.max(channelHigh[c], high[c]);
        }
        movingLow = images == 0 ? least : movingLow + MOMENTUM * (least - movingLow);
        movingHigh = images == 0 ? most : movingHigh + MOMENTUM * (most - movingHigh);
        images++;
    }

    /** The same with another histogram: one in which some values count more than others. */
    public ActivationStatistics with(Histogram weighted) {
        return new ActivationStatistics(Objects.requireNonNull(weighted, "weighted"), channelLow, channelHigh,
                movingLow, movingHigh, images);
    }

    /**
     * How often which values came.
     *
     * @throws IllegalStateException if only the range is known
     */
    public Histogram histogram() {
        requireHistogram();
        return histogram;
    }

    private void requireHistogram() {
        if (histogram == null) {
            throw new IllegalStateException("only the smallest and largest value are known, enough for min-max alone");
        }
    }

    /** Number of channels. */
    public int channels() {
        return channelLow.length;
    }

    /** The smallest and largest value of a channel. */
    public Range channel(int index) {
        return new Range(channelLow[index], channelHigh[index]);
    }

    /** The smallest and largest value of all. */
    public Range minMax() {
        double low = Double.POSITIVE_INFINITY;
        double high = Double.NEGATIVE_INFINITY;
        for (int c = 0; c < channelLow.length; c++) {
            low = Math.min(low, channelLow[c]);
            high = Math.max(high, channelHigh[c]);
        }
        return new Range(low, high);
    }

    /**
     * The moving averages of the smallest and of the largest value of an image; later images weigh more.
     *
     * @throws IllegalStateException if only the range is known
     */
    public Range movingAverage() {
        requireHistogram();
        return new Range(movingLow, movingHigh);
    }

    /** Number of images seen. */
    public long images() {
        return images;
    }

    /** What is known of two values that are to have the same codes; the range, if that is all that is known of one. */
    public ActivationStatistics union(ActivationStatistics other) {
        if (histogram == null || other.histogram == null) {
            Range whole = minMax().union(other.minMax());
            return ofRange((float) whole.low(), (float) whole.high());
        }
        Histogram both = new Histogram(histogram.exponent(), histogram.counts());
        both.add(other.histogram);
        Range own = minMax();
        Range whole = own.union(other.minMax());
        Range moving = movingAverage().union(other.movingAverage());
        return new ActivationStatistics(both, new float[] {(float) whole.low()}, new float[] {(float) whole.high()},
                moving.low(), moving.high(), Math.min(images, other.images));
    }
}
