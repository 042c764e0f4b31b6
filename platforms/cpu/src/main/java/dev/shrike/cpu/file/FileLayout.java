package dev.shrike.cpu.file;

import dev.shrike.ModelException;
import dev.shrike.files.FileReplacement;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Where the sections of a {@code .shrike} file lie. All numbers are little-endian.
 *
 * <pre>
 *  0  magic, 8 bytes: 0x89 'S' 'H' 'R' 'K' 0x0d 0x0a 0x1a
 *  8  u32 version of the format
 * 12  u32 number of sections
 * 16  u64 bytes of the whole file
 * 24  u64 zero
 * 32  SHA-256 of the whole file without these 32 bytes
 * 64  for each section: u32 kind, u32 zero, u64 offset, u64 size, u64 zero
 *     the sections in the order of the table, each at the next multiple of 64, zeros between them
 * </pre>
 *
 * The first 64 bytes are the same in every version, so that damage and a newer version can be told apart.
 */
final class FileLayout {
    /** The first bytes. A transfer that takes the file for text damages them. */
    static final byte[] MAGIC = {(byte) 0x89, 'S', 'H', 'R', 'K', '\r', '\n', 0x1a};

    /** The newest version that is written and read. Every file has the lowest version that holds it. */
    static final int VERSION = 2;

    /** The first version, which has no encoding without zeros. */
    static final int FIRST_VERSION = 1;

    static final int ALIGNMENT = 64;
    static final int PRELUDE = 64;
    static final int ENTRY = 32;
    static final int HASH_AT = 32;
    private static final int HASH_BYTES = 32;
    /** Bytes that are hashed or written at once. */
    private static final long CHUNK = 1 << 26;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** What a section holds. */
    enum Kind {
        /** The graph as JSON; see {@link GraphRecord}. */
        HEADER(1),
        /** The bytes of its constants; see {@link TensorRecord}. */
        CONSTANTS(2),
        /** What the tuner chose, a JSON object of strings. May be missing. */
        CHOICES(3);

        private final int code;

        Kind(int code) {
            this.code = code;
        }

        private static Kind of(int code) {
            for (Kind kind : values()) {
                if (kind.code == code) {
                    return kind;
                }
            }
            throw new ModelException("the section table has the unknown kind " + Integer.toUnsignedString(code));
        }
    }

    private record Extent(long offset, long size) {}

    private final Map<Kind, Extent> extents;

    private FileLayout(Map<Kind, Extent> extents) {
        this.extents = extents;
    }

    /** Whether there is such a section. */
    boolean has(Kind kind) {
        return extents.containsKey(kind);
    }

    /** The bytes of a section. */
    MemorySegment section(MemorySegment file, Kind kind) {
        Extent extent = extents.get(kind);
        return file.asSlice(extent.offset(), extent.size());
    }

    /**
     * The layout of a file, every byte of which is checked against the checksum.
     *
     * @throws ModelException if anything about the file as a whole is wrong
     */
    static FileLayout read(MemorySegment file) {
        if (file.byteSize() < PRELUDE) {
            throw new ModelException("has " + file.byteSize() + " bytes, a built model has more: it was cut off");
        }
        if (file.mismatch(MemorySegment.ofArray(MAGIC)) < MAGIC.length) {
            throw new ModelException("does not begin as a built model does");
        }
        long size = file.get(LONG, 16);
        if (size != file.byteSize()) {
            throw new ModelException("has " + file.byteSize() + " bytes, it says that it has "
                    + Long.toUnsignedString(size) + ": it was cut off or is damaged");
        }
        MemorySegment stored = file.asSlice(HASH_AT, HASH_BYTES);
        if (stored.mismatch(MemorySegment.ofArray(hash(List.of(file)))) >= 0) {
            throw new ModelException("is damaged: its bytes do not have its SHA-256 checksum");
        }
        int version = file.get(INT, 8);
        if (version < FIRST_VERSION || version > VERSION) {
            throw new ModelException("has version " + Integer.toUnsignedString(version)
                    + " of the file format, this program reads version " + VERSION
                    + ": use the program that wrote it, or a newer one");
        }
        return new FileLayout(table(file));
    }

