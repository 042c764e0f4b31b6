package dev.shrike.sources;

import dev.shrike.SourceException;
import dev.shrike.vision.Images;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystems;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
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

/** Images and videos that a folder or a glob stands for, sorted by name. */
public final class MediaFiles {
    /** Extensions of videos and animations, in lower case without the dot; those of YOLOv5 and WebM. */
    public static final Set<String> VIDEO_EXTENSIONS = Set.of("mp4", "avi", "mov", "mkv", "m4v", "mpg", "mpeg", "wmv",
            "webm", "asf", "ts", "gif");

    /** Which files are meant. */
    public enum Kind {
        IMAGES,
        IMAGES_AND_VIDEOS
    }

    private static final String FORMATS = Images.FORMATS;
    /** Of six {@code **}{@code /} each may stand for no folder. */
    private static final int MOST_PATTERNS = 64;

    private MediaFiles() {}

    /**
     * Those directly in the folder.
     *
     * @throws SourceException if there are none, or the folder may not be read
     */
    public static List<Path> inFolder(Path folder, Kind kind) {
        try (var entries = Files.newDirectoryStream(folder, file -> is(file, kind))) {
            List<Path> found = new ArrayList<>();
            entries.forEach(found::add);
            if (found.isEmpty()) {
                throw new SourceException(folder + ": no images (" + FORMATS + ") in this folder");
            }
            found.sort(null);
            return found;
        } catch (AccessDeniedException e) {
            throw new SourceException(folder + ": permission denied", e);
        } catch (IOException e) {
            throw new SourceException(folder + ": cannot be listed: " + e, e);
        }
    }

    /** Whether the text has a character that means something in a glob. */
    public static boolean isGlob(String text) {
        return text.chars().anyMatch(c -> "*?[{".indexOf(c) >= 0);
    }

    /**
     * Those that match {@code *}, {@code ?}, {@code [a-z]}, {@code {a,b}}, {@code **} across folders and none.
     *
     * @throws SourceException if none match, or it is no glob
     */
    public static List<Path> matching(String glob, Kind kind) {
        List<PathMatcher> matchers = matchers(glob);
        // Start below the last folder that is spelled out; the matcher sees paths in the form the pattern has.
        int firstWild = 0;
        while ("*?[{\\".indexOf(glob.charAt(firstWild)) < 0) {
            firstWild++;
        }
        int slash = glob.lastIndexOf('/', firstWild);
        String base = slash < 0 ? "" : glob.substring(0, slash + 1);
        int depth = glob.contains("**")
                ? Integer.MAX_VALUE
                : (int) glob.substring(slash + 1).chars().filter(c -> c == '/').count() + 1;
        List<Path> found = new ArrayList<>();
        try {
            Files.walkFileTree(Path.of(base.isEmpty() ? "." : base), EnumSet.noneOf(FileVisitOption.class), depth,
                    collector(base, matchers, kind, found));
        } catch (IOException e) {
            throw new SourceException(glob + ": cannot be listed: " + e, e);
        }
        if (found.isEmpty()) {
            throw new SourceException(glob + ": no images (" + FORMATS + ") match");
        }
        found.sort(null);
        return found;
    }

    private static SimpleFileVisitor<Path> collector(String base, List<PathMatcher> matchers, Kind kind,
            List<Path> found) {
        return new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                Path named = base.isEmpty() ? Path.of(".").relativize(file) : file;
                if (is(file, kind) && matchers.stream().anyMatch(matcher -> matcher.matches(named))) {
                    found.add(named);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
                // A folder that may not be read matches nothing, as in a shell.
                return FileVisitResult.CONTINUE;
            }
        };
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

    /** Whether the name is that of a video or an animation, and not hidden. */
    public static boolean isNamedLikeVideo(Path file) {
        String name = file.getFileName() == null ? "" : file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return dot > 0 && name.charAt(0) != '.'
                && VIDEO_EXTENSIONS.contains(name.substring(dot + 1).toLowerCase(Locale.ROOT));
    }

    private static boolean is(Path file, Kind kind) {
        return (Images.isNamedLikeOne(file) || kind == Kind.IMAGES_AND_VIDEOS && isNamedLikeVideo(file))
                && Files.isRegularFile(file);
    }
}
