package dev.shrike.graph;

/** Row-major index arithmetic of the reference evaluator. */
public final class Indices {
    private Indices() {}

    /** For every element of {@code target} in row-major order: offset plus the sum of coordinate times stride. */
    public static int[] strided(Shape target, long[] strides, long offset) {
        int[] result = new int[Math.toIntExact(target.elements())];
        if (result.length == 0) {
            return result;
        }
        int rank = target.rank();
        long[] coordinates = new long[rank];
        long index = offset;
        for (int i = 0; i < result.length; i++) {
            result[i] = Math.toIntExact(index);
            for (int d = rank - 1; d >= 0; d--) {
                index += strides[d];
                if (++coordinates[d] < target.dim(d)) {
                    break;
                }
                index -= strides[d] * coordinates[d];
                coordinates[d] = 0;
            }
        }
        return result;
    }

    /** Distance in elements between neighbours along each dimension. */
    public static long[] strides(Shape shape) {
        long[] strides = new long[shape.rank()];
        long stride = 1;
        for (int i = shape.rank() - 1; i >= 0; i--) {
            strides[i] = stride;
            stride *= shape.dim(i);
        }
        return strides;
    }

    /** Product of the dimensions from {@code from} up to but not including {@code to}. */
    public static int product(Shape shape, int from, int to) {
        long product = 1;
        for (int i = from; i < to; i++) {
            product = Math.multiplyExact(product, shape.dim(i));
        }
        return Math.toIntExact(product);
    }
}
