package dev.shrike.examples.flink;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Locale;
import java.util.Set;

/** The names of the images below a folder, one a line, in a file. */
final class ImageList {
    private static final Set<String> ENDINGS = Set.of("jpg", "jpeg", "png", "bmp", "webp", "tif", "tiff");

    private ImageList() {
    }

    /** Writes the list and returns how many names are in it; a million of them are never in memory at once. */
    static long write(Path folder, Path list) throws IOException {
        long[] count = new long[1];
        try (BufferedWriter out = Files.newBufferedWriter(list)) {
            Files.walkFileTree(folder.toAbsolutePath(), new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    String name = file.toString();
                    String ending = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
                    if (attributes.isRegularFile() && ENDINGS.contains(ending) && name.indexOf('\n') < 0) {
                        out.write(name);
                        out.write('\n');
                        count[0]++;
                    }
                    return FileVisitResult.CONTINUE;
                }
            });
        }
        return count[0];
    }
}
