package dev.shrike.graph;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Objects;

/** A constant: elements in row-major order without gaps, little-endian, read-only. */
public final class Tensor {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final DataType type;
    private final Shape shape;
    private final MemorySegment data;
    private final long elements;

    /**
     * A tensor over bytes that must not change afterwards.
     *
     * @param data exactly {@code type.bytes(shape.elements())} bytes
     * @throws IllegalArgumentException if the shape is open or the size differs
     */
    public Tensor(DataType type, Shape shape, MemorySegment data) {
        this.type = Objects.requireNonNull(type, "type");
        this.shape = Objects.requireNonNull(shape, "shape");
        if (!shape.isKnown()) {
            throw new IllegalArgumentException("a constant cannot have the open shape " + shape);
        }
        this.elements = shape.elements();
        if (data.byteSize() != type.bytes(elements)) {
            throw new IllegalArgumentException(type + shape.toString() + " needs " + type.bytes(elements)
                    + " bytes, got " + data.byteSize());
        }
        this.data = data.asReadOnly();
    }

    /** A float32 tensor that copies the values. */
    public static Tensor ofFloats(Shape shape, float... values) {
        byte[] bytes = new byte[Math.multiplyExact(values.length, 4)];
        MemorySegment segment = MemorySegment.ofArray(bytes);
        for (int i = 0; i < values.length; i++) {
            segment.set(FLOAT, 4L * i, values[i]);
        }
        return new Tensor(DataType.FLOAT32, shape, segment);
    }

    /** An int64 tensor that copies the values. */
    public static Tensor ofLongs(Shape shape, long... values) {
        return of(DataType.INT64, shape, values);
    }

    /** A float32 scalar. */
    public static Tensor scalar(float value) {
        return ofFloats(Shape.of(), value);
    }

    /** An int64 vector. */
    public static Tensor vector(long... values) {
        return ofLongs(Shape.of(values.length), values);
    }

    /** A tensor of an integer or boolean type; values are cut to the type's bits. */
    public static Tensor of(DataType type, Shape shape, long... values) {
        byte[] bytes = new byte[Math.toIntExact(type.bytes(values.length))];
        MemorySegment segment = MemorySegment.ofArray(bytes);
        for (int i = 0; i < values.length; i++) {
            switch (type) {
                case INT64 -> segment.set(LONG, 8L * i, values[i]);
                case INT32 -> segment.set(INT, 4L * i, (int) values[i]);
                case INT16, UINT16 -> segment.set(SHORT, 2L * i, (short) values[i]);
                case INT8, UINT8 -> bytes[i] = (byte) values[i];
                case BOOL -> bytes[i] = (byte) (values[i] != 0 ? 1 : 0);
                case INT4, UINT4 -> bytes[i / 2] |= (byte) ((values[i] & 15) << (4 * (i & 1)));
                case FLOAT32, FLOAT16, FLOAT64 ->
                    throw new IllegalArgumentException(type + " is not an integer type");
            }
        }
        return new Tensor(type, shape, segment);
    }

    public DataType type() {
        return type;
    }

    public Shape shape() {
        return shape;
    }

    /** Number of elements. */
    public long elements() {
        return elements;
    }

    /** The bytes, read-only. */
    public MemorySegment data() {
        return data;
    }

    /** Element {@code index} in row-major order, as a double; 64-bit integers lose bits beyond 2^53. */
    public double doubleAt(long index) {
        return switch (type) {
            case FLOAT32 -> data.get(FLOAT, 4 * index);
            case FLOAT16 -> Float.float16ToFloat(data.get(SHORT, 2 * index));
            case FLOAT64 -> data.get(DOUBLE, 8 * index);
            case INT64, INT32, INT16, UINT16, INT8, UINT8, BOOL, INT4, UINT4 -> longAt(index);
        };
    }

    /** Element {@code index} in row-major order, as a float. */
    public float floatAt(long index) {
        return (float) doubleAt(index);
    }

    /** Element {@code index} in row-major order as an integer; floating-point values are truncated towards zero. */
    public long longAt(long index) {
        return switch (type) {
            case INT64 -> data.get(LONG, 8 * index);
            case INT32 -> data.get(INT, 4 * index);
            case INT16 -> data.get(SHORT, 2 * index);
            case UINT16 -> data.get(SHORT, 2 * index) & 0xffff;
            case INT8 -> data.get(ValueLayout.JAVA_BYTE, index);
            case UINT8 -> data.get(ValueLayout.JAVA_BYTE, index) & 0xff;
            case BOOL -> data.get(ValueLayout.JAVA_BYTE, index) != 0 ? 1 : 0;
            case UINT4 -> (data.get(ValueLayout.JAVA_BYTE, index / 2) >> (4 * (index & 1))) & 15;
            case INT4 -> ((data.get(ValueLayout.JAVA_BYTE, index / 2) >> (4 * (index & 1))) & 15 ^ 8) - 8;
            case FLOAT32, FLOAT16, FLOAT64 -> (long) doubleAt(index);
        };
    }

    /** All elements as floats. */
    public float[] toFloats() {
        float[] values = new float[Math.toIntExact(elements)];
        for (int i = 0; i < values.length; i++) {
            values[i] = floatAt(i);
        }
        return values;
    }

    /** All elements as integers. */
    public long[] toLongs() {
        long[] values = new long[Math.toIntExact(elements)];
        for (int i = 0; i < values.length; i++) {
            values[i] = longAt(i);
        }
        return values;
    }

    /** The same elements under another shape of as many elements. */
    public Tensor reshaped(Shape other) {
        return new Tensor(type, other, data);
    }

    @Override
    public String toString() {
        return type + shape.toString();
    }
}
