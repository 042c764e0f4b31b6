package dev.shrike.vision;

import dev.shrike.SourceException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * The bits of one scan's entropy-coded data (ITU-T T.81, F.2.2.5), without the zeros that are stuffed behind bytes of
 * ones, from one restart marker to the next.
 */
final class JpegScanBits {
    private static final VarHandle WORD =
            MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final int RESTART = 0xd0;
    /** Read beyond the end at most. */
    private static final int PADDING = 8;
    /** Bits that a decoder reads before it knows that they are no code. */
    private static final int NO_CODE = 17;

    private final EncodedBytes bytes;
    private final String lacking;
    private final String undecodable;
    private final long start;
    private final byte[] coded;
    private final byte[] plain;
    private final List<ImageHeader.Excess> excess = new ArrayList<>();
    /** Where the segment starts in the coded bytes, and where its marker is. */
    private int from;
    private int to = -2;
    private int restarts;
    private int length;
    private long position;
    private long limit;

    /**
     * Stands at the first bit.
     *
     * @param from first byte of the data
     * @param to the marker behind them, or the end of the file
     * @param lacking what to say where bits are missing
     * @param undecodable what to say where bits are no code
     */
    JpegScanBits(EncodedBytes bytes, long from, long to, String lacking, String undecodable) {
        this.bytes = bytes;
        this.lacking = lacking;
        this.undecodable = undecodable;
        this.start = from;
        coded = bytes.copy(from, Math.toIntExact(to - from));
        plain = new byte[coded.length + PADDING];
        load();
    }

    /** Goes on behind the next restart marker; bits that are left are none of any block. */
    void restart() {
        if (to >= coded.length) {
            throw bytes.truncated(lacking);
        }
        // RST0 to RST7 in turn (B.2.1): another one means that segments are missing or changed places.
        int number = coded[to + 1] & 0xff;
        if (number != RESTART + restarts) {
            throw bytes.damaged(undecodable + ": restart marker " + (number - RESTART) + " stands where " + restarts
                    + " belongs");
        }
        restarts = restarts + 1 & 7;
        close();
        load();
    }

    /** Ends the scan; all bytes that no block wanted. */
    List<ImageHeader.Excess> end() {
        close();
        while (to < coded.length) {
            // A segment that no block wants goes with the marker before it.
            int marker = to;
            load();
            excess.add(new ImageHeader.Excess(start + marker, start + to));
        }
        return excess;
    }

    private void close() {
        int used = (int) (position + 7 >>> 3);
        if (used < length) {
            excess.add(new ImageHeader.Excess(start + codedPosition(used), start + to));
        }
    }

    /** Position in the coded bytes of the plain byte of the present segment. */
    private int codedPosition(int plainPosition) {
        int at = from;
        for (int i = 0; i < plainPosition; i++) {
            boolean ones = coded[at] == -1;
            at++;
            if (ones) {
                while (coded[at] == -1) {
                    at++;
                }
                at++;
            }
        }
        return at;
    }

    /** Takes the next segment in, up to a restart marker or the end. */
    private void load() {
        from = to + 2;
        int at = from;
        int count = 0;
        while (at < coded.length) {
            byte value = coded[at];
            if (value == -1) {
                int code = at + 1;
                while (code < coded.length && coded[code] == -1) {
                    code++;
                }
                if (code >= coded.length || coded[code] != 0) {
                    // A marker: fill bytes before it belong to it.
                    at = code - 1;
                    break;
                }
                at = code;
            }
            plain[count++] = value;
            at++;
        }
        to = at + 1 < coded.length ? at : coded.length;
        length = count;
        for (int i = count; i < count + PADDING; i++) {
            plain[i] = 0;
        }
        position = 0;
        limit = 8L * count;
    }

    /** The next symbol, 0 to 255. */
    int symbol(JpegHuffmanTable table) {
        int found = table.find(peek());
        if (found == 0) {
            throw limit - position < NO_CODE ? bytes.truncated(lacking) : damaged();
        }
        skip(found >>> 8);
        return found & 0xff;
    }

    /** The next bits, up to 16. */
    int bits(int count) {
        int value = count == 0 ? 0 : peek() >>> 16 - count;
        skip(count);
        return value;
    }

    /** Passes over bits. */
    void skip(int count) {
        position += count;
        if (position > limit) {
            throw bytes.truncated(lacking);
        }
    }

    SourceException damaged() {
        return bytes.damaged(undecodable);
    }

    private int peek() {
        return (int) WORD.get(plain, (int) (position >>> 3)) << (position & 7) >>> 16;
    }
}
