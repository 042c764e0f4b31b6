package dev.shrike.vision;

import dev.shrike.SourceException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32;

/** The bytes of an image file with reads that know where the file ends: reading past it says "truncated". */
final class EncodedBytes {
    private static final ValueLayout.OfInt BIG_INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt LITTLE_INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** What the PNG library and OpenCV take. */
    private static final long LONGEST_SIDE = 1_000_000;

    private final MemorySegment memory;
    private final String name;
    private final long maxPixels;

    EncodedBytes(MemorySegment memory, String name, long maxPixels) {
        this.memory = memory;
        this.name = name;
        this.maxPixels = maxPixels;
    }

    String name() {
        return name;
    }

    long size() {
        return memory.byteSize();
    }

    /** Byte at the position, 0 to 255. */
    int u8(long at) {
        need(at, 1);
        return memory.get(ValueLayout.JAVA_BYTE, at) & 0xff;
    }

    int u16Big(long at) {
        return u8(at) << 8 | u8(at + 1);
    }

    int u16Little(long at) {
        return u8(at) | u8(at + 1) << 8;
    }

    long u32Big(long at) {
        need(at, 4);
        return Integer.toUnsignedLong(memory.get(BIG_INT, at));
    }

    long u32Little(long at) {
        return Integer.toUnsignedLong(s32Little(at));
    }

    int s32Little(long at) {
        need(at, 4);
        return memory.get(LITTLE_INT, at);
    }

    /** Whether these bytes stand at the position; false beyond the end. */
    boolean startsWith(long at, int... expected) {
        if (at + expected.length > size()) {
            return false;
        }
        for (int i = 0; i < expected.length; i++) {
            if (u8(at + i) != expected[i]) {
                return false;
            }
        }
        return true;
    }

    /** First position of the byte from the position on, or -1. */
    long indexOf(int value, long from) {
        long end = size();
        byte wanted = (byte) value;
        for (long at = from; at < end; at++) {
            if (memory.get(ValueLayout.JAVA_BYTE, at) == wanted) {
                return at;
            }
        }
        return -1;
    }

    byte[] copy(long at, int length) {
        need(at, length);
        return memory.asSlice(at, length).toArray(ValueLayout.JAVA_BYTE);
    }

    /** A range, where it is. */
    ByteBuffer buffer(long at, long length) {
        need(at, length);
        return memory.asSlice(at, length).asByteBuffer();
    }

    /** CRC-32 of a range. */
    long crc32(long at, long length) {
        CRC32 crc = new CRC32();
        crc.update(buffer(at, length));
        return crc.getValue();
    }

    /** Fails unless the file goes on for that many bytes. */
    void need(long at, long length) {
        if (at < 0 || length < 0 || at > size() - length) {
            throw truncated("byte " + Math.max(0, at + length) + " is needed, the file has " + size());
        }
    }

    /**
     * The header of this image.
     *
     * @throws SourceException if a side is 0 or the image has more pixels than the limit
     */
    ImageHeader header(ImageHeader.Format format, long width, long height) {
        if (width <= 0 || height <= 0) {
            throw damaged(format.title() + " says its size is " + width + "x" + height);
        }
        ImageHeader header = new ImageHeader(format, width, height);
        if (header.pixels() <= maxPixels && Math.max(width, height) > LONGEST_SIDE) {
            throw new SourceException(name + ": " + header + " has a side of more than " + LONGEST_SIDE + " pixels");
        }
        if (header.pixels() > Images.HARD_MAX_PIXELS) {
            throw new SourceException(name + ": " + header + " has " + header.pixels() + " pixels, more than the "
                    + Images.HARD_MAX_PIXELS + " that can be read at all: make the image smaller");
        }
        if (header.pixels() > maxPixels) {
            throw new SourceException(name + ": " + header + " has " + header.pixels() + " pixels, the limit is "
                    + maxPixels + ": make the image smaller, or raise the limit with --max-pixels "
                    + header.pixels() + " (in Java -D" + Images.MAX_PIXELS_PROPERTY + "=" + header.pixels() + ")");
        }
        return header;
    }

    SourceException truncated(String detail) {
        return new SourceException(name + ": truncated image: " + detail);
    }

    /** For an image that may be sound, of a kind that is not read. */
    SourceException unsupported(String detail) {
        return new SourceException(name + ": " + detail);
    }

    SourceException damaged(String detail) {
        return new SourceException(name + ": damaged image: " + detail);
    }
}
