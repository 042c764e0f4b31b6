package dev.shrike.calibration.prune.channels;

import dev.shrike.graph.Shape;

/**
 * Follows channels through a change of shape that keeps the order of elements. Axes of input and output fall into the
 * smallest groups of as many elements; within a group, channels stay with one axis.
 */
final class ReshapedAxes {
    private final Shape from;
    private final Shape to;
    private final int[][] channels;
    private final ChannelUnits units;
    private final int[][] result;
    private boolean lost;

    private ReshapedAxes(Shape from, Shape to, int[][] channels, ChannelUnits units) {
        this.from = from;
        this.to = to;
        this.channels = channels;
        this.units = units;
        this.result = new int[to.rank()][];
    }

    /**
     * The channels along the axes of the output, or null if an axis with channels is mixed with another one so that
     * removing a channel would not leave a tensor.
     *
     * @param channels along the axes of the input
     * @param units ties channels that an axis split in two can only lose together
     */
    static int[][] of(Shape from, Shape to, int[][] channels, ChannelUnits units) {
        ReshapedAxes axes = new ReshapedAxes(from, to, channels, units);
        axes.follow();
        return axes.lost ? null : axes.result;
    }

    private void follow() {
        int i = 0;
        int j = 0;
        while (i < from.rank() || j < to.rank()) {
            int i0 = i;
            int j0 = j;
            long in = i < from.rank() ? from.dim(i++) : 1;
            long out = j < to.rank() ? to.dim(j++) : 1;
            while (in != out) {
                if (in < out && i < from.rank()) {
                    in *= from.dim(i++);
                } else if (j < to.rank()) {
                    out *= to.dim(j++);
                } else {
                    lost = true;
                    return;
                }
            }
            group(i0, i, j0, j);
        }
    }

    /** Input axes i0 to i and output axes j0 to j have the same elements. */
    private void group(int i0, int i, int j0, int j) {
        int carrier = -1;
        for (int axis = i0; axis < i; axis++) {
            if (channels[axis] != null) {
                lost |= carrier >= 0;
                carrier = axis;
            }
        }
        if (carrier < 0 || lost) {
            return;
        }
        int wide = -1;
        int count = 0;
        for (int axis = j0; axis < j; axis++) {
            if (to.dim(axis) > 1) {
                wide = axis;
                count++;
            }
        }
        if (count == 0) {
            // A single channel: it stays with the first axis there is.
            if (j0 < j) {
                result[j0] = channels[carrier];
            } else {
                lost = true;
            }
            return;
        }
        int others = 0;
        for (int axis = i0; axis < i; axis++) {
            others += axis != carrier && from.dim(axis) > 1 ? 1 : 0;
        }
        if (count == 1) {
            result[wide] = merged(i0, i, carrier);
        } else if (others == 0) {
            result[wide] = split(channels[carrier], Math.toIntExact(to.dim(wide)));
        } else {
            lost = true;
        }
    }

    /** Several axes become one: each of its positions has the channel of the axis that had some. */
    private int[] merged(int i0, int i, int carrier) {
        int inner = 1;
        for (int axis = carrier + 1; axis < i; axis++) {
            inner *= Math.toIntExact(from.dim(axis));
        }
        int outer = 1;
        for (int axis = i0; axis < carrier; axis++) {
            outer *= Math.toIntExact(from.dim(axis));
        }
        int[] own = channels[carrier];
        int[] merged = new int[outer * own.length * inner];
        for (int position = 0; position < merged.length; position++) {
            merged[position] = own[position / inner % own.length];
        }
        return merged;
    }

    /** One axis becomes several: the innermost keeps the channels, and loses them for all positions of the others. */
    private int[] split(int[] own, int inner) {
        int[] kept = new int[inner];
        for (int position = 0; position < own.length; position++) {
            if (position < inner) {
                kept[position] = own[position];
            } else {
                units.tie(kept[position % inner], own[position]);
            }
        }
        return kept;
    }
}
