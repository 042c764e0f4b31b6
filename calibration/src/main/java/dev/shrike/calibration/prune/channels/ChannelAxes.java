package dev.shrike.calibration.prune.channels;

import dev.shrike.graph.Shape;
import java.util.HashMap;
import java.util.Map;

/** The channels along each axis of each value; an axis that none can be removed from has no channels. */
final class ChannelAxes {
    private final Map<String, int[][]> axes = new HashMap<>();

    /** The channels along an axis, or null. */
    int[] get(String value, int axis) {
        int[][] all = axes.get(value);
        return all == null ? null : all[axis < 0 ? axis + all.length : axis];
    }

    /** Sets the channels along an axis of a value of that rank. */
    void set(String value, int rank, int axis, int[] channels) {
        axes.computeIfAbsent(value, _ -> new int[rank][])[axis < 0 ? axis + rank : axis] = channels;
    }

    /** The channels along all axes of a value of that shape. */
    int[][] all(String value, Shape shape) {
        int[][] found = axes.get(value);
        return found == null ? new int[shape.rank()][] : found;
    }

    /** The channels of all values by name and axis. */
    Map<String, int[][]> all() {
        return axes;
    }
}
