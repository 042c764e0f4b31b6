package dev.shrike.app.device;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.NoSuchElementException;

/**
 * Files of a board below a folder, from one text of the test resources that holds them all: {@code == PATH}, then the
 * file. Written from documented layouts.
 */
public final class RecordedDevice {
    private RecordedDevice() {}

    /** Writes the files of a board and gives their root. */
    public static Path unpack(String name, Path root) {
        try (InputStream in = RecordedDevice.class.getResourceAsStream("/devices/" + name + ".tree")) {
            if (in == null) {
                throw new NoSuchElementException("no recorded device " + name);
            }
            String all = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            for (String part : all.split("(?m)^== ")) {
                if (!part.isEmpty()) {
                    int end = part.indexOf('\n');
                    put(root, part.substring(0, end), part.substring(end + 1));
                }
            }
            return root;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes one file. */
    public static void put(Path root, String path, String text) {
        try {
            Files.createDirectories(root.resolve(path).getParent());
            Files.writeString(root.resolve(path), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
