package dev.shrike.files;

import dev.shrike.ShrikeException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
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

    /** Bytes of a file's name that its temporary name begins with. */
    private static final int LONGEST_START = 200;

    private FileReplacement() {}

    /**
     * Writes the file under another name beside the target, then renames it; afterwards it outlives a power cut.
     *
     * @throws ShrikeException if the folder is missing, the file cannot be written or the thread was interrupted; what
     *     was there stays
     */
    public static void write(Path file, Content content) {
        Path folder = requireFolder(file);
        try {
            replace(file, content, true);
        } catch (IOException e) {
            Interrupts.require(file + ": writing it", e);
            throw new ShrikeException(
                    file + ": cannot be written: " + e + "; check free space and permissions of " + folder, e);
        }
    }

    /**
     * As {@link #write}, for files of which there are many, and who tells failures in words of its own: does not wait
     * until the disk has them.
     */
    public static void replace(Path file, Content content) throws IOException {
        replace(file, content, false);
    }

    private static void replace(Path file, Content content, boolean durable) throws IOException {
        Path temporary = temporary(file);
        try {
            try (FileChannel channel = FileChannel.open(
                    temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                OutputStream stream = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
                content.writeTo(stream);
                stream.flush();
                if (durable) {
                    channel.force(true);
                }
            }
            rename(temporary, file);
        } finally {
            discard(temporary);
        }
    }

    /**
     * A name beside the file that nothing has, for what a library writes by itself; {@link #rename} follows. It is
     * {@code .NAME.….tmp} with the file's name, or with its first characters if that is very long.
     */
    public static Path temporary(Path file) {
        String name = file.getFileName().toString();
        // The longest names that file systems take would be too long with more behind them.
        String start = name.getBytes(StandardCharsets.UTF_8).length <= LONGEST_START ? name
                : name.substring(0, name.offsetByCodePoints(0, Math.min(LONGEST_START / 4, name.codePointCount(0,
                        name.length()))));
        // Not Files.createTempFile: its file could be read by its owner alone, and would stay so.
        return file.resolveSibling("." + start + "." + UUID.randomUUID() + ".tmp");
    }

    /** Gives a finished file, or a folder, another name in the same folder in one step; a file there is replaced. */
    public static void rename(Path finished, Path name) throws IOException {
        Files.move(finished, name, StandardCopyOption.ATOMIC_MOVE);
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
