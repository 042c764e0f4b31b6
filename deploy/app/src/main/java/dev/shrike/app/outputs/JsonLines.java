package dev.shrike.app.outputs;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;

/**
 * Lines of JSON, each a message as {@code docs/outputs.schema.json} says: to a stream, to a file, or to everybody who
 * connects to a unix socket.
 */
public final class JsonLines {
    /** Bytes that may wait for a slow stream or disk. */
    public static final long DEFAULT_BOUND = 4L << 20;

    private JsonLines() {}

    /** Lines to the standard output; see {@link #stream}. */
    public static Output standardOutput(ServiceRun run, Selection selection, long bound) {
        // System.out would hide that its reader is gone.
        return stream("stdout", new FileOutputStream(FileDescriptor.out), run, selection, bound);
    }

    /**
     * Lines to a stream, such as the standard output. If its reader is gone, the output stops and says so.
     *
     * @param bound bytes that may wait; the oldest lines fall out
     * @param stream not closed but flushed after each line
     */
    public static Output stream(String name, OutputStream stream, ServiceRun run, Selection selection, long bound) {
        return new LineOutput(name, run, selection, bound, new LineSink() {
            @Override
            public void write(byte[] line) throws IOException {
                stream.write(line);
                stream.flush();
            }

            @Override
            public boolean isWorthRetrying() {
                return false;
            }

            @Override
            public void close() {
                // It is the caller's.
            }
        });
    }

    /**
     * Lines to a file, after what it has. When it has grown to {@code fileBytes} it becomes {@code FILE.1}, what had
     * that name {@code FILE.2}, and so on up to {@code FILE.}{@code kept}: all together are at most
     * {@code fileBytes * (kept + 1)} bytes. A file that can not be written, as on a full disk, is tried again each
     * second. A last line that a power cut left unfinished is cut off.
     *
     * @param fileBytes at least 64 KiB
     * @param kept 0 to 1000
     * @param bound bytes that may wait; the oldest lines fall out
     * @throws IllegalArgumentException if a number is out of its bounds
     */
    public static Output file(Path file, long fileBytes, int kept, ServiceRun run, Selection selection, long bound) {
        return new LineOutput("file " + file, run, selection, bound, new RotatedFile(file, fileBytes, kept));
    }

    /**
     * Lines to everybody who connects to a unix socket, from the moment on when they do. Readers that are slow, for
     * whom {@code bound} bytes wait or who take nothing for 5 s, are cut off.
     *
     * @param socket path of the socket; one that a service left behind is replaced, one in use is not
     * @param bound bytes that may wait for each reader
     * @throws dev.shrike.DeviceException if the socket cannot be made
     */
    public static Output socket(Path socket, ServiceRun run, Selection selection, long bound) {
        return LineServer.open(socket, run, selection, bound);
    }
}
