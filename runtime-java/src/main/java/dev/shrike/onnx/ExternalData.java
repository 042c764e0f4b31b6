package dev.shrike.onnx;

import dev.shrike.ModelException;
import dev.shrike.files.FileContents;
import dev.shrike.files.Interrupts;
import dev.shrike.onnx.proto.Onnx.StringStringEntryProto;
import dev.shrike.onnx.proto.Onnx.TensorProto;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Tensor data kept in files beside the model, each of which is read once. Only files within the model's folder are
 * opened, links followed: a model from elsewhere must not be able to read the rest of the disk.
 */
final class ExternalData {
    private final Optional<Path> folder;
    private final Map<Path, MemorySegment> contents = new HashMap<>();

    /** Data relative to this folder; none if the model did not come from a file. */
    ExternalData(Optional<Path> folder) {
        this.folder = folder;
    }

    /** The data of a tensor that needs that many bytes; {@code what} names it in messages. */
    MemorySegment data(TensorProto proto, long bytes, String what) {
        Map<String, String> entries = new HashMap<>();
        for (StringStringEntryProto entry : proto.getExternalDataList()) {
            entries.put(entry.getKey(), entry.getValue());
        }
        String location = entries.getOrDefault("location", "");
        if (location.isEmpty()) {
            throw new ModelException(what + " is stored outside the model, but external_data names no location");
        }
        MemorySegment file = file(location, what);
        long offset = number(entries, "offset", 0, what);
        long length = number(entries, "length", bytes, what);
        if (length != bytes) {
            throw new ModelException(what + " needs " + bytes + " bytes, external_data declares length " + length);
        }
        if (offset > file.byteSize() || length > file.byteSize() - offset) {
            throw new ModelException(
                    what + " is at bytes " + offset + " to " + offset + "+" + length + " of '" + location
                            + "', which has only " + file.byteSize() + " bytes: it is truncated, copy it again");
        }
        return file.asSlice(offset, length);
    }

    private MemorySegment file(String location, String what) {
        Path file = resolve(location, what);
        MemorySegment known = contents.get(file);
        if (known != null) {
            return known;
        }
        if (!Files.isRegularFile(file)) {
            throw new ModelException(what + " is stored in '" + location + "', which is not a file");
        }
        try (FileChannel channel = FileChannel.open(file)) {
            // All of it, once: many tensors may name the same bytes.
            MemorySegment all = FileContents.read(channel, 0, channel.size());
            contents.put(file, all);
            return all;
        } catch (IOException e) {
            Interrupts.require(file + ": reading it", e);
            throw new ModelException(what + " is stored in '" + location + "', which cannot be read: " + e, e);
        }
    }

    private Path resolve(String location, String what) {
        Path base = folder.orElseThrow(() -> new ModelException(what + " is stored in '" + location
                + "', but the model did not come from a folder; read it from its file instead"));
        Path relative;
        try {
            relative = Path.of(location);
        } catch (InvalidPathException e) {
            throw new ModelException(what + ": the external_data location is not a path: " + e.getMessage(), e);
        }
        if (relative.isAbsolute() || relative.normalize().startsWith("..")) {
            throw outside(location, what);
        }
        try {
            Path real = base.resolve(relative).toRealPath();
            if (!real.startsWith(base.toRealPath())) {
                throw outside(location, what);
            }
            return real;
        } catch (IOException e) {
            throw new ModelException(
                    what + " is stored in '" + location + "', which is missing from the model's folder "
                            + base + "; copy it there",
                    e);
        }
    }

    private static ModelException outside(String location, String what) {
        return new ModelException(
                what + " is stored in '" + location + "', outside the model's folder; refused, since a"
                        + " model may only read its own files. Copy the file into the folder and save the model anew");
    }

    private static long number(Map<String, String> entries, String key, long otherwise, String what) {
        String text = entries.get(key);
        if (text == null) {
            return otherwise;
        }
        try {
            long value = Long.parseLong(text.trim());
            if (value >= 0) {
                return value;
            }
        } catch (NumberFormatException e) {
            throw new ModelException(what + ": external_data " + key + " '" + text + "' is not a number", e);
        }
        throw new ModelException(what + ": external_data " + key + " " + text + " is negative");
    }
}
