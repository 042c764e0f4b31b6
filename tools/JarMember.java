import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.Inflater;
import java.util.zip.InflaterInputStream;

/**
 * Takes single files out of a large jar on a server by range requests:
 * {@code java tools/JarMember.java JAR-ADDRESS FOLDER NAME ...}. A member is found by the end of its path and written
 * into the folder under its own name, through a temporary file and with its checksum checked.
 */
public class JarMember {
    private static final int END_RECORD = 22;
    private static final int LONGEST_COMMENT = 65_535;
    private static final int ENTRY = 46;
    private static final int LOCAL_HEADER = 30;

    private static final HttpClient CLIENT = HttpClient.newBuilder().followRedirects(HttpClient.Redirect.NORMAL)
            .connectTimeout(Duration.ofSeconds(30)).build();

    private JarMember() {}

    /** Fetches the members; exit code 1 if one is not there or does not arrive whole. */
    public static void main(String[] arguments) throws Exception {
        URI jar = URI.create(arguments[0]);
        Path folder = Files.createDirectories(Path.of(arguments[1]));
        Set<String> wanted = new java.util.TreeSet<>(java.util.List.of(arguments).subList(2, arguments.length));
        ByteBuffer directory = directory(jar);
        while (directory.remaining() >= ENTRY && !wanted.isEmpty()) {
            int at = directory.position();
            int nameLength = directory.getShort(at + 28) & 0xffff;
            String path = new String(directory.array(), at + ENTRY, nameLength, StandardCharsets.UTF_8);
            String name = path.substring(path.lastIndexOf('/') + 1);
            if (wanted.remove(name)) {
                fetch(jar, directory, at, folder.resolve(name));
            }
            directory.position(at + ENTRY + nameLength + (directory.getShort(at + 30) & 0xffff)
                    + (directory.getShort(at + 32) & 0xffff));
        }
        if (!wanted.isEmpty()) {
            System.err.println(jar + ": has no " + String.join(", ", wanted));
            System.exit(1);
        }
    }

    /** The central directory (APPNOTE.TXT, section 4.3.12); jars of 4 GiB and more are not read. */
    private static ByteBuffer directory(URI jar) throws IOException, InterruptedException {
        byte[] tail = range(jar, "bytes=-" + (END_RECORD + LONGEST_COMMENT)).readAllBytes();
        ByteBuffer end = ByteBuffer.wrap(tail).order(ByteOrder.LITTLE_ENDIAN);
        int at = tail.length - END_RECORD;
        while (at >= 0 && end.getInt(at) != 0x06054b50) {
            at--;
        }
        if (at < 0) {
            throw new IOException(jar + ": is no jar");
        }
        long size = end.getInt(at + 12) & 0xffffffffL;
        long offset = end.getInt(at + 16) & 0xffffffffL;
        byte[] bytes = range(jar, "bytes=" + offset + "-" + (offset + size - 1)).readAllBytes();
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static void fetch(URI jar, ByteBuffer directory, int at, Path file) throws IOException,
            InterruptedException {
        int method = directory.getShort(at + 10) & 0xffff;
        long checksum = directory.getInt(at + 16) & 0xffffffffL;
        long packed = directory.getInt(at + 20) & 0xffffffffL;
        long offset = directory.getInt(at + 42) & 0xffffffffL;
        ByteBuffer local = ByteBuffer.wrap(range(jar, "bytes=" + offset + "-" + (offset + LOCAL_HEADER - 1))
                .readAllBytes()).order(ByteOrder.LITTLE_ENDIAN);
        long data = offset + LOCAL_HEADER + (local.getShort(26) & 0xffff) + (local.getShort(28) & 0xffff);
        Path temporary = file.resolveSibling(file.getFileName() + ".part");
        InputStream raw = packed == 0
                ? new ByteArrayInputStream(new byte[0])
                : range(jar, "bytes=" + data + "-" + (data + packed - 1));
        CRC32 crc = new CRC32();
        try (InputStream in = new CheckedInputStream(
                method == 0 ? raw : new InflaterInputStream(raw, new Inflater(true), 1 << 16), crc)) {
            Files.copy(in, temporary, StandardCopyOption.REPLACE_EXISTING);
        }
        if (crc.getValue() != checksum) {
            throw new IOException(jar + ": " + file.getFileName() + " did not arrive whole");
        }
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        System.err.println(file.getFileName() + ": " + Files.size(file) + " bytes");
    }

    private static InputStream range(URI jar, String range) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(jar).header("Range", range).build();
        HttpResponse<InputStream> response = CLIENT.send(request, HttpResponse.BodyHandlers.ofInputStream());
        if (response.statusCode() != 206) {
            throw new IOException(jar + ": status " + response.statusCode() + " instead of a part of the file");
        }
        return response.body();
    }
}
