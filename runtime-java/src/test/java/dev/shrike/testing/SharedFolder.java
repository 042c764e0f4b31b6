package dev.shrike.testing;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Assumptions;

/**
 * The folder of real networks, images and reference results, which is no part of the product: what {@code
 * SHRIKE_SHARED} names, or {@code shared} in a folder above. A test that needs it is skipped without it.
 */
public final class SharedFolder {
    private SharedFolder() {}

    /** The file or folder of that name in it, or the test is skipped. */
    public static Path file(String name) {
        Path root = root();
        Assumptions.assumeTrue(root != null,
                "skipped: no data folder (set SHRIKE_SHARED to one that has " + name + ")");
        Path file = root.resolve(name);
        Assumptions.assumeTrue(Files.exists(file), "skipped: the data folder has no " + name);
        return file;
    }

    /** The floats of a gzip file of raw little-endian float32. */
    public static float[] floats(String name) throws IOException {
        try (InputStream in = new GZIPInputStream(Files.newInputStream(file(name)))) {
            byte[] bytes = in.readAllBytes();
            float[] values = new float[bytes.length / Float.BYTES];
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
            return values;
        }
    }

    /** The floats in native memory. */
    public static MemorySegment nativeFloats(Arena arena, float[] values) {
        MemorySegment memory = arena.allocate((long) values.length * Float.BYTES, 64);
        MemorySegment.copy(MemorySegment.ofArray(values), 0, memory, 0, memory.byteSize());
        return memory;
    }

    private static Path root() {
        String named = System.getProperty("SHRIKE_SHARED", System.getenv("SHRIKE_SHARED"));
        if (named != null && !named.isBlank()) {
            return Path.of(named);
        }
        for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
            Path candidate = folder.resolve("shared");
            if (Files.isDirectory(candidate.resolve("reference"))) {
                return candidate;
            }
        }
        return null;
    }
}
