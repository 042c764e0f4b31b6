package dev.shrike.files;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Objects;

/**
 * Bytes of files, read into memory. Model files are not mapped: where somebody cuts a mapped file off, a native
 * function that reads it, such as zlib's, ends the process by a signal.
 */
public final class FileContents {
    /** The longest array that every JVM allows. */
    private static final long LONGEST_ARRAY = Integer.MAX_VALUE - 8L;
    private static final int PIECE = 1 << 20;

    private FileContents() {}

    /**
     * A copy of {@code size} bytes from {@code offset} on, which nothing that happens to the file can change. Up to 2
     * GiB lie in the Java heap, more outside of it, to be freed with the segment.
     *
     * @throws EOFException if the file ends before
     * @throws OutOfMemoryError if there is no room for it
     */
    public static MemorySegment read(FileChannel channel, long offset, long size) throws IOException {
        Objects.checkFromIndexSize(offset, size, Long.MAX_VALUE);
        if (size > channel.size() - offset) {
            // Said before memory is taken: what a file says of another one need not be true.
            throw new EOFException(ended(channel, offset, size));
        }
        MemorySegment bytes = size <= LONGEST_ARRAY
                ? MemorySegment.ofArray(new byte[(int) size]) : Arena.ofAuto().allocate(size);
        long at = 0;
        while (at < size) {
            ByteBuffer piece = bytes.asSlice(at, Math.min(PIECE, size - at)).asByteBuffer();
            int count = channel.read(piece, offset + at);
            if (count < 0) {
                throw new EOFException(ended(channel, offset, size));
            }
            at += count;
        }
        return bytes;
    }

    private static String ended(FileChannel channel, long offset, long size) throws IOException {
        return "it has " + channel.size() + " bytes, " + size + " from byte " + offset + " on were to be read";
    }
}
