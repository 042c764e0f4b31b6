package dev.shrike.graph;

/** Element types of tensors, a subset of ONNX {@code TensorProto.DataType}. Multi-byte elements are little-endian. */
public enum DataType {
    FLOAT32(1, 32),
    UINT8(2, 8),
    INT8(3, 8),
    UINT16(4, 16),
    INT16(5, 16),
    INT32(6, 32),
    INT64(7, 64),
    BOOL(9, 8),
    FLOAT16(10, 16),
    FLOAT64(11, 64),
    /** Two codes a byte, the first in the low half. */
    UINT4(21, 4),
    /** Two codes a byte, the first in the low half, two's complement. */
    INT4(22, 4);

    private final int onnxCode;
    private final int bits;

    DataType(int onnxCode, int bits) {
        this.onnxCode = onnxCode;
        this.bits = bits;
    }

    /** The number of this type in ONNX {@code TensorProto.DataType}. */
    public int onnxCode() {
        return onnxCode;
    }

    /** Bits of one element. */
    public int bits() {
        return bits;
    }

    /** Bytes of that many elements, rounded up. */
    public long bytes(long elements) {
        return Math.ceilDiv(Math.multiplyExact(elements, (long) bits), 8);
    }

    /** Whether the type is a floating-point one. */
    public boolean isFloating() {
        return this == FLOAT32 || this == FLOAT16 || this == FLOAT64;
    }
}
