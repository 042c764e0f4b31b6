package dev.shrike.onnx;

import com.google.protobuf.ByteString;
import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.onnx.proto.Onnx.TensorProto;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.stream.Collectors;

/** Tensors of a file in any of ONNX's encodings. Raw and external data are not copied. */
final class TensorReader {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int LARGEST_RANK = 64;

    private final ExternalData external;

    TensorReader(ExternalData external) {
        this.external = external;
    }

    /** The tensor; {@code what} names it in messages. */
    Tensor read(TensorProto proto, String what) {
        if (proto.hasSegment()) {
            throw new UnsupportedModelException(what + " is stored in segments; save the model again with a current"
                    + " version of the exporter");
        }
        DataType type = type(proto.getDataType(), what);
        Shape shape = shape(proto, what);
        long elements;
        long bytes;
        try {
            elements = shape.elements();
            bytes = type.bytes(elements);
        } catch (ArithmeticException e) {
            throw new ModelException(what + ": the number of elements of " + shape + " overflows", e);
        }
        return new Tensor(type, shape, data(proto, type, elements, bytes, what));
    }

    /** The element type with this number in ONNX. */
    static DataType type(int code, String what) {
        for (DataType type : DataType.values()) {
            if (type.onnxCode() == code) {
                return type;
            }
        }
        String name = nameOf(code);
        if (name.isEmpty()) {
            throw new ModelException(what + " has the element type " + code + ", which ONNX does not define");
        }
        throw new UnsupportedModelException(what + " has the element type " + name + ", which Shrike does not support;"
                + " export the model with one of "
                + Arrays.stream(DataType.values()).map(DataType::name).collect(Collectors.joining(", ")));
    }

    /** Complains about more dimensions than any network has: a hostile file may name millions. */
    static void checkRank(int rank, String what) {
        if (rank > LARGEST_RANK) {
            throw new ModelException(what + " has " + rank + " dimensions, at most " + LARGEST_RANK + " are allowed");
        }
    }

    private static String nameOf(int code) {
        return switch (code) {
            case 8 -> "STRING";
            case 12 -> "UINT32";
            case 13 -> "UINT64";
            case 14 -> "COMPLEX64";
            case 15 -> "COMPLEX128";
            case 16 -> "BFLOAT16";
            case 17, 18, 19, 20 -> "FLOAT8";
            case 23 -> "FLOAT4";
            case 24 -> "FLOAT8";
            case 25, 26 -> "INT2";
            default -> "";
        };
    }

    private static Shape shape(TensorProto proto, String what) {
        checkRank(proto.getDimsCount(), what);
        for (long dim : proto.getDimsList()) {
            if (dim < 0) {
                throw new ModelException(what + " has the negative dimension " + dim + " in " + proto.getDimsList());
            }
        }
        return new Shape(proto.getDimsList());
    }

    private MemorySegment data(TensorProto proto, DataType type, long elements, long bytes, String what) {
        if (proto.getDataLocation() == TensorProto.DataLocation.EXTERNAL) {
            return external.data(proto, bytes, what);
        }
        if (proto.hasRawData()) {
            ByteString raw = proto.getRawData();
            checkSize(raw.size(), bytes, "bytes of raw_data", type, proto, what);
            return MemorySegment.ofBuffer(raw.asReadOnlyByteBuffer());
        }
        return switch (type) {
            case FLOAT32 -> floats(proto, elements, what);
            case FLOAT64 -> doubles(proto, elements, what);
            case INT64 -> longs(proto, elements, what);
            case INT32, INT16, UINT16, INT8, UINT8, BOOL, FLOAT16, INT4, UINT4 ->
                integers(proto, type, elements, bytes, what);
        };
    }

    private static MemorySegment floats(TensorProto proto, long elements, String what) {
        checkSize(proto.getFloatDataCount(), elements, "values of float_data", DataType.FLOAT32, proto, what);
        byte[] bytes = new byte[Math.toIntExact(4 * elements)];
        MemorySegment segment = MemorySegment.ofArray(bytes);
        for (int i = 0; i < elements; i++) {
            segment.set(INT, 4L * i, Float.floatToRawIntBits(proto.getFloatData(i)));
        }
        return segment;
    }

    private static MemorySegment doubles(TensorProto proto, long elements, String what) {
        checkSize(proto.getDoubleDataCount(), elements, "values of double_data", DataType.FLOAT64, proto, what);
        MemorySegment segment = MemorySegment.ofArray(new byte[Math.toIntExact(8 * elements)]);
        for (int i = 0; i < elements; i++) {
            segment.set(LONG, 8L * i, Double.doubleToRawLongBits(proto.getDoubleData(i)));
        }
        return segment;
    }

    private static MemorySegment longs(TensorProto proto, long elements, String what) {
        checkSize(proto.getInt64DataCount(), elements, "values of int64_data", DataType.INT64, proto, what);
        MemorySegment segment = MemorySegment.ofArray(new byte[Math.toIntExact(8 * elements)]);
        for (int i = 0; i < elements; i++) {
            segment.set(LONG, 8L * i, proto.getInt64Data(i));
        }
        return segment;
    }

    // int32_data also holds all narrower types, one value an entry; of the four-bit types a pair an entry.
    private static MemorySegment integers(TensorProto proto, DataType type, long elements, long bytes, String what) {
        long entries = type.bits() == 4 ? bytes : elements;
        checkSize(proto.getInt32DataCount(), entries, "values of int32_data", type, proto, what);
        byte[] array = new byte[Math.toIntExact(bytes)];
        MemorySegment segment = MemorySegment.ofArray(array);
        for (int i = 0; i < entries; i++) {
            int value = proto.getInt32Data(i);
            switch (type.bits()) {
                case 32 -> segment.set(INT, 4L * i, value);
                case 16 -> segment.set(SHORT, 2L * i, (short) value);
                default -> array[i] = (byte) value;
            }
        }
        return segment;
    }

    private static void checkSize(
            long got, long wanted, String unit, DataType type, TensorProto proto, String what) {
        if (got != wanted) {
            throw new ModelException(what + " is " + type + proto.getDimsList() + " and needs " + wanted + " " + unit
                    + ", the file holds " + got);
        }
    }
}
