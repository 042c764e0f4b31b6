package dev.shrike.vision;

import java.util.Arrays;
import java.util.HexFormat;

/** A Huffman table of a JPEG (ITU-T T.81, annex C): symbols of 1 to 16 bits. */
final class JpegHuffmanTable {
    /** Codes of up to so many bits are found in one step. */
    private static final int QUICK_BITS = 9;
    private static final int LONGEST = 16;

    private final byte[] symbols;
    /** By the next {@link #QUICK_BITS} bits: length of the code in the upper byte, symbol in the lower; 0 if longer. */
    private final short[] quick = new short[1 << QUICK_BITS];
    /** By length: the largest code, shifted to the upper end of 16 bits and filled with ones; -1 for none. */
    private final int[] largest = new int[LONGEST + 1];
    /** By length: what is to be added to a code to have the place of its symbol. */
    private final int[] offset = new int[LONGEST + 1];

    /**
     * The table with so many codes of each length.
     *
     * @param counts 16 numbers of codes, of 1 to 16 bits
     * @param symbols as many as there are codes, in their order
     * @throws IllegalArgumentException if there are more codes of a length than fit
     */
    JpegHuffmanTable(int[] counts, byte[] symbols) {
        this.symbols = symbols.clone();
        int code = 0;
        int at = 0;
        for (int length = 1; length <= LONGEST; length++) {
            int count = counts[length - 1];
            if (at + count > symbols.length || code + count > 1 << length) {
                throw new IllegalArgumentException(count + " codes of " + length + " bits do not fit");
            }
            offset[length] = at - code;
            largest[length] = count == 0 ? -1 : (code + count << LONGEST - length) - 1;
            for (int i = 0; i < count && length <= QUICK_BITS; i++) {
                int from = code + i << QUICK_BITS - length;
                short entry = (short) (length << 8 | symbols[at + i] & 0xff);
                Arrays.fill(quick, from, from + (1 << QUICK_BITS - length), entry);
            }
            at += count;
            code = code + count << 1;
        }
    }

    /** Length of the code that the 16 bits begin with in the upper byte, its symbol in the lower; 0 for none. */
    int find(int bits) {
        int found = quick[bits >>> LONGEST - QUICK_BITS];
        if (found != 0) {
            return found;
        }
        for (int length = QUICK_BITS + 1; length <= LONGEST; length++) {
            if (bits <= largest[length]) {
                int code = bits >>> LONGEST - length;
                return length << 8 | symbols[code + offset[length]] & 0xff;
            }
        }
        return 0;
    }

    /** Whether a symbol is larger. */
    boolean exceeds(int value) {
        for (byte symbol : symbols) {
            if ((symbol & 0xff) > value) {
                return true;
            }
        }
        return false;
    }

    /**
     * The usual tables (ITU-T T.81, K.3), which cameras that send JPEG frames leave out.
     *
     * @param ac whether for AC coefficients, else for DC ones
     * @param slot 0 for luminance, 1 for chrominance
     */
    static JpegHuffmanTable usual(boolean ac, int slot) {
        return ac ? Usual.AC[slot] : Usual.DC[slot];
    }

    /** Made on first use. */
    private static final class Usual {
        static final JpegHuffmanTable[] DC = {
                parse("00010501010101010100000000000000", "000102030405060708090a0b"),
                parse("00030101010101010101010000000000", "000102030405060708090a0b")};
        static final JpegHuffmanTable[] AC = {
                parse("0002010303020403050504040000017d", """
                        01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a
                        25262728292a3435363738393a434445464748494a535455565758595a636465666768696a73747576777879
                        7a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9
                        cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"""),
                parse("00020102040403040705040400010277", """
                        000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f117
                        18191a262728292a35363738393a434445464748494a535455565758595a636465666768696a737475767778
                        797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7
                        c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa""")};

        private static JpegHuffmanTable parse(String counts, String symbols) {
            byte[] numbers = HexFormat.of().parseHex(counts);
            int[] wide = new int[numbers.length];
            for (int i = 0; i < wide.length; i++) {
                wide[i] = numbers[i] & 0xff;
            }
            return new JpegHuffmanTable(wide, HexFormat.of().parseHex(symbols.replaceAll("\\s", "")));
        }
    }
}
