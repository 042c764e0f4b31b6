package dev.shrike.graph.shapes;

import dev.shrike.graph.NodeView;
import dev.shrike.graph.Shape;
import java.util.Optional;

/**
 * What a Slice takes along each dimension: {@code count} elements from {@code start}, {@code step} apart. All are
 * clamped into the dimension as ONNX says, so that the elements exist.
 */
public record SliceBounds(long[] starts, long[] steps, long[] counts) {
    /** The bounds, or nothing if starts, ends, axes, steps or a sliced dimension are not known. */
    public static Optional<SliceBounds> of(NodeView view) {
        Shape x = view.shape(0);
        int rank = x.rank();
        Optional<long[]> starts = view.integers(1);
        Optional<long[]> ends = view.integers(2);
        Optional<long[]> axes = view.integers(3);
        Optional<long[]> steps = view.integers(4);
        if (starts.isEmpty() || ends.isEmpty() || (view.has(3) && axes.isEmpty())
                || (view.has(4) && steps.isEmpty())) {
            return Optional.empty();
        }
        int n = starts.get().length;
        if (ends.get().length != n || (axes.isPresent() && axes.get().length != n)
                || (steps.isPresent() && steps.get().length != n) || n > rank) {
            throw view.mismatch("starts, ends, axes and steps of different or too great lengths",
                    "one of each per sliced dimension of " + x);
        }
        SliceBounds bounds = new SliceBounds(new long[rank], new long[rank], x.toArray());
        java.util.Arrays.fill(bounds.steps, 1);
        boolean[] seen = new boolean[rank];
        for (int i = 0; i < n; i++) {
            int axis = view.axis(axes.isPresent() ? axes.get()[i] : i, rank);
            if (seen[axis]) {
                throw view.error("axis " + axis + " is sliced twice");
            }
            seen[axis] = true;
            long step = steps.isPresent() ? steps.get()[i] : 1;
            if (step == 0) {
                throw view.mismatch("step 0", "a step other than 0");
            }
            bounds.set(axis, x.dim(axis), starts.get()[i], ends.get()[i], step);
        }
        return Optional.of(bounds);
    }

    private void set(int axis, long size, long start, long end, long step) {
        steps[axis] = step;
        if (size == Shape.OPEN) {
            boolean all = start == 0 && end >= Integer.MAX_VALUE && step == 1;
            // A whole open dimension stays what it is; any other cut of it is open too.
            counts[axis] = Shape.OPEN;
            starts[axis] = all ? 0 : Shape.OPEN;
            return;
        }
        boolean forward = step > 0;
        long low = forward ? 0 : -1;
        long high = forward ? size : size - 1;
        long from = Math.clamp(start < 0 ? start + size : start, forward ? 0 : Math.min(0, high), high);
        // An end far below zero (as in [::-1]) must stay below zero after the size was added.
        long to = Math.clamp(end < 0 ? end + size : end, low, high);
        starts[axis] = from;
        counts[axis] = Math.max(0, forward ? Math.ceilDiv(to - from, step) : ceilDivDown(from - to, step));
    }

    /** {@code ceil(distance / -step)} for a negative step, whose negation may overflow. */
    private static long ceilDivDown(long distance, long step) {
        return step == Long.MIN_VALUE ? (distance > 0 ? 1 : 0) : Math.ceilDiv(distance, -step);
    }

    Shape shape() {
        return Shape.of(counts);
    }
}
