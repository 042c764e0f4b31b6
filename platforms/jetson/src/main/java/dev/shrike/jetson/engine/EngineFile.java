package dev.shrike.jetson.engine;

import dev.shrike.ModelException;
import dev.shrike.files.FileReplacement;
import dev.shrike.files.Interrupts;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * An engine with the network that it was built from, in one file, so that another GPU or another TensorRT can build it
 * again. TensorRT trusts the engines it loads, so every byte is checked first. Each part starts at a multiple of 64
 * bytes of the file, with zeros in front, since TensorRT reads the engine where it is mapped. Little-endian:
 *
 * <pre>
 *   0  magic, 8 bytes: 0x89 'S' 'T' 'R' 'T' 0x0d 0x0a 0x1a
 *   8  u32 version of the format, u32 zero
 *  16  u64 bytes of the record, the ONNX file, the calibration and the engine
 *  48  SHA-256 of the file without these 32 bytes
 * 128  the record as JSON, the ONNX file, the calibration, the engine
 * </pre>
 *
 * @param record what the engine was built from and for
 * @param onnx the network that TensorRT parsed, with the metadata of the model
 * @param calibration TensorRT's calibration cache, or empty
 * @param plan the serialised engine
 */
public record EngineFile(EngineRecord record, MemorySegment onnx, byte[] calibration, MemorySegment plan) {
    static final byte[] MAGIC = {(byte) 0x89, 'S', 'T', 'R', 'T', '\r', '\n', 0x1a};

    private static final int VERSION = 2;
    private static final int ALIGNMENT = 64;
    private static final int SIZES_AT = 16;
    private static final int PARTS = 4;
    private static final int HASH_AT = 48;
    private static final int HASH_BYTES = 32;
    private static final int HEAD_BYTES = HASH_AT + HASH_BYTES;
    private static final int PARTS_AT = 128;
    private static final int LARGEST_RECORD = 1 << 20;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Whether the file begins as one of ours; false as well if it cannot be read. */
    public static boolean isOne(Path file) {
        if (!Files.isRegularFile(file)) {
            return false;
        }
        try (InputStream in = Files.newInputStream(file)) {
            return Arrays.equals(in.readNBytes(MAGIC.length), MAGIC);
        } catch (IOException e) {
            return false;
        }
    }

    /** Writes the file under another name, then renames it. */
    public void write(Path file) {
        MemorySegment json = MemorySegment.ofArray(record.toJson());
        List<MemorySegment> contents = List.of(json, onnx, MemorySegment.ofArray(calibration), plan);
        ByteBuffer head = ByteBuffer.allocate(HEAD_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        head.put(MAGIC).putInt(VERSION).putInt(0);
        contents.forEach(part -> head.putLong(part.byteSize()));
        List<MemorySegment> parts = new ArrayList<>();
        parts.add(zeros(HEAD_BYTES));
        for (int i = 0; i < PARTS; i++) {
            parts.add(contents.get(i));
            if (i < PARTS - 1) {
                parts.add(zeros(contents.get(i).byteSize()));
            }
        }
        head.put(digest(MemorySegment.ofArray(head.array()), parts.toArray(MemorySegment[]::new)));
        FileReplacement.write(file, stream -> {
            stream.write(head.array());
            for (MemorySegment part : parts) {
                copy(part, stream);
            }
        });
    }

    /** What is missing to the next start of a part. */
    private static MemorySegment zeros(long end) {
        return MemorySegment.ofArray(new byte[(int) (aligned(end) - end)]);
    }

    private static long aligned(long offset) {
        return (offset + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    private static void copy(MemorySegment part, OutputStream stream) throws IOException {
        byte[] chunk = new byte[1 << 20];
        for (long at = 0; at < part.byteSize(); at += chunk.length) {
            int count = (int) Math.min(chunk.length, part.byteSize() - at);
            MemorySegment.copy(part, ValueLayout.JAVA_BYTE, at, chunk, 0, count);
            stream.write(chunk, 0, count);
        }
    }

    private static byte[] digest(MemorySegment head, MemorySegment... parts) {
        MessageDigest digest = Digests.sha256();
        Digests.update(digest, head.asSlice(0, HASH_AT));
        for (MemorySegment part : parts) {
            Digests.update(digest, part);
        }
        return digest.digest();
    }

    /**
     * The engine in a file, whose parts are views of the mapped file.
     *
     * @throws ModelException if the file cannot be read or is damaged anywhere; names it
     */
    public static EngineFile read(Path file) {
        try (FileChannel channel = FileChannel.open(file)) {
            return read(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto()));
        } catch (ModelException e) {
            throw new ModelException(file + ": " + e.getMessage() + "; build it again with 'shrike build'", e);
        } catch (IOException e) {
            Interrupts.require(file + ": reading it", e);
            throw new ModelException(file + ": cannot be read: " + e + "; check its permissions", e);
        } catch (InternalError e) {
            // How the JVM reports that a page of a mapped file has gone.
            throw new ModelException(file + ": shrank or failed while it was being read: " + e.getMessage(), e);
        }
    }

    public static EngineFile read(MemorySegment file) {
        if (file.byteSize() < HEAD_BYTES) {
            throw new ModelException("has " + file.byteSize() + " bytes, a built engine has more: it was cut off");
        }
        if (file.mismatch(MemorySegment.ofArray(MAGIC)) < MAGIC.length) {
            throw new ModelException("does not begin as a built engine does");
        }
        byte[] stored = file.asSlice(HASH_AT, HASH_BYTES).toArray(ValueLayout.JAVA_BYTE);
        if (!MessageDigest.isEqual(stored, digest(file, file.asSlice(HEAD_BYTES)))) {
            throw new ModelException("was cut off or is damaged: its bytes do not have its SHA-256 checksum");
        }
        if (file.get(INT, MAGIC.length) != VERSION) {
            throw new ModelException("has version " + file.get(INT, MAGIC.length) + " of the file format, this program"
                    + " reads version " + VERSION);
        }
        MemorySegment[] found = new MemorySegment[PARTS];
        long end = PARTS_AT;
        for (int i = 0; i < PARTS; i++) {
            long size = file.get(LONG, SIZES_AT + 8L * i);
            long at = aligned(end);
            if (size < 0 || size > file.byteSize() - at) {
                throw new ModelException("part " + i + " of " + Long.toUnsignedString(size)
                        + " bytes goes past the end of the file");
            }
            found[i] = file.asSlice(at, size);
            end = at + size;
        }
        if (end != file.byteSize() || found[0].byteSize() > LARGEST_RECORD
                || found[2].byteSize() > LARGEST_RECORD * 16L) {
            throw new ModelException("has parts of sizes that make no sense");
        }
        return new EngineFile(EngineRecord.fromJson(found[0].toArray(ValueLayout.JAVA_BYTE)), found[1],
                found[2].toArray(ValueLayout.JAVA_BYTE), found[3]);
    }
}
