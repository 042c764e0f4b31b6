package dev.shrike.spi;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Where an executor keeps one tensor: float32 elements in native memory at
 * {@code sum(index[d] * strides[d])} from the segment's start.
 *
 * @param name name of the value in the graph
 * @param dims logical dimensions, in the order of the model (NCHW for an image)
 * @param strides distance between neighbours along each dimension, in elements
 * @param memory the elements; valid until the executor closes
 */
public record Binding(String name, List<Integer> dims, List<Integer> strides, MemorySegment memory) {
    public Binding {
        dims = List.copyOf(dims);
        strides = List.copyOf(strides);
        if (dims.size() != strides.size()) {
            throw new IllegalArgumentException(name + ": " + dims.size() + " dims, " + strides.size() + " strides");
        }
    }

    /**
     * One image of a batch: the same with a first dimension of 1.
     *
     * @throws IndexOutOfBoundsException if the first dimension has no such index
     */
    public Binding image(int index) {
        if (dims.isEmpty() || index < 0 || index >= dims.getFirst()) {
            throw new IndexOutOfBoundsException(name + " of " + dims + " has no image " + index);
        }
        List<Integer> one = new ArrayList<>(dims);
        one.set(0, 1);
        return new Binding(name, one, strides, memory.asSlice((long) Float.BYTES * index * strides.getFirst()));
    }

    /** Number of elements. */
    public int elements() {
        int n = 1;
        for (int d : dims) {
            n *= d;
        }
        return n;
    }

    /** Whether the elements lie in row-major order without gaps. */
    public boolean isContiguous() {
        int expected = 1;
        for (int d = dims.size() - 1; d >= 0; d--) {
            if (dims.get(d) != 1 && strides.get(d) != expected) {
                return false;
            }
            expected *= dims.get(d);
        }
        return true;
    }

    /** Whether a four-dimensional NCHW tensor lies in memory as N, H, W, C without gaps. */
    public boolean isChannelsLast() {
        if (dims.size() != 4) {
            return false;
        }
        int c = dims.get(1);
        int h = dims.get(2);
        int w = dims.get(3);
        return (c == 1 || strides.get(1) == 1)
                && (w == 1 || strides.get(3) == c)
                && (h == 1 || strides.get(2) == c * w)
                && (dims.get(0) == 1 || strides.get(0) == c * w * h);
    }
}