    private static Map<Kind, Extent> table(MemorySegment file) {
        int count = file.get(INT, 12);
        if (count < 0 || count > Kind.values().length) {
            throw new ModelException("says that it has " + Integer.toUnsignedString(count) + " sections");
        }
        long end = PRELUDE + (long) count * ENTRY;
        if (end > file.byteSize()) {
            throw new ModelException("the section table goes past the end of the file");
        }
        Map<Kind, Extent> extents = new EnumMap<>(Kind.class);
        for (int i = 0; i < count; i++) {
            long at = PRELUDE + (long) i * ENTRY;
            Kind kind = Kind.of(file.get(INT, at));
            long offset = file.get(LONG, at + 8);
            long size = file.get(LONG, at + 16);
            // There is only one right place, so neither gaps nor overlaps nor sums that overflow get any further.
            if (offset != align(end, ALIGNMENT) || offset > file.byteSize()) {
                throw new ModelException("section " + kind + " is said to be at byte " + Long.toUnsignedString(offset)
                        + ", which is not where the one before it ends");
            }
            if (size < 0 || size > file.byteSize() - offset) {
                throw new ModelException("section " + kind + " of " + Long.toUnsignedString(size)
                        + " bytes goes past the end of the file");
            }
            if (extents.put(kind, new Extent(offset, size)) != null) {
                throw new ModelException("section " + kind + " is there twice");
            }
            end = offset + size;
        }
        if (end != file.byteSize()) {
            throw new ModelException("has " + (file.byteSize() - end) + " bytes after its last section");
        }
        for (Kind kind : List.of(Kind.HEADER, Kind.CONSTANTS)) {
            if (!extents.containsKey(kind)) {
                throw new ModelException("section " + kind + " is missing");
            }
        }
        return extents;
    }

    /** The next multiple of {@code alignment}, a power of two. */
    static long align(long position, long alignment) {
        return (position + alignment - 1) & -alignment;
    }

    /** SHA-256 of a file in pieces, without the bytes that hold it; the first piece reaches past them. */
    private static byte[] hash(List<MemorySegment> pieces) {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
        MemorySegment first = pieces.getFirst();
        update(digest, first.asSlice(0, HASH_AT));
        update(digest, first.asSlice(PRELUDE));
        pieces.subList(1, pieces.size()).forEach(piece -> update(digest, piece));
        return digest.digest();
    }

    private static void update(MessageDigest digest, MemorySegment bytes) {
        for (ByteBuffer chunk : chunks(bytes)) {
            digest.update(chunk);
        }
    }

    private static List<ByteBuffer> chunks(MemorySegment bytes) {
        List<ByteBuffer> chunks = new ArrayList<>();
        for (long at = 0; at < bytes.byteSize(); at += CHUNK) {
            chunks.add(bytes.asSlice(at, Math.min(CHUNK, bytes.byteSize() - at)).asByteBuffer());
        }
        return chunks;
    }

    /** Puts sections into a file. */
    static final class Builder {
        private final List<Kind> kinds = new ArrayList<>();
        private final List<List<MemorySegment>> contents = new ArrayList<>();
        private final int version;

        /** A file of this version. */
        Builder(int version) {
            this.version = version;
        }

        /** Adds a section. */
        void add(Kind kind, MemorySegment content) {
            add(kind, List.of(content));
        }

        /** Adds a section in pieces that follow each other without gaps. */
        void add(Kind kind, List<MemorySegment> content) {
            kinds.add(kind);
            contents.add(content);
        }

        /** Writes the file. */
        void write(Path file) {
            List<MemorySegment> pieces = pieces();
            FileReplacement.write(file, stream -> {
                for (MemorySegment piece : pieces) {
                    copy(piece, stream);
                }
            });
        }

        private List<MemorySegment> pieces() {
            MemorySegment start = MemorySegment.ofArray(new byte[PRELUDE + ENTRY * kinds.size()]);
            List<MemorySegment> pieces = new ArrayList<>(List.of(start));
            long end = start.byteSize();
            for (int i = 0; i < kinds.size(); i++) {
                long offset = align(end, ALIGNMENT);
                pieces.add(MemorySegment.ofArray(new byte[(int) (offset - end)]));
                pieces.addAll(contents.get(i));
                long size = contents.get(i).stream().mapToLong(MemorySegment::byteSize).sum();
                long entry = PRELUDE + (long) i * ENTRY;
                start.set(INT, entry, kinds.get(i).code);
                start.set(LONG, entry + 8, offset);
                start.set(LONG, entry + 16, size);
                end = offset + size;
            }
            MemorySegment.copy(MemorySegment.ofArray(MAGIC), 0, start, 0, MAGIC.length);
            start.set(INT, 8, version);
            start.set(INT, 12, kinds.size());
            start.set(LONG, 16, end);
            MemorySegment.copy(MemorySegment.ofArray(hash(pieces)), 0, start, HASH_AT, HASH_BYTES);
            return pieces;
        }

        private static void copy(MemorySegment piece, OutputStream stream) throws IOException {
            WritableByteChannel channel = Channels.newChannel(stream);
            for (ByteBuffer chunk : chunks(piece)) {
                while (chunk.hasRemaining()) {
                    channel.write(chunk);
                }
            }
        }
    }
}
