package dev.shrike.cpu.file;

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
            unpack(packed, range.bits(), table, values);
            return new Tensor(type, shape, MemorySegment.ofArray(values));
        }
        byte[] identity = new byte[1 << range.bits()];
        for (int code = 0; code < identity.length; code++) {
            identity[code] = (byte) code;
        }
        byte[] codes = new byte[n];
        unpack(packed, range.bits(), identity, codes);
        long[] values = new long[n];
        for (int i = 0; i < n; i++) {
            values[i] = range.value(codes[i] & 0xff);
        }
        return Tensor.of(type, shape, values);
    }

    /** Writes what the table says of each code. Called while the JVM still interprets, so it is one plain loop. */
    private static void unpack(byte[] packed, int bits, byte[] table, byte[] values) {
        int mask = (1 << bits) - 1;
        int waiting = 0;
        int count = 0;
        int at = 0;
        for (int i = 0; i < values.length; i++) {
            if (count < bits) {
                waiting |= (packed[at++] & 0xff) << count;
                count += 8;
            }
            values[i] = table[waiting & mask];
            waiting >>>= bits;
            count -= bits;
        }
    }
}
