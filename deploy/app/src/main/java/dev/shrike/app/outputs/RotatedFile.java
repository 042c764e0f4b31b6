package dev.shrike.app.outputs;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;

/** A file of lines that is renamed when it is full; see {@link JsonLines#file}. */
final class RotatedFile implements LineSink {
    private static final long LEAST_BYTES = 64 << 10;
    private static final int MOST_KEPT = 1000;

    private final Path file;
    private final long fileBytes;
    private final int kept;
    private FileChannel channel;
    /** Bytes of whole lines. */
    private long size;

    RotatedFile(Path file, long fileBytes, int kept) {
        this.file = Objects.requireNonNull(file, "file");
        if (fileBytes < LEAST_BYTES) {
            throw new IllegalArgumentException("a file of lines needs room for at least " + LEAST_BYTES + " bytes, not "
                    + fileBytes);
        }
        if (kept < 0 || kept > MOST_KEPT) {
            throw new IllegalArgumentException("files to keep: " + kept + " is not within 0 and " + MOST_KEPT);
        }
        this.fileBytes = fileBytes;
        this.kept = kept;
    }

    @Override
    public void write(byte[] line) throws IOException {
        if (line.length > fileBytes) {
            throw new IOException("a line of " + line.length + " bytes is larger than the file may be: " + fileBytes);
        }
        try {
            open();
            if (size + line.length > fileBytes) {
                rotate();
            }
            ByteBuffer rest = ByteBuffer.wrap(line);
            while (rest.hasRemaining()) {
                channel.write(rest);
            }
            size += line.length;
        } catch (IOException e) {
            cutOff();
            throw new IOException("cannot write " + file + ": " + reason(e), e);
        }
    }

    private static String reason(IOException e) {
        if (e instanceof NoSuchFileException) {
            return "no such file or folder";
        }
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    private void open() throws IOException {
        // Somebody may have moved or removed it, as logrotate does.
        if (channel != null && Files.notExists(file)) {
            close();
        }
        if (channel == null) {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ,
                    StandardOpenOption.WRITE);
            size = wholeLines(channel);
            channel.truncate(size);
            channel.position(size);
        }
    }

    /** Where the last line feed ends. */
    private static long wholeLines(FileChannel channel) throws IOException {
        ByteBuffer block = ByteBuffer.allocate(8192);
        long end = channel.size();
        while (end > 0) {
            long start = Math.max(0, end - block.capacity());
            block.clear().limit((int) (end - start));
            while (block.hasRemaining() && channel.read(block, start + block.position()) >= 0) {
                // reads on
            }
            for (int i = block.position() - 1; i >= 0; i--) {
                if (block.get(i) == '\n') {
                    return start + i + 1;
                }
            }
            end = start;
        }
        return 0;
    }

    private void rotate() throws IOException {
        close();
        for (int number = kept - 1; number >= 0; number--) {
            Path from = number == 0 ? file : numbered(number);
            if (Files.exists(from)) {
                Files.move(from, numbered(number + 1), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        if (kept == 0) {
            Files.deleteIfExists(file);
        }
        open();
    }

    private Path numbered(int number) {
        return file.resolveSibling(file.getFileName() + "." + number);
    }

    /** After a failure: a part of the line may be in the file. It is opened anew for the next try. */
    private void cutOff() {
        try {
            if (channel != null) {
                channel.truncate(size);
            }
            close();
        } catch (IOException e) {
            channel = null; // The next try cuts it off as it opens the file.
        }
    }

    @Override
    public boolean isWorthRetrying() {
        return true;
    }

    @Override
    public void close() throws IOException {
        FileChannel open = channel;
        channel = null;
        if (open != null) {
            open.close();
        }
    }
}
