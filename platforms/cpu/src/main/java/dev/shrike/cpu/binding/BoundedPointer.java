package dev.shrike.cpu.binding;

import java.lang.foreign.MemorySegment;

/**
 * An address for native code, with what of its buffer lies around it: {@code shrike_bounds} of {@code shrike.h}.
 *
 * @param before bytes of the buffer in front of the address
 * @param after bytes of the buffer from the address on
 */
public record BoundedPointer(long address, long before, long after) {
    /** The start of a buffer. */
    public static BoundedPointer to(MemorySegment buffer) {
        return new BoundedPointer(buffer.address(), 0, buffer.byteSize());
    }

    /** An address that should be within a buffer; if it is not, bounds say so and native code refuses it. */
    public static BoundedPointer into(MemorySegment buffer, long address) {
        long before = address - buffer.address();
        return new BoundedPointer(address, before, buffer.byteSize() - before);
    }
}
