package dev.shrike.calibration.prune.channels;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Shape;
import java.util.Arrays;

/**
 * The positions that a Slice with constant bounds takes along one axis.
 *
 * @param start first position
 * @param step distance to the next one, not 0
 * @param count number of positions
 */
record SliceRange(int start, int step, int count) {

    /** The ranges of all axes of what the node reads, by ONNX's rules for negative and far bounds. */
    static SliceRange[] of(Graph graph, Node node, Shape shape) {
        SliceRange[] ranges = new SliceRange[shape.rank()];
        for (int axis = 0; axis < ranges.length; axis++) {
            ranges[axis] = new SliceRange(0, 1, Math.toIntExact(shape.dim(axis)));
        }
        long[] starts = graph.constants().get(node.input(1)).toLongs();
        long[] ends = graph.constants().get(node.input(2)).toLongs();
        long[] axes = axes(graph, node, starts.length);
        long[] steps = new long[starts.length];
        Arrays.fill(steps, 1);
        if (node.hasInput(4)) {
            steps = graph.constants().get(node.input(4)).toLongs();
        }
        for (int i = 0; i < starts.length; i++) {
            int axis = (int) (axes[i] < 0 ? axes[i] + shape.rank() : axes[i]);
            ranges[axis] = of(starts[i], ends[i], steps[i], shape.dim(axis));
        }
        return ranges;
    }

    /** The axes that the bounds are for. */
    static long[] axes(Graph graph, Node node, int count) {
        if (node.hasInput(3)) {
            return graph.constants().get(node.input(3)).toLongs();
        }
        long[] all = new long[count];
        Arrays.setAll(all, i -> i);
        return all;
    }

    private static SliceRange of(long start, long end, long step, long size) {
        long least = step > 0 ? 0 : -1;
        long most = step > 0 ? size : size - 1;
        long from = Math.clamp(start < 0 ? start + size : start, step > 0 ? 0 : Math.min(0, most), most);
        long to = Math.clamp(end < 0 ? end + size : end, least, most);
        long count =
                step > 0 ? Math.max(0, Math.ceilDiv(to - from, step)) : Math.max(0, Math.ceilDiv(from - to, -step));
        return new SliceRange((int) from, Math.toIntExact(Math.clamp(step, -size - 1, size + 1)), (int) count);
    }
}
