package dev.shrike.calibration.ranges;

import java.util.Objects;

/**
 * What a pass over images tells about one value of a network. Its size does not grow with the number of images. The
 * owner adds images one by one; confined to one thread.
 */
public final class ActivationStatistics {
    /** What an image weighs in the moving average. */
    private static final double MOMENTUM = 0.1;

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
        this.histogram = Objects.requireNonNull(histogram, "histogram");
        if (channelLow.length != channelHigh.length || channelLow.length == 0) {
            throw new IllegalArgumentException(channelLow.length + " and " + channelHigh.length + " channels");
        }
        this.channelLow = channelLow;
        this.channelHigh = channelHigh;
        this.movingLow = movingLow;
        this.movingHigh = movingHigh;
        this.images = images;
    }

    /**
     * Takes in the values of one image.
     *
     * @param values elements, the channels of a position one after another
     * @throws IllegalArgumentException if one is no finite number, or they are no whole number of positions
     */
    public void add(float[] values, int count) {
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
        return new ActivationStatistics(weighted, channelLow, channelHigh, movingLow, movingHigh, images);
    }

    /** How often which values came. */
    public Histogram histogram() {
        return histogram;
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

    /** The moving averages of the smallest and of the largest value of an image; later images weigh more. */
    public Range movingAverage() {
        return new Range(movingLow, movingHigh);
    }

    /** Number of images seen. */
    public long images() {
        return images;
    }

    /** What is known of two values that are to have the same codes. */
    public ActivationStatistics union(ActivationStatistics other) {
        Histogram both = new Histogram(histogram.exponent(), histogram.counts());
        both.add(other.histogram);
        Range own = minMax();
        Range whole = own.union(other.minMax());
        Range moving = movingAverage().union(other.movingAverage());
        return new ActivationStatistics(both, new float[] {(float) whole.low()}, new float[] {(float) whole.high()},
                moving.low(), moving.high(), Math.min(images, other.images));
    }
}
