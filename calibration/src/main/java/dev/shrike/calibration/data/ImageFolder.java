package dev.shrike.calibration.data;

import dev.shrike.vision.Images;
import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * The images in a folder and the folders in it, through symbolic links, by their names; hidden files and folders are
 * left alone, as those are that macOS and editors make beside images.
 *
 * @param images sorted by path
 * @param otherKinds files that are no images and no labels
 * @param problems what could not be listed, and files of image formats that are not read
 */
record ImageFolder(List<Path> images, int otherKinds, List<Problem> problems) {
    private static final int DEEPEST = 16;

    /** What lies among images and says something about them. */
    private static final Set<String> NOTES = Set.of(
            "txt", "cache", "json", "xml", "yaml", "yml", "csv", "md", "npy", "html", "ini", "db", "gz");

    /** Formats of images and films that people expect to be read. */
    private static final Set<String> EXPECTED = Set.of(
            "gif", "heic", "heif", "avif", "jxl", "jp2", "j2k", "svg", "psd", "dng", "cr2", "nef", "arw", "raw", "ico",
            "tga", "pbm", "pgm", "ppm", "pnm", "pfm", "exr", "hdr", "mp4", "avi", "mov", "mkv");

    /**
     * What is in the folder.
     *
     * @throws IOException if the folder itself cannot be listed
     */
    static ImageFolder list(Path folder) throws IOException {
        Visitor visitor = new Visitor(folder);
        Files.walkFileTree(folder, Set.of(FileVisitOption.FOLLOW_LINKS), DEEPEST, visitor);
        visitor.images.sort(null);
        return new ImageFolder(List.copyOf(visitor.images), visitor.otherKinds, List.copyOf(visitor.problems));
    }

    private static final class Visitor extends SimpleFileVisitor<Path> {
        private final Path root;
        private final List<Path> images = new ArrayList<>();
        private final List<Problem> problems = new ArrayList<>();
        private int otherKinds;

        Visitor(Path root) {
            this.root = root;
        }

        @Override
        public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
            String name = String.valueOf(folder.getFileName());
            boolean hidden = !folder.equals(root) && (name.startsWith(".") || name.equals("__MACOSX"));
            return hidden ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            String name = file.getFileName().toString();
            String extension = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
            if (attributes.isSymbolicLink() && Images.isNamedLikeOne(file)) {
                problems.add(new Problem(Problem.Kind.MISSING_IMAGE, file + ": is a link to a file that is missing"));
            }
            if (!attributes.isRegularFile()) {
                return FileVisitResult.CONTINUE;
            }
            if (Images.isNamedLikeOne(file)) {
                images.add(file);
            } else if (name.startsWith(".")) {
                otherKinds += Images.EXTENSIONS.contains(extension) ? 1 : 0;
            } else if (!NOTES.contains(extension)) {
                otherKinds++;
                if (EXPECTED.contains(extension)) {
                    problems.add(new Problem(Problem.Kind.OTHER_FORMAT, file + ": "
                            + extension.toUpperCase(Locale.ROOT) + " files are not read: convert it to PNG or JPEG"));
                }
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
            if (file.equals(root)) {
                throw e;
            }
            // A link to a folder above itself: what is there is listed already.
            if (!(e instanceof FileSystemLoopException)) {
                problems.add(new Problem(Problem.Kind.UNREADABLE_FOLDER, file + ": cannot be listed: " + e));
            }
            return FileVisitResult.CONTINUE;
        }

        @Override
        public FileVisitResult postVisitDirectory(Path folder, IOException e) {
            if (e != null) {
                problems.add(new Problem(Problem.Kind.UNREADABLE_FOLDER, folder + ": cannot be listed: " + e));
            }
            return FileVisitResult.CONTINUE;
        }
    }
}
