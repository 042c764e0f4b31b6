package dev.shrike.cpu.file;

import java.util.Arrays;

/**
 * Elements without the zeros: first a bit an element, element {@code i} at bit {@code i % 8} of byte {@code i / 8} and
 * 1 where the element is stored, unused bits 0; then the stored elements in their order. An element is left out if all
 * its bits are 0, so a negative zero is stored.
 */
final class ZeroPacking {
    private static final byte[] ZEROS = new byte[Long.BYTES];

    private ZeroPacking() {}

    /** Bytes that the elements take when packed. */
    static long size(byte[] elements, int width) {
        int n = elements.length / width;
        long stored = 0;
        for (int i = 0; i < n; i++) {
            stored += isZero(elements, i * width, width) ? 0 : 1;
        }
        return maskBytes(n) + stored * width;
    }

    /**
     * The packed elements.
     *
     * @param elements the elements one after the other
     * @param width bytes of an element
     */
    static byte[] pack(byte[] elements, int width) {
        int n = elements.length / width;
        byte[] packed = new byte[Math.toIntExact(size(elements, width))];
        int at = Math.toIntExact(maskBytes(n));
        for (int i = 0; i < n; i++) {
            if (!isZero(elements, i * width, width)) {
                packed[i >> 3] |= (byte) (1 << (i & 7));
                System.arraycopy(elements, i * width, packed, at, width);
                at += width;
            }
        }
        return packed;
    }

    /**
     * The elements; null if the bytes are not those of as many elements.
     *
     * @param packed what {@link #pack} gave
     * @param n number of elements
     * @param width bytes of an element; {@code n * width} is at most {@link Integer#MAX_VALUE}
     */
    static byte[] unpack(byte[] packed, int n, int width) {
        int maskBytes = Math.toIntExact(maskBytes(n));
        if (packed.length < maskBytes) {
            return null;
        }
        long stored = 0;
        for (int i = 0; i < maskBytes; i++) {
            stored += Integer.bitCount(packed[i] & 0xff);
        }
        boolean unusedBits = (n & 7) != 0 && (packed[maskBytes - 1] & 0xff) >>> (n & 7) != 0;
        if (unusedBits || maskBytes + stored * width != packed.length) {
            return null;
        }
        byte[] elements = new byte[n * width];
        int at = maskBytes;
        for (int i = 0; i < n; i++) {
            if ((packed[i >> 3] >> (i & 7) & 1) != 0) {
                for (int b = 0; b < width; b++) {
                    elements[i * width + b] = packed[at++];
                }
            }
        }
        return elements;
    }

    private static long maskBytes(long n) {
        return Math.ceilDiv(n, 8L);
    }

    private static boolean isZero(byte[] elements, int at, int width) {
        return Arrays.equals(elements, at, at + width, ZEROS, 0, width);
    }
}
