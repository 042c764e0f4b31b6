package dev.shrike.files;

import dev.shrike.ShrikeException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/** Writes a file so that whoever looks sees the old one or the new one, never a part. */
public final class FileReplacement {
    /** What goes into the file. */
    @FunctionalInterface
    public interface Content {
        /** Writes all of it; the stream is buffered and stays open. */
        void writeTo(OutputStream stream) throws IOException;
    }

    private FileReplacement() {}

    /**
     * Writes the file under another name beside the target, then renames it.
     *
     * @throws ShrikeException if the folder is missing, the file cannot be written or the thread was interrupted; what
     *     was there stays
     */
    public static void write(Path file, Content content) {
        Path folder = requireFolder(file);
        // Not Files.createTempFile: its file could be read by its owner alone, and would stay so.
        Path temporary = folder.resolve("." + file.getFileName() + "." + UUID.randomUUID() + ".tmp");
        try {
            try (FileChannel channel = FileChannel.open(
                    temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                OutputStream stream = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
                content.writeTo(stream);
                stream.flush();
                channel.force(true);
            }
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            Interrupts.require(file + ": writing it", e);
            throw new ShrikeException(
                    file + ": cannot be written: " + e + "; check free space and permissions of " + folder, e);
        } finally {
            discard(temporary);
        }
    }

    /**
     * The folder that the file is in or will be in, for who wants to know early whether a file can be written.
     *
     * @throws ShrikeException if there is none, or the file is a folder itself
     */
    public static Path requireFolder(Path file) {
        if (Files.isDirectory(file)) {
            throw new ShrikeException(file + ": is a folder; name a file in it");
        }
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new ShrikeException(
                    file + ": cannot be written, the folder " + folder + " does not exist; create it");
        }
        return folder;
    }

    private static void discard(Path temporary) {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            System.getLogger(FileReplacement.class.getName())
                    .log(System.Logger.Level.WARNING, "cannot remove the temporary file " + temporary, e);
        }
    }
}
