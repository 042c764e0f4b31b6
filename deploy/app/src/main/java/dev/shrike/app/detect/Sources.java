package dev.shrike.app.detect;

import dev.shrike.SourceException;
import dev.shrike.sources.MediaFiles;
import dev.shrike.vision.Images;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * The images, videos and cameras that the sources on a command line stand for, in order.
 *
 * @param images files of images to look at
 * @param moving videos, cameras and streams to look at, as {@link dev.shrike.sources.Sources#open} takes them
 * @param problems one message for each source that stands for nothing
 */
public record Sources(List<Path> images, List<String> moving, List<String> problems) {
    /** Extensions of the formats that can be read, in lower case. */
    public static final Set<String> EXTENSIONS = Images.EXTENSIONS;

    public Sources {
        images = List.copyOf(images);
        moving = List.copyOf(moving);
        problems = List.copyOf(problems);
    }

    /**
     * Each source as what it stands for: a file for itself, one that ends in .txt for the sources that it lists, a
     * folder for the images and videos directly in it, a glob ({@code *}, {@code ?}, {@code [a-z]}, {@code {a,b}},
     * {@code **} across folders and none) for those that match, both sorted by name; {@code -} is the standard input,
     * once; a number or an address is a camera or stream.
     */
    public static Sources expand(List<String> sources) {
        List<Path> images = new ArrayList<>();
        List<String> moving = new ArrayList<>();
        List<String> problems = new ArrayList<>();
        sources.forEach(source -> add(source, true, images, moving, problems));
        return new Sources(images, moving, problems);
    }

    private static void add(String source, boolean mayList, List<Path> images, List<String> moving,
            List<String> problems) {
        try {
            if (OtherSources.isMoving(source)) {
                moving.add(source);
                return;
            }
            for (Path found : expand(source)) {
                if (mayList && OtherSources.isList(found)) {
                    OtherSources.list(found).forEach(line -> add(line, false, images, moving, problems));
                } else if (found == StandardInput.PATH && images.contains(found)) {
                    throw new SourceException("-: the standard input has one image only");
                } else if (MediaFiles.isNamedLikeVideo(found)) {
                    moving.add(found.toString());
                } else {
                    images.add(found);
                }
            }
        } catch (SourceException e) {
            problems.add(e.getMessage());
        }
    }

    /**
     * As {@link #expand(List)}, for those who read images more than once.
     *
     * @throws SourceException if a source stands for nothing or for the standard input
     */
    public static List<Path> files(List<String> sources) {
        Sources expanded = expand(sources);
        if (!expanded.problems().isEmpty()) {
            throw new SourceException(expanded.problems().getFirst());
        }
        if (!expanded.moving().isEmpty()) {
            throw new SourceException(dev.shrike.sources.Sources.name(expanded.moving().getFirst())
                    + ": moves; give images, a folder of them, or a glob that matches none but images");
        }
        if (expanded.images().contains(StandardInput.PATH)) {
            throw new SourceException("-: the standard input is for 'shrike detect'; give a folder, files or a glob");
        }
        return expanded.images();
    }

    private static List<Path> expand(String source) {
        if (source.isBlank()) {
            throw new SourceException("a source is empty; give an image, a folder or a glob");
        }
        if (source.equals("-")) {
            return List.of(StandardInput.PATH);
        }
        Path path;
        try {
            path = Path.of(source);
        } catch (InvalidPathException e) {
            throw new SourceException("'" + source + "' is no path: " + e.getReason(), e);
        }
        // A file whose name happens to look like a glob is that file.
        if (Files.isDirectory(path)) {
            return MediaFiles.inFolder(path, MediaFiles.Kind.IMAGES_AND_VIDEOS);
        }
        if (Files.exists(path)) {
            OtherSources.requireNoList(path);
            return List.of(path);
        }
        if (MediaFiles.isGlob(source)) {
            return MediaFiles.matching(source, MediaFiles.Kind.IMAGES_AND_VIDEOS);
        }
        throw OtherSources.missing(source);
    }

    /** Parts of file names. */
    static final class Names {
        private Names() {}

        /** The extension in lower case without the dot, or the empty string. */
        static String extension(Path file) {
            String name = name(file);
            int dot = name.lastIndexOf('.');
            return dot <= 0 ? "" : name.substring(dot + 1).toLowerCase(Locale.ROOT);
        }

        /** The name without the extension. */
        static String stem(Path file) {
            String name = name(file);
            int dot = name.lastIndexOf('.');
            return dot <= 0 ? name : name.substring(0, dot);
        }

        /** The last part of the path. */
        static String name(Path file) {
            Path name = file.getFileName();
            return name == null ? file.toString() : name.toString();
        }
    }
}
