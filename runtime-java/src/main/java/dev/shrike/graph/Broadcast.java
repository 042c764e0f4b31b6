package dev.shrike.graph;

/** NumPy broadcasting: shapes are aligned at their last dimension and a size of 1 is repeated. */
public final class Broadcast {
    private Broadcast() {}

    /** The common shape. An open dimension against a size other than 1 takes that size. */
    public static Shape shape(NodeView view, Shape a, Shape b) {
        int rank = Math.max(a.rank(), b.rank());
        long[] dims = new long[rank];
        for (int i = 0; i < rank; i++) {
            long x = i < rank - a.rank() ? 1 : a.dim(i - (rank - a.rank()));
            long y = i < rank - b.rank() ? 1 : b.dim(i - (rank - b.rank()));
            dims[i] = dim(view, x, y, a, b);
        }
        return Shape.of(dims);
    }

    private static long dim(NodeView view, long x, long y, Shape a, Shape b) {
        if (x == y || y == 1) {
            return x;
        }
        if (x == 1 || x == Shape.OPEN) {
            return y;
        }
        if (y == Shape.OPEN) {
            return x;
        }
        throw view.mismatch("shapes " + a + " and " + b, "sizes that are equal or 1");
    }

    /**
     * For every element of {@code target} in row-major order, the index of the element of {@code source} that is
     * repeated there.
     */
    public static int[] indices(Shape source, Shape target) {
        long[] strides = new long[target.rank()];
        long stride = 1;
        int shift = target.rank() - source.rank();
        for (int i = source.rank() - 1; i >= 0; i--) {
            strides[i + shift] = source.dim(i) == 1 ? 0 : stride;
            stride *= source.dim(i);
        }
        return Indices.strided(target, strides, 0);
    }
}
