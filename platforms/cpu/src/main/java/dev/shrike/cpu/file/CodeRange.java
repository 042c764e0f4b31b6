package dev.shrike.cpu.file;

import dev.shrike.graph.Tensor;

/**
 * Integers as {@code low + step * code} with codes from 0.
 *
 * @param low the integer of code 0
 * @param step distance of neighbouring codes
 * @param bits bits of a code
 */
record CodeRange(long low, long step, int bits) {
    /** The narrowest range that holds all elements of a tensor of integers; null for other tensors or too wide ones. */
    static CodeRange of(Tensor tensor) {
        long n = tensor.elements();
        if (tensor.type().isFloating() || n == 0 || n > Integer.MAX_VALUE - 8) {
            return null;
        }
        long low = tensor.longAt(0);
        long high = low;
        for (long i = 1; i < n; i++) {
            long value = tensor.longAt(i);
            low = Math.min(low, value);
            high = Math.max(high, value);
        }
        // Beyond that no step that occurs in practice brings the codes down to a byte; it also keeps sums in bounds.
        if (high - low < 0 || high - low > Integer.MAX_VALUE) {
            return null;
        }
        long step = 0;
        for (long i = 0; i < n && step != 1; i++) {
            step = gcd(step, tensor.longAt(i) - low);
        }
        step = Math.max(step, 1);
        int bits = Math.max(1, Long.SIZE - Long.numberOfLeadingZeros((high - low) / step));
        return new CodeRange(low, step, bits);
    }

    private static long gcd(long a, long b) {
        while (b != 0) {
            long rest = a % b;
            a = b;
            b = rest;
        }
        return a;
    }

    /** The integer of a code. */
    long value(int code) {
        return low + step * code;
    }

    /** The code of an integer of the range. */
    int code(long value) {
        return (int) ((value - low) / step);
    }
}
