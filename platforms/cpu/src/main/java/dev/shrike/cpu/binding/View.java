package dev.shrike.cpu.binding;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Where a value lies: float32 elements of one storage at {@code offset + sum(index[d] * strides[d])}, in elements. A
 * stride of 0 repeats along its dimension. Several views share a storage: that is how Concat, Split, Reshape and
 * Transpose cost nothing.
 */
public record View(int storage, long offset, int[] dims, long[] strides) {
    public View {
        if (dims.length != strides.length) {
            throw new IllegalArgumentException(dims.length + " dims, " + strides.length + " strides");
        }
    }

    /** A view of a whole storage with the dimensions nested in this order, outermost first. */
    public static View dense(int storage, int[] dims, int[] order) {
        return new View(storage, 0, dims, denseStrides(dims, order));
    }

    public static long[] denseStrides(int[] dims, int[] order) {
        long[] strides = new long[dims.length];
        long step = 1;
        for (int i = order.length - 1; i >= 0; i--) {
            strides[order[i]] = step;
            step *= dims[order[i]];
        }
        return strides;
    }

    public static int[] rowMajor(int rank) {
        int[] order = new int[rank];
        Arrays.setAll(order, i -> i);
        return order;
    }

    /** Batch, rows, columns, channels for an image; the channels innermost for other ranks of 3 and more too. */
    public static int[] channelsLast(int rank) {
        int[] order = rowMajor(rank);
        if (rank == 4) {
            return new int[] {0, 2, 3, 1};
        }
        return order;
    }

    public int rank() {
        return dims.length;
    }

    /** Whether pixels are runs of channels that do not overlap: what image operations read and write. */
    public boolean channelsInnermost() {
        if (rank() != 4) {
            return false;
        }
        return (dims[0] == 1 || strides[0] >= 0) && (dims[1] == 1 || strides[1] == 1)
                && (dims[2] == 1 || strides[2] >= dims[1]) && (dims[3] == 1 || strides[3] >= dims[1]);
    }

    /** Offsets of the first and the last element that the view reaches in its storage; strides may be negative. */
    public record Reach(long first, long last) {}

    /**
     * What the view reaches.
     *
     * @throws ArithmeticException if that exceeds 64 bits
     */
    public Reach reach() {
        long first = offset;
        long last = offset;
        for (int d = 0; d < rank(); d++) {
            long distance = Math.multiplyExact(dims[d] - 1L, strides[d]);
            first = Math.addExact(first, Math.min(0, distance));
            last = Math.addExact(last, Math.max(0, distance));
        }
        return new Reach(first, last);
    }

    /** Whether a stride is negative along a dimension that has steps, as a Slice backwards gives. */
    public boolean isBackwards() {
        for (int d = 0; d < rank(); d++) {
            if (dims[d] > 1 && strides[d] < 0) {
                return true;
            }
        }
        return false;
    }

    public long elements() {
        long n = 1;
        for (int d : dims) {
            n *= d;
        }
        return n;
    }

    /** The order in which the dimensions are nested in memory, outermost first. */
    public int[] order() {
        return Arrays.stream(rowMajor(rank()))
                .boxed()
                .sorted(Comparator.comparingLong((Integer d) -> dims[d] == 1 ? Long.MIN_VALUE : -strides[d])
                        .thenComparing(d -> d))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /**
     * The part of {@code length} indices from {@code start} along an axis.
     *
     * @throws IndexOutOfBoundsException if one of the indices is not there
     */
    public View slice(int axis, long start, int length, long step) {
        // With a single element the step is never taken, and it may be huge.
        long taken = length == 1 ? 1 : step;
        Objects.checkIndex(start, (long) dims[axis]);
        Objects.checkIndex(Math.addExact(start, Math.multiplyExact(length - 1L, taken)), (long) dims[axis]);
        int[] newDims = dims.clone();
        long[] newStrides = strides.clone();
        newDims[axis] = length;
        newStrides[axis] = Math.multiplyExact(strides[axis], taken);
        return new View(storage, offset + start * strides[axis], newDims, newStrides);
    }

    /** The view with dimension {@code permutation[d]} at place d. */
    public View transpose(int[] permutation) {
        int[] newDims = new int[rank()];
        long[] newStrides = new long[rank()];
        for (int d = 0; d < rank(); d++) {
            newDims[d] = dims[permutation[d]];
            newStrides[d] = strides[permutation[d]];
        }
        return new View(storage, offset, newDims, newStrides);
    }

    /** The same elements under other dimensions of equal product, or nothing if that needs a copy. */
    public Optional<View> reshape(int[] newDims) {
        // Group runs of old and new dimensions of equal product; inside a group the old ones must nest without gaps.
        List<int[]> old = new ArrayList<>();
        for (int d = 0; d < rank(); d++) {
            if (dims[d] != 1) {
                old.add(new int[] {d});
            }
        }
        long[] newStrides = new long[newDims.length];
        int from = 0;
        int to = 0;
        while (to < newDims.length) {
            if (newDims[to] == 1) {
                to++;
                continue;
            }
            if (from >= old.size()) {
                return Optional.empty();
            }
            int firstOld = from;
            int firstNew = to;
            long oldProduct = dims[old.get(from++)[0]];
            long newProduct = newDims[to++];
            while (oldProduct != newProduct) {
                if (oldProduct < newProduct) {
                    oldProduct *= dims[old.get(from++)[0]];
                } else {
                    newProduct *= newDims[to++];
                }
            }
            for (int k = firstOld; k + 1 < from; k++) {
                int outer = old.get(k)[0];
                int inner = old.get(k + 1)[0];
                if (strides[outer] != dims[inner] * strides[inner]) {
                    return Optional.empty();
                }
            }
            long step = strides[old.get(from - 1)[0]];
            for (int k = to - 1; k >= firstNew; k--) {
                newStrides[k] = step;
                step *= newDims[k];
            }
        }
        return Optional.of(new View(storage, offset, newDims, newStrides));
    }

    /**
     * The view broadcast to more or larger dimensions, as NumPy does.
     *
     * @throws IllegalArgumentException if a dimension is neither 1 nor as large as it is to be
     */
    public View broadcast(int[] newDims) {
        if (newDims.length < rank()) {
            throw new IllegalArgumentException(rank() + " dimensions do not repeat to " + newDims.length);
        }
        long[] newStrides = new long[newDims.length];
        int shift = newDims.length - rank();
        for (int d = 0; d < rank(); d++) {
            if (dims[d] != 1 && dims[d] != newDims[d + shift]) {
                throw new IllegalArgumentException("a size of " + dims[d] + " does not repeat to "
                        + newDims[d + shift]);
            }
            newStrides[d + shift] = dims[d] == 1 ? 0 : strides[d];
        }
        return new View(storage, offset, newDims, newStrides);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof View v
                && storage == v.storage
                && offset == v.offset
                && Arrays.equals(dims, v.dims)
                && Arrays.equals(strides, v.strides);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * storage + Long.hashCode(offset)) + Arrays.hashCode(dims);
    }

    @Override
    public String toString() {
        return "storage " + storage + "+" + offset + Arrays.toString(dims) + "/" + Arrays.toString(strides);
    }
}
