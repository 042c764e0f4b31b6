package dev.shrike.cpu;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.lang.foreign.MemorySegment;

/** Codes of 1 to 8 bits without gaps: code i at bit {@code i * bits}, the lowest bit of a byte first. */
final class BitPacking {
    private BitPacking() {}

    /** The codes of a tensor. */
    static byte[] pack(Tensor tensor, CodeRange range) {
        int n = Math.toIntExact(tensor.elements());
        int bits = range.bits();
        byte[] packed = new byte[Math.toIntExact(Math.ceilDiv((long) n * bits, 8))];
        int waiting = 0;
        int count = 0;
        int at = 0;
        for (int i = 0; i < n; i++) {
            waiting |= range.code(tensor.longAt(i)) << count;
            count += bits;
            if (count >= 8) {
                packed[at++] = (byte) waiting;
                waiting >>>= 8;
                count -= 8;
            }
        }
        if (count > 0) {
            packed[at] = (byte) waiting;
        }
        return packed;
    }

    /** The tensor of these codes; there are as many as the shape has elements. */
    static Tensor unpack(byte[] packed, CodeRange range, DataType type, Shape shape) {
        int n = Math.toIntExact(shape.elements());
        if (type == DataType.INT8 || type == DataType.UINT8) {
            byte[] values = new byte[n];
            byte[] table = new byte[1 << range.bits()];
            for (int code = 0; code < table.length; code++) {
                table[code] = (byte) range.value(code);
            }
            forEach(packed, range.bits(), n, (i, code) -> values[i] = table[code]);
            return new Tensor(type, shape, MemorySegment.ofArray(values));
        }
        long[] values = new long[n];
        forEach(packed, range.bits(), n, (i, code) -> values[i] = range.value(code));
        return Tensor.of(type, shape, values);
    }

    @FunctionalInterface
    private interface Sink {
        void put(int index, int code);
    }

    private static void forEach(byte[] packed, int bits, int n, Sink sink) {
        int mask = (1 << bits) - 1;
        int waiting = 0;
        int count = 0;
        int at = 0;
        for (int i = 0; i < n; i++) {
            if (count < bits) {
                waiting |= (packed[at++] & 0xff) << count;
                count += 8;
            }
            sink.put(i, waiting & mask);
            waiting >>>= bits;
            count -= bits;
        }
    }
}
