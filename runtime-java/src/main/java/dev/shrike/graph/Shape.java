package dev.shrike.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Dimensions of a tensor, outermost first. A dimension may be open: its size is {@link #OPEN} until the graph is fixed
 * to one input size.
 */
public record Shape(List<Long> dims) {
    /** The size of a dimension that is not known yet. */
    public static final long OPEN = -1;

    public Shape {
        dims = List.copyOf(dims);
        for (long d : dims) {
            if (d < OPEN) {
                throw new IllegalArgumentException("dimension " + d + " of " + dims);
            }
        }
    }

    /** A shape of these dimensions; none gives a scalar. */
    public static Shape of(long... dims) {
        List<Long> list = new ArrayList<>(dims.length);
        for (long d : dims) {
            list.add(d);
        }
        return new Shape(list);
    }

    /** Number of dimensions. */
    public int rank() {
        return dims.size();
    }

    /** Size of dimension {@code axis}; a negative axis counts from the end. */
    public long dim(int axis) {
        return dims.get(axis < 0 ? axis + dims.size() : axis);
    }

    /** Whether every dimension has a size. */
    public boolean isKnown() {
        return !dims.contains(OPEN);
    }

    /**
     * Number of elements; 1 for a scalar.
     *
     * @throws IllegalStateException if a dimension is open
     * @throws ArithmeticException if the number exceeds a long
     */
    public long elements() {
        long n = 1;
        for (long d : dims) {
            if (d == OPEN) {
                throw new IllegalStateException("shape " + this + " is open");
            }
            n = Math.multiplyExact(n, d);
        }
        return n;
    }

    /** The dimensions as an array. */
    public long[] toArray() {
        return dims.stream().mapToLong(Long::longValue).toArray();
    }

    @Override
    public String toString() {
        return dims.stream().map(d -> d == OPEN ? "?" : Long.toString(d)).collect(Collectors.joining("x", "[", "]"));
    }
}
