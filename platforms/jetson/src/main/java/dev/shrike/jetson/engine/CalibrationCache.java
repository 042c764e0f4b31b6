package dev.shrike.jetson.engine;

import dev.shrike.ShrikeException;
import dev.shrike.files.FileReplacement;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * TensorRT's calibration results of one network on one set of images. The file itself is TensorRT's own text, which
 * other programs read too; {@code FILE.key} beside it holds the key of what it was made from, and results of another
 * model, other images or another TensorRT are not used.
 */
public final class CalibrationCache {
    private static final int LARGEST = 1 << 24;

    private final Path file;
    private final String key;

    CalibrationCache(Path file, String key) {
        this.file = file;
        this.key = key;
    }

    /** For the network and images of a record, and the batch that they are taken in, in a folder. */
    public static CalibrationCache of(Path folder, EngineRecord record) {
        String key = Digests.of(String.join("\n", record.model(), String.valueOf(record.calibration()),
                String.valueOf(record.data()), record.tensorRt(), record.batches() == null ? ""
                        : "" + record.batches().best()));
        return new CalibrationCache(folder.resolve("calibration-" + key.substring(0, 32) + ".cache"), key);
    }

    private Path keyFile() {
        return file.resolveSibling(file.getFileName() + ".key");
    }

    /** The results, or an empty array if there are none for this key. */
    byte[] read() {
        try {
            if (!Files.exists(file) || !Files.exists(keyFile()) || Files.size(file) > LARGEST) {
                return new byte[0];
            }
            byte[] bytes = Files.readAllBytes(file);
            String found = Files.readString(keyFile(), StandardCharsets.US_ASCII).strip();
            return found.equals(key + " " + Digests.of(bytes)) ? bytes : new byte[0];
        } catch (IOException e) {
            throw new ShrikeException(file + ": cannot be read: " + e + "; delete it", e);
        }
    }

    /** Keeps the results; the key comes last, so that results that were cut off have none. */
    public void write(byte[] bytes) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            Files.deleteIfExists(keyFile());
        } catch (IOException e) {
            throw new ShrikeException(file + ": cannot be written: " + e, e);
        }
        FileReplacement.write(file, stream -> stream.write(bytes));
        String line = key + " " + Digests.of(bytes) + "\n";
        FileReplacement.write(keyFile(), stream -> stream.write(line.getBytes(StandardCharsets.US_ASCII)));
    }
}
