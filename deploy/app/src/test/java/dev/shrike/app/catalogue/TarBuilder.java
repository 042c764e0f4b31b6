package dev.shrike.app.catalogue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;

/** Writes tar archives, good and bad ones, byte by byte. */
final class TarBuilder {
    private final ByteArrayOutputStream tar = new ByteArrayOutputStream();

    TarBuilder file(String name, byte[] content) {
        return entry(name, '0', content.length, content);
    }

    /** A member whose header may lie about the size of what follows. */
    TarBuilder entry(String name, char type, long declared, byte[] content) {
        byte[] header = new byte[512];
        put(header, 0, name);
        put(header, 100, "0000644\0");
        put(header, 108, "0000000\0");
        put(header, 116, "0000000\0");
        put(header, 124, String.format("%011o\0", declared));
        put(header, 136, "00000000000\0");
        put(header, 148, "        ");
        header[156] = (byte) type;
        put(header, 257, "ustar\00000");
        int sum = 0;
        for (byte b : header) {
            sum += b & 0xff;
        }
        put(header, 148, String.format("%06o\0 ", sum));
        tar.writeBytes(header);
        tar.writeBytes(content);
        tar.writeBytes(new byte[Math.floorMod(-content.length, 512)]);
        return this;
    }

    TarBuilder raw(byte[] bytes) {
        tar.writeBytes(bytes);
        return this;
    }

    TarBuilder pax(String key, String value) {
        String body = " " + key + "=" + value + "\n";
        // The length counts its own digits.
        int length = body.length() + Integer.toString(body.length() + 2).length();
        byte[] record = (length + body).getBytes(StandardCharsets.UTF_8);
        return entry("PaxHeader/x", 'x', record.length, record);
    }

    byte[] gzip() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream zip = new GZIPOutputStream(out)) {
            tar.writeTo(zip);
            zip.write(new byte[1024]);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    Path write(Path file) throws IOException {
        return Files.write(file, gzip());
    }

    private static void put(byte[] header, int at, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        System.arraycopy(bytes, 0, header, at, bytes.length);
    }
}
