package dev.shrike.app.detect;

import dev.shrike.SourceException;
import dev.shrike.vision.Images;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Sources that are neither images nor folders nor globs: lists of these, cameras and streams. */
final class OtherSources {
    private static final Pattern ADDRESS = Pattern.compile("(?i)([a-z][a-z0-9+.-]+)://.*");
    private static final String BYTE_ORDER_MARK = "\ufeff";

    private OtherSources() {}

    /**
     * Whether the source is a camera or a stream.
     *
     * @throws SourceException if it is an address that none of them has; says what to do instead
     */
    static boolean isMoving(String source) {
        if (source.matches("[0-9]{1,3}") && !Files.exists(Path.of(source)) || source.startsWith("/dev/video")
                || source.startsWith("/dev/v4l/") || source.startsWith("v4l2:")) {
            return true;
        }
        var address = ADDRESS.matcher(source);
        if (!address.matches()) {
            return false;
        }
        String scheme = address.group(1).toLowerCase(Locale.ROOT);
        String path = source.replaceFirst("[?#].*", "").toLowerCase(Locale.ROOT);
        if (scheme.startsWith("http")
                && Images.EXTENSIONS.stream().anyMatch(extension -> path.endsWith("." + extension))) {
            throw new SourceException(shown(source) + ": images of the web are not read; fetch it first: curl -sL "
                    + quoted(shown(source)) + " | shrike detect -");
        }
        return true;
    }

    /** Whether the moving source is a camera or stream rather than a file or pattern. */
    static boolean isEndless(String source) {
        return isMoving(source) && !source.startsWith("test:") && !source.startsWith("file:");
    }

    private static String shown(String source) {
        return dev.shrike.sources.Sources.name(source);
    }

    /**
     * Says of a source that does not exist what it may be meant for.
     *
     * @throws SourceException always
     */
    static SourceException missing(String source) {
        if (source.equals("screen") || source.startsWith("screen ")) {
            return new SourceException(source + ": the screen is not read; save a screenshot and give its file");
        }
        return new SourceException(source + ": no such file or folder");
    }

    /**
     * Refuses YOLOv5's lists of streams.
     *
     * @throws SourceException if the file is one; says what to do instead
     */
    static void requireNoList(Path file) {
        if (Sources.Names.extension(file).equals("streams")) {
            throw new SourceException(file + ": lists of streams are not read; 'shrike serve' looks at several cameras"
                    + " at once");
        }
    }

    /** Whether the file is a list of sources by its name. */
    static boolean isList(Path file) {
        return Sources.Names.extension(file).equals("txt");
    }

    /**
     * The sources that a list has, one a line: as given if there is such a file from here, else from the folder of the
     * list.
     *
     * @throws SourceException if the list is empty, no text, or cannot be read
     */
    static List<String> list(Path file) {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (MalformedInputException e) {
            throw new SourceException(file + ": is no list of images in UTF-8, as files that end in .txt should be",
                    e);
        } catch (java.nio.file.AccessDeniedException e) {
            throw new SourceException(file + ": permission denied", e);
        } catch (IOException e) {
            throw new SourceException(file + ": cannot be read: " + e.getMessage(), e);
        }
        List<String> sources = new ArrayList<>();
        for (String line : lines) {
            String source = line.replace(BYTE_ORDER_MARK, "").strip();
            if (!source.isEmpty()) {
                sources.add(resolved(source, file));
            }
        }
        if (sources.isEmpty()) {
            throw new SourceException(file + ": lists no images; it should have one path a line");
        }
        return sources;
    }

    private static String resolved(String source, Path list) {
        try {
            Path parent = list.toAbsolutePath().getParent();
            if (ADDRESS.matcher(source).matches() || Path.of(source).isAbsolute() || Files.exists(Path.of(source))) {
                return source;
            }
            Path beside = parent.resolve(source);
            boolean glob = source.chars().anyMatch(c -> "*?[{".indexOf(c) >= 0);
            return Files.exists(beside) || glob ? beside.toString() : source;
        } catch (InvalidPathException e) {
            // told where the source is looked at
            return source;
        }
    }

    /** The text as one word of a shell. */
    private static String quoted(String text) {
        return text.matches("[A-Za-z0-9@%+=:,./_-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
    }
}
