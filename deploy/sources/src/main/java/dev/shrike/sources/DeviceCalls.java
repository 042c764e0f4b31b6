package dev.shrike.sources;

import java.lang.foreign.MemorySegment;

/** Calls of the kernel on devices. Each returns what the C function does, or the negated error number. */
interface DeviceCalls {
    /** Opens for reading and writing, without waiting. */
    int open(String path);

    int close(int descriptor);

    /** @param argument the structure of the request */
    int ioctl(int descriptor, long request, MemorySegment argument);

    /** Address of the mapping, or the negated error number. */
    long map(int descriptor, long length, long offset);

    int unmap(long address, long length);

    /** Waits until something can be read: the events, 0 when the time is over. */
    int poll(int descriptor, int millis);
}
