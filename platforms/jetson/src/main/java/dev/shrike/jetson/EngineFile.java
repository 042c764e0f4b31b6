package dev.shrike.jetson;

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
import java.util.Arrays;

/**
 * An engine with the network that it was built from, in one file, so that another GPU or another TensorRT can build it
 * again. TensorRT trusts the engines it loads, so every byte is checked first. Little-endian:
 *
 * <pre>
 *   0  magic, 8 bytes: 0x89 'S' 'T' 'R' 'T' 0x0d 0x0a 0x1a
 *   8  u32 version of the format, u32 zero
 *  16  u64 bytes of the record, the ONNX file, the calibration and the engine
 *  48  SHA-256 of the file without these 32 bytes
 *  80  the record as JSON, the ONNX file, the calibration, the engine
 * </pre>
 *
 * @param record what the engine was built from and for
 * @param onnx the network that TensorRT parsed, with the metadata of the model
 * @param calibration TensorRT's calibration cache, or empty
 * @param plan the serialised engine
 */
record EngineFile(EngineRecord record, MemorySegment onnx, byte[] calibration, MemorySegment plan) {
    static final byte[] MAGIC = {(byte) 0x89, 'S', 'T', 'R', 'T', '\r', '\n', 0x1a};

    private static final int VERSION = 1;
    private static final int SIZES_AT = 16;
    private static final int PARTS = 4;
    private static final int HASH_AT = 48;
    private static final int HASH_BYTES = 32;
    private static final int PARTS_AT = HASH_AT + HASH_BYTES;
    private static final int LARGEST_RECORD = 1 << 20;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Whether the file begins as one of ours; false as well if it cannot be read. */
    static boolean isOne(Path file) {
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
    void write(Path file) {
        MemorySegment json = MemorySegment.ofArray(record.toJson());
        MemorySegment[] parts = {json, onnx, MemorySegment.ofArray(calibration), plan};
        ByteBuffer head = ByteBuffer.allocate(PARTS_AT).order(ByteOrder.LITTLE_ENDIAN);
        head.put(MAGIC).putInt(VERSION).putInt(0);
        for (MemorySegment part : parts) {
            head.putLong(part.byteSize());
        }
        head.put(digest(MemorySegment.ofArray(head.array()), parts));
        FileReplacement.write(file, stream -> {
            stream.write(head.array());
            for (MemorySegment part : parts) {
                copy(part, stream);
            }
        });
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
    static EngineFile read(Path file) {
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

    static EngineFile read(MemorySegment file) {
        if (file.byteSize() < PARTS_AT) {
            throw new ModelException("has " + file.byteSize() + " bytes, a built engine has more: it was cut off");
        }
        if (file.mismatch(MemorySegment.ofArray(MAGIC)) < MAGIC.length) {
            throw new ModelException("does not begin as a built engine does");
        }
        MemorySegment parts = file.asSlice(PARTS_AT);
        byte[] stored = file.asSlice(HASH_AT, HASH_BYTES).toArray(ValueLayout.JAVA_BYTE);
        if (!MessageDigest.isEqual(stored, digest(file, parts))) {
            throw new ModelException("was cut off or is damaged: its bytes do not have its SHA-256 checksum");
        }
        if (file.get(INT, MAGIC.length) != VERSION) {
            throw new ModelException("has version " + file.get(INT, MAGIC.length) + " of the file format, this program"
                    + " reads version " + VERSION);
        }
        MemorySegment[] found = new MemorySegment[PARTS];
        long at = 0;
        for (int i = 0; i < PARTS; i++) {
            long size = file.get(LONG, SIZES_AT + 8L * i);
            if (size < 0 || size > parts.byteSize() - at) {
                throw new ModelException("part " + i + " of " + Long.toUnsignedString(size)
                        + " bytes goes past the end of the file");
            }
            found[i] = parts.asSlice(at, size);
            at += size;
        }
        if (at != parts.byteSize() || found[0].byteSize() > LARGEST_RECORD
                || found[2].byteSize() > LARGEST_RECORD * 16L) {
            throw new ModelException("has parts of sizes that make no sense");
        }
        return new EngineFile(EngineRecord.fromJson(found[0].toArray(ValueLayout.JAVA_BYTE)), found[1],
                found[2].toArray(ValueLayout.JAVA_BYTE), found[3]);
    }
}
