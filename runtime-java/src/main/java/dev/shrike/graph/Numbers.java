package dev.shrike.graph;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Tensors as Java arrays and back: floating types as doubles, all others as longs. */
public final class Numbers {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Numbers() {}

    /** All elements as doubles. */
    public static double[] floats(Tensor tensor) {
        double[] values = new double[Math.toIntExact(tensor.elements())];
        if (tensor.type() == DataType.FLOAT32) {
            MemorySegment data = tensor.data();
            for (int i = 0; i < values.length; i++) {
                values[i] = data.get(FLOAT, 4L * i);
            }
            return values;
        }
        for (int i = 0; i < values.length; i++) {
            values[i] = tensor.doubleAt(i);
        }
        return values;
    }

    /** A tensor of a floating type; each value is rounded to it. */
    public static Tensor real(DataType type, Shape shape, double[] values) {
        byte[] bytes = new byte[Math.toIntExact(type.bytes(values.length))];
        MemorySegment data = MemorySegment.ofArray(bytes);
        switch (type) {
            case FLOAT32 -> {
                for (int i = 0; i < values.length; i++) {
                    data.set(FLOAT, 4L * i, (float) values[i]);
                }
            }
            case FLOAT16 -> {
                for (int i = 0; i < values.length; i++) {
                    data.set(SHORT, 2L * i, Float.floatToFloat16((float) values[i]));
                }
            }
            case FLOAT64 -> {
                for (int i = 0; i < values.length; i++) {
                    data.set(DOUBLE, 8L * i, values[i]);
                }
            }
            case UINT8, INT8, UINT16, INT16, INT32, INT64, BOOL, UINT4, INT4 ->
                throw new IllegalArgumentException(type + " is not a floating-point type");
        }
        return new Tensor(type, shape, data);
    }

    /** The tensor made of the elements at these indices; -1 takes {@code filler}'s only element instead. */
    public static Tensor take(Tensor source, Shape shape, int[] indices, Tensor filler) {
        if (source.type().isFloating()) {
            double[] from = floats(source);
            double fill = filler == null ? 0 : filler.doubleAt(0);
            double[] to = new double[indices.length];
            for (int i = 0; i < to.length; i++) {
                to[i] = indices[i] < 0 ? fill : from[indices[i]];
            }
            return real(source.type(), shape, to);
        }
        long[] from = source.toLongs();
        long fill = filler == null ? 0 : filler.longAt(0);
        long[] to = new long[indices.length];
        for (int i = 0; i < to.length; i++) {
            to[i] = indices[i] < 0 ? fill : from[indices[i]];
        }
        return Tensor.of(source.type(), shape, to);
    }

    /** The tensor made of the elements at these indices. */
    public static Tensor take(Tensor source, Shape shape, int[] indices) {
        return take(source, shape, indices, null);
    }

    /** The tensor repeated to a shape that it broadcasts to. */
    public static Tensor expand(Tensor source, Shape shape) {
        return source.shape().equals(shape) ? source : take(source, shape, Broadcast.indices(source.shape(), shape));
    }

    /** The tensor with its elements converted as ONNX Cast does: towards zero, non-zero is true. */
    public static Tensor cast(Tensor source, DataType to) {
        if (source.type() == to) {
            return source;
        }
        if (to.isFloating()) {
            return real(to, source.shape(), floats(source));
        }
        long[] values = new long[Math.toIntExact(source.elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = to == DataType.BOOL && source.type().isFloating()
                    ? (source.doubleAt(i) != 0 ? 1 : 0) : source.longAt(i);
        }
        return Tensor.of(to, source.shape(), values);
    }
}
