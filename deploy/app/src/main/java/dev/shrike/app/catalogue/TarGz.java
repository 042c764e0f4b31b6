package dev.shrike.app.catalogue;

import dev.shrike.ShrikeException;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * Takes chosen files out of a gzipped POSIX tar (IEEE Std 1003.1, ustar and pax interchange formats). Names inside the
 * archive never become paths: a wanted member goes to the path its asker gave, all others are only skipped, and links
 * and devices are never made.
 */
final class TarGz {
    /** No package of the catalogue unpacks to more; a zip bomb does. */
    static final long LIMIT = 256L << 20;

    private static final int BLOCK = 512;
    private static final int PAX_LIMIT = 1 << 16;

    private final Path archive;
    private final InputStream in;
    private long unpacked;
    private String paxPath = "";
    private long paxSize = -1;

    private TarGz(Path archive, InputStream in) {
        this.archive = archive;
        this.in = in;
    }

    /**
     * Writes each wanted member to its path, which must not exist yet.
     *
     * @param wanted target by member name
     * @throws ShrikeException if the archive is broken or hostile, or lacks a wanted member
     * @throws IOException if a target cannot be written
     */
    static void extract(Path archive, Map<String, Path> wanted) throws IOException {
        try (InputStream file = Files.newInputStream(archive);
                InputStream in = new BufferedInputStream(new GZIPInputStream(file, 1 << 16), 1 << 16)) {
            new TarGz(archive, in).extract(wanted);
        } catch (ZipException | EOFException e) {
            throw new ShrikeException("package " + archive.getFileName() + " is truncated or not gzip: "
                    + e.getMessage() + "; fetch it again", e);
        }
    }

    private void extract(Map<String, Path> wanted) throws IOException {
        Set<String> found = new HashSet<>();
        byte[] header = new byte[BLOCK];
        while (true) {
            count(BLOCK);
            readFully(header);
            if (isZero(header)) {
                break;
            }
            checkSum(header);
            char type = (char) (header[156] & 0xff);
            long size = number(header, 124, 12);
            if (type == 'x' || type == 'g') {
                readPax(type, size);
                continue;
            }
            String name = paxPath.isEmpty() ? name(header) : paxPath;
            size = paxSize >= 0 ? paxSize : size;
            paxPath = "";
            paxSize = -1;
            checkName(name);
            Path target = wanted.get(name);
            if (target == null) {
                copy(size, OutputStream.nullOutputStream());
                continue;
            }
            if (type != '0' && type != 0) {
                throw broken("'" + name + "' is not a regular file");
            }
            if (!found.add(name)) {
                throw broken("'" + name + "' is in it twice");
            }
            try (OutputStream out = Files.newOutputStream(target, StandardOpenOption.CREATE_NEW)) {
                copy(size, out);
            }
        }
        for (String name : wanted.keySet()) {
            if (!found.contains(name)) {
                throw broken("it holds no '" + name + "'");
            }
        }
    }

    private void copy(long size, OutputStream out) throws IOException {
        count(size);
        byte[] buffer = new byte[1 << 16];
        long left = size;
        while (left > 0) {
            int n = in.read(buffer, 0, (int) Math.min(buffer.length, left));
            if (n < 0) {
                throw new EOFException("unexpected end of the archive");
            }
            out.write(buffer, 0, n);
            left -= n;
        }
        in.skipNBytes(padding(size));
    }

    /** Records "LENGTH KEY=VALUE\n"; only path and size of the next member matter here. */
    private void readPax(char type, long size) throws IOException {
        if (size > PAX_LIMIT) {
            throw broken("an extended header has " + size + " bytes");
        }
        count(size);
        byte[] data = new byte[(int) size];
        readFully(data);
        in.skipNBytes(padding(size));
        Map<String, String> records = paxRecords(data);
        if (type == 'x') {
            paxPath = records.getOrDefault("path", "");
            paxSize = records.containsKey("size") ? decimal(records.get("size")) : -1;
        }
    }

    private Map<String, String> paxRecords(byte[] data) {
        Map<String, String> records = new HashMap<>();
        int at = 0;
        while (at < data.length) {
            int space = at;
            while (space < data.length && data[space] != ' ') {
                space++;
            }
            long length = decimal(new String(data, at, space - at, StandardCharsets.US_ASCII));
            if (length < space - at + 3 || length > data.length - at) {
                throw broken("an extended header has a record of " + length + " bytes");
            }
            String record = new String(data, space + 1, (int) (at + length - space - 2), StandardCharsets.UTF_8);
            int equals = record.indexOf('=');
            if (equals > 0) {
                records.put(record.substring(0, equals), record.substring(equals + 1));
            }
            at += (int) length;
        }
        return records;
    }

    private long decimal(String text) {
        if (text.isEmpty() || text.length() > 15 || !text.chars().allMatch(c -> c >= '0' && c <= '9')) {
            throw broken("'" + printable(text) + "' stands where a number should");
        }
        return Long.parseLong(text);
    }

    private void count(long size) {
        unpacked += size;
        if (size < 0 || unpacked > LIMIT) {
            throw broken("it unpacks to more than " + LIMIT + " bytes");
        }
    }

    private static String name(byte[] header) {
        String name = text(header, 0, 100);
        String prefix = text(header, 345, 155);
        return prefix.isEmpty() ? name : prefix + "/" + name;
    }

    private static String text(byte[] header, int offset, int length) {
        int end = offset;
        while (end < offset + length && header[end] != 0) {
            end++;
        }
        return new String(header, offset, end - offset, StandardCharsets.UTF_8);
    }

    private void checkName(String name) {
        boolean climbs = name.startsWith("/");
        for (String part : name.split("/")) {
            climbs |= part.equals("..");
        }
        if (climbs || name.indexOf('\0') >= 0) {
            throw broken("member '" + printable(name) + "' points out of the package");
        }
    }

    private void checkSum(byte[] header) {
        long sum = 0;
        for (int i = 0; i < BLOCK; i++) {
            sum += i >= 148 && i < 156 ? ' ' : header[i] & 0xff;
        }
        if (sum != number(header, 148, 8)) {
            throw broken("a header's checksum is wrong");
        }
    }

    /** An octal number, blanks around it; the base-256 form is for files beyond 8 GiB, which nothing here has. */
    private long number(byte[] header, int offset, int length) {
        String digits = new String(header, offset, length, StandardCharsets.ISO_8859_1).replace('\0', ' ').strip();
        if (digits.isEmpty()) {
            return 0;
        }
        if (digits.length() > 12 || !digits.chars().allMatch(c -> c >= '0' && c <= '7')) {
            throw broken("'" + printable(digits) + "' stands where an octal number should");
        }
        return Long.parseLong(digits, 8);
    }

    private void readFully(byte[] target) throws IOException {
        if (in.readNBytes(target, 0, target.length) < target.length) {
            throw new EOFException("unexpected end of the archive");
        }
    }

    private static boolean isZero(byte[] block) {
        for (byte b : block) {
            if (b != 0) {
                return false;
            }
        }
        return true;
    }

    private static long padding(long size) {
        return Math.floorMod(-size, (long) BLOCK);
    }

    private static String printable(String text) {
        return text.replaceAll("\\p{Cntrl}", "?");
    }

    private ShrikeException broken(String what) {
        return new ShrikeException("package " + archive.getFileName() + " is not what it should be: " + what);
    }
}
