package dev.shrike.calibration.activations;

import dev.shrike.DeviceException;
import dev.shrike.files.Interrupts;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** Bytes of one value on all images, which are written and read a part at a time. The owner closes it. */
sealed interface Storage extends AutoCloseable {
    /** Bytes of all parts. */
    long size();

    /** Memory to fill for the part from {@code at} on; {@link #keep} makes it last. */
    MemorySegment begin(long at, long count);

    /** Keeps what {@link #begin} gave and was filled since. */
    void keep(long at, MemorySegment part);

    /** The part from {@code at} on; valid until the next call of any method. */
    MemorySegment load(long at, long count);

    @Override
    void close();

    /** Bytes in memory. */
    record Memory(Arena arena, MemorySegment memory, long size) implements Storage {
        static Memory of(long size) {
            Arena arena = Arena.ofShared();
            try {
                return new Memory(arena, arena.allocate(Math.max(1, size), 64), size);
            } catch (OutOfMemoryError e) {
                arena.close();
                throw e;
            }
        }

        @Override
        public MemorySegment begin(long at, long count) {
            return memory.asSlice(at, count);
        }

        @Override
        public void keep(long at, MemorySegment part) {
            // It is where it stays.
        }

        @Override
        public MemorySegment load(long at, long count) {
            return memory.asSlice(at, count);
        }

        @Override
        public void close() {
            arena.close();
        }
    }

    /**
     * Bytes in a file, through a buffer of one part. Not a mapped file: its pages would count as memory of the process,
     * and a full disk would end it by a signal.
     */
    final class Spilled implements Storage {
        private final FileChannel channel;
        private final String what;
        private final long size;
        private final Arena arena = Arena.ofShared();
        private final MemorySegment buffer;

        /**
         * @param what it is, for messages
         * @param stride most bytes of a part
         */
        Spilled(FileChannel channel, String what, long size, long stride) {
            this.channel = channel;
            this.what = what;
            this.size = size;
            this.buffer = arena.allocate(Math.max(1, stride), 64);
        }

        @Override
        public long size() {
            return size;
        }

        @Override
        public MemorySegment begin(long at, long count) {
            return buffer.asSlice(0, count);
        }

        @Override
        public void keep(long at, MemorySegment part) {
            ByteBuffer bytes = part.asByteBuffer();
            try {
                while (bytes.hasRemaining()) {
                    channel.write(bytes, at + bytes.position());
                }
            } catch (IOException e) {
                throw failure("write", what, e);
            }
        }

        @Override
        public MemorySegment load(long at, long count) {
            MemorySegment part = buffer.asSlice(0, count);
            ByteBuffer bytes = part.asByteBuffer();
            try {
                while (bytes.hasRemaining()) {
                    if (channel.read(bytes, at + bytes.position()) < 0) {
                        throw new IOException("the file ends at " + (at + bytes.position()));
                    }
                }
            } catch (IOException e) {
                throw failure("read", what, e);
            }
            return part;
        }

        @Override
        public void close() {
            try {
                channel.close();
            } catch (IOException e) {
                throw failure("close", what, e);
            } finally {
                arena.close();
            }
        }

        static DeviceException failure(String verb, String what, IOException e) {
            Interrupts.require(what + ": to " + verb + " it", e);
            return new DeviceException("cannot " + verb + " " + what + ": " + e.getMessage()
                    + "; free some space there, or use more memory, fewer images or a smaller crop", e);
        }
    }
}
