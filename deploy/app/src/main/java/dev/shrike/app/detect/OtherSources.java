package dev.shrike.app.detect;

import dev.shrike.SourceException;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** Sources that are neither images nor folders nor globs: lists of these, and what YOLOv5 takes and we do not yet. */
final class OtherSources {
    private static final Pattern ADDRESS = Pattern.compile("(?i)([a-z][a-z0-9+.-]+)://.*");
    private static final Set<String> VIDEOS = Set.of("mp4", "avi", "mov", "mkv", "m4v", "mpg", "mpeg", "wmv", "webm",
            "asf", "ts", "gif");
    private static final Set<String> STREAMS = Set.of("rtsp", "rtmp", "rtp", "udp", "tcp", "srt", "mms");
    private static final String BYTE_ORDER_MARK = "\ufeff";

    private OtherSources() {}

    /**
     * Refuses addresses, and cameras by their number.
     *
     * @throws SourceException if it is one; says what to do instead
     */
    static void requireLocal(String source) {
        var address = ADDRESS.matcher(source);
        if (address.matches()) {
            String scheme = address.group(1).toLowerCase(java.util.Locale.ROOT);
            if (STREAMS.contains(scheme)) {
                throw new SourceException(source + ": streams are not read; let ffmpeg take images out of it:"
                        + " mkdir frames && ffmpeg -i " + quoted(source) + " -vf fps=1 frames/%05d.jpg");
            }
            throw new SourceException(source + ": addresses are not read; fetch the image first: curl -sL "
                    + quoted(source) + " | shrike detect -");
        }
    }

    /**
     * Says of a source that does not exist what it may be meant for.
     *
     * @throws SourceException always
     */
    static SourceException missing(String source) {
        if (source.matches("[0-9]{1,3}")) {
            return new SourceException(source + ": cameras are not read; let ffmpeg take images:"
                    + " mkdir frames && ffmpeg -f v4l2 -i /dev/video" + source + " -frames:v 10 frames/%05d.jpg");
        }
        if (source.equals("screen") || source.startsWith("screen ")) {
            return new SourceException(source + ": the screen is not read; save a screenshot and give its file");
        }
        return new SourceException(source + ": no such file or folder");
    }

    /**
     * Refuses devices and videos.
     *
     * @throws SourceException if the file is one; says what to do instead
     */
    static void requireNoVideo(Path file) {
        String name = file.toString();
        if (name.startsWith("/dev/video")) {
            throw new SourceException(name + ": cameras are not read; let ffmpeg take images:"
                    + " mkdir frames && ffmpeg -f v4l2 -i " + name + " -frames:v 10 frames/%05d.jpg");
        }
        if (VIDEOS.contains(Sources.Names.extension(file))) {
            throw new SourceException(name + ": videos and animations are not read (--vid-stride is for these); let"
                    + " ffmpeg take the images out: mkdir frames && ffmpeg -i " + quoted(name)
                    + " frames/%05d.jpg");
        }
        if (Sources.Names.extension(file).equals("streams")) {
            throw new SourceException(name + ": lists of streams are not read; give images, or a list of them"
                    + " (.txt)");
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
