package dev.shrike.calibration.activations;

import dev.shrike.DeviceException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.UUID;

/**
 * Where {@link ActivationStore stores} keep values: in native memory up to a limit that they share, and what is beyond
 * it in files. A file loses its name as soon as it is open, so that nothing is left of it however the process ends.
 * Confined to one thread.
 */
public final class ActivationMemory {
    /** Opens a file to write and read that goes with its channel. */
    @FunctionalInterface
    interface Opener {
        FileChannel open() throws IOException;
    }

    private final long limit;
    private final String folder;
    private final Opener opener;
    private long inMemory;
    private long onDisk;
    private long most;
    private long mostOnDisk;

    /**
     * Memory with a limit.
     *
     * @param limit most bytes of values in memory, 0 or more
     * @param folder where the rest goes; one that is no file system in memory
     */
    public ActivationMemory(long limit, Path folder) {
        this(limit, folder.toString(), () -> nameless(folder));
    }

    ActivationMemory(long limit, String folder, Opener opener) {
        if (limit < 0) {
            throw new IllegalArgumentException("limit " + limit);
        }
        this.limit = limit;
        this.folder = folder;
        this.opener = opener;
    }

    /** Memory without a limit. */
    public static ActivationMemory unlimited() {
        return new ActivationMemory(Long.MAX_VALUE, Path.of(""));
    }

    private static FileChannel nameless(Path folder) throws IOException {
        return FileChannel.open(folder.resolve(".shrike-" + UUID.randomUUID() + ".tmp"),
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE,
                        StandardOpenOption.DELETE_ON_CLOSE));
    }

    /** Most bytes of values that were held at one time, in memory and in files. */
    public long most() {
        return most;
    }

    /** Most bytes of values that were in files at one time. */
    public long mostOnDisk() {
        return mostOnDisk;
    }

    /**
     * Room for a value.
     *
     * @param what the value and on how much it is, for messages
     * @param strides number of parts
     * @param stride bytes of a part
     */
    Storage allocate(String what, int strides, long stride) {
        long size = Math.multiplyExact(strides, stride);
        boolean fits = size <= limit - inMemory;
        Storage storage = fits ? inMemory(what, size) : onDisk(what, size, stride);
        inMemory += fits ? size : 0;
        onDisk += fits ? 0 : size;
        most = Math.max(most, inMemory + onDisk);
        mostOnDisk = Math.max(mostOnDisk, onDisk);
        return storage;
    }

    private static Storage inMemory(String what, long size) {
        try {
            return Storage.Memory.of(size);
        } catch (OutOfMemoryError e) {
            throw new DeviceException("out of memory: " + what + " needs " + size
                    + " bytes; use fewer images or a smaller crop", e);
        }
    }

    private Storage onDisk(String what, long size, long stride) {
        try {
            return new Storage.Spilled(opener.open(), what + " (" + size + " bytes) in " + folder, size, stride);
        } catch (IOException e) {
            throw Storage.Spilled.failure("write", what + " (" + size + " bytes) in " + folder, e);
        }
    }

    void free(Storage storage) {
        if (storage instanceof Storage.Spilled) {
            onDisk -= storage.size();
        } else {
            inMemory -= storage.size();
        }
        storage.close();
    }
}
