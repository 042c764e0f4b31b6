package dev.shrike.graph.quantization;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import java.util.Arrays;

/**
 * Codes that a graph makes, as it writes them down.
 *
 * @param value the floats that they were made of
 * @param written how, by scale, zero point and the type of the codes
 * @param low the lowest code that is left of them
 * @param high the highest one
 */
public record RoundedCodes(String value, Quantization written, int low, int high) {
    public RoundedCodes(String value, Quantization written) {
        this(value, written, written.minCode(), written.maxCode());
    }

    /** The same floats by codes of as few bits as these take; as written where no range of bits is that narrow. */
    public Quantization narrowed() {
        int count = high - low + 1;
        int bits = 32 - Integer.numberOfLeadingZeros(count);
        boolean whole = count > 1 && Integer.bitCount(count) == 1;
        bits = whole ? bits - 1 : bits;
        boolean narrow = !whole && Integer.bitCount(count + 1) == 1;
        if (written.bipolar() || bits >= written.bits() && !narrow || bits < 2 || !whole && !narrow) {
            return written;
        }
        if (written.signed() && high == (1 << bits - 1) - 1) {
            return new Quantization(written.scale(), written.zeroPoint(), bits, true, narrow, written.axis());
        }
        long[] zeros = Arrays.stream(written.zeroPoint().toLongs()).map(zero -> zero - low).toArray();
        Tensor zero = Tensor.of(DataType.INT32, written.zeroPoint().shape(), zeros);
        return new Quantization(written.scale(), zero, bits, false, narrow, written.axis());
    }

    public boolean isWhole() {
        return low == written.minCode() && high == written.maxCode();
    }

    public boolean isLike(RoundedCodes other) {
        return written.isSameAs(other.written) && low == other.low && high == other.high;
    }
}
