package dev.shrike.app.detect;

import dev.shrike.SourceException;
import dev.shrike.vision.Images;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.PatternSyntaxException;

/**
 * The images that the sources on a command line stand for, in order.
 *
 * @param images files to look at
 * @param problems one message for each source that stands for nothing
 */
public record Sources(List<Path> images, List<String> problems) {
    /** Extensions of the formats that can be read, in lower case. */
    public static final Set<String> EXTENSIONS = Images.EXTENSIONS;

    private static final String FORMATS = Images.FORMATS;
    /** Of six {@code **}{@code /} each may stand for no folder. */
    private static final int MOST_PATTERNS = 64;

    public Sources {
        images = List.copyOf(images);
        problems = List.copyOf(problems);
    }

    /**
     * Each source as images: a file stands for itself, one that ends in .txt for the sources that it lists, a folder
     * for the images directly in it, a glob ({@code *}, {@code ?}, {@code [a-z]}, {@code {a,b}}, {@code **} across
     * folders and none) for those that match, both sorted by name; {@code -} is the standard input, once.
     */
    public static Sources expand(List<String> sources) {
        List<Path> images = new ArrayList<>();
        List<String> problems = new ArrayList<>();
        sources.forEach(source -> add(source, true, images, problems));
        return new Sources(images, problems);
    }

    private static void add(String source, boolean mayList, List<Path> images, List<String> problems) {
        try {
            for (Path found : expand(source)) {
                if (mayList && OtherSources.isList(found)) {
                    OtherSources.list(found).forEach(line -> add(line, false, images, problems));
                } else if (found == StandardInput.PATH && images.contains(found)) {
                    throw new SourceException("-: the standard input has one image only");
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
        OtherSources.requireLocal(source);
        Path path;
        try {
            path = Path.of(source);
        } catch (InvalidPathException e) {
            throw new SourceException("'" + source + "' is no path: " + e.getReason(), e);
        }
        try {
            // A file whose name happens to look like a glob is that file.
            if (Files.isDirectory(path)) {
                return folder(path);
            }
            if (Files.exists(path)) {
                OtherSources.requireNoVideo(path);
                return List.of(path);
            }
            if (isGlob(source)) {
                return glob(source);
            }
        } catch (IOException e) {
            throw new SourceException(source + ": cannot be listed: " + e, e);
        }
        throw OtherSources.missing(source);
    }

    private static List<Path> folder(Path folder) throws IOException {
        try (var entries = Files.newDirectoryStream(folder, Sources::isImage)) {
            List<Path> found = new ArrayList<>();
            entries.forEach(found::add);
            if (found.isEmpty()) {
                throw new SourceException(folder + ": no images (" + FORMATS + ") in this folder");
            }
            found.sort(null);
            return found;
        } catch (java.nio.file.AccessDeniedException e) {
            throw new SourceException(folder + ": permission denied", e);
        }
    }

    private static boolean isGlob(String source) {
        return source.chars().anyMatch(c -> "*?[{".indexOf(c) >= 0);
    }

    private static List<Path> glob(String source) throws IOException {
        List<PathMatcher> matchers = matchers(source);
        // Start below the last folder that is spelled out; the matcher sees paths in the form the pattern has.
        int firstWild = 0;
        while ("*?[{\\".indexOf(source.charAt(firstWild)) < 0) {
            firstWild++;
        }
        int slash = source.lastIndexOf('/', firstWild);
        String base = slash < 0 ? "" : source.substring(0, slash + 1);
        int depth = source.contains("**")
                ? Integer.MAX_VALUE
                : (int) source.substring(slash + 1).chars().filter(c -> c == '/').count() + 1;
        List<Path> found = new ArrayList<>();
        Files.walkFileTree(
                Path.of(base.isEmpty() ? "." : base),
                EnumSet.noneOf(java.nio.file.FileVisitOption.class),
                depth,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                        Path named = base.isEmpty() ? Path.of(".").relativize(file) : file;
                        if (isImage(file) && matchers.stream().anyMatch(matcher -> matcher.matches(named))) {
                            found.add(named);
                        }
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException e) {
                        // A folder that may not be read matches nothing, as in a shell.
                        return FileVisitResult.CONTINUE;
                    }
                });
        if (found.isEmpty()) {
            throw new SourceException(source + ": no images (" + FORMATS + ") match");
        }
        found.sort(null);
        return found;
    }

    /** Java's globs want a folder for each {@code **}{@code /}; shells and Python take none as well. */
    private static List<PathMatcher> matchers(String source) {
        List<String> patterns = new ArrayList<>(List.of(source));
        for (int i = 0; i < patterns.size() && patterns.size() < MOST_PATTERNS; i++) {
            String pattern = patterns.get(i);
            for (int at = pattern.indexOf("**/"); at >= 0; at = pattern.indexOf("**/", at + 1)) {
                String shorter = pattern.substring(0, at) + pattern.substring(at + 3);
                if ((at == 0 || pattern.charAt(at - 1) == '/') && !patterns.contains(shorter)) {
                    patterns.add(shorter);
                }
            }
        }
        try {
            return patterns.stream().map(pattern -> FileSystems.getDefault().getPathMatcher("glob:" + pattern))
                    .toList();
        } catch (PatternSyntaxException e) {
            throw new SourceException(source + ": neither a file nor a glob: " + e.getDescription(), e);
        }
    }

    private static boolean isImage(Path file) {
        return Images.isNamedLikeOne(file) && Files.isRegularFile(file);
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
