package dev.shrike.sources;

import dev.shrike.SourceException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a source's URI stands for. Texts of errors never have the URI of a stream, which may hold a password. */
sealed interface SourceUri {
    /** What people may see: without credentials. */
    String name();

    /** A V4L2 device. */
    record Device(String name, Path path) implements SourceUri {}

    /** A stream of the network. */
    record Stream(StreamAddress address) implements SourceUri {
        @Override
        public String name() {
            return address.name();
        }
    }

    /** A video file. */
    record Video(Path file) implements SourceUri {
        @Override
        public String name() {
            return file.toString();
        }
    }

    /** Image files. */
    record Images(String name, List<Path> files) implements SourceUri {
        public Images {
            files = List.copyOf(files);
        }
    }

    /** A camera on the CSI of a Raspberry Pi or Jetson. */
    record Csi(int number) implements SourceUri {
        @Override
        public String name() {
            return "csi://" + number;
        }
    }

    /** A generated pattern. */
    record Test(TestPattern pattern) implements SourceUri {
        @Override
        public String name() {
            return pattern.name();
        }
    }

    /** Schemes of streams. */
    Set<String> STREAMS = Set.of("rtsp", "rtsps", "rtmp", "http", "https", "udp", "tcp");
    /** Kinds of source, for people. */
    String KINDS =
            "/dev/video0, v4l2:by-path/…, v4l2:by-id/…, csi://0, rtsp://…, http://…, a video, an image, a folder,"
                    + " a glob or test://pattern";

    /**
     * The source that the text stands for.
     *
     * @throws SourceException if it stands for none
     */
    static SourceUri parse(String text) {
        if (text.isBlank()) {
            throw new SourceException("a source is empty; give " + KINDS);
        }
        if (text.matches("[0-9]{1,3}") && !Files.exists(Path.of(text))) {
            return device("/dev/video" + Integer.parseInt(text));
        }
        if (text.startsWith("/dev/video") || text.startsWith("/dev/v4l/")) {
            return device(text);
        }
        if (text.startsWith("v4l2:")) {
            return v4l2(text.substring("v4l2:".length()));
        }
        Matcher address = Pattern.compile("([A-Za-z][A-Za-z0-9+.-]+)://(.*)", Pattern.DOTALL).matcher(text);
        if (address.matches()) {
            return addressed(address.group(1).toLowerCase(Locale.ROOT), address.group(2));
        }
        return local(text);
    }

    private static SourceUri addressed(String scheme, String rest) {
        if (STREAMS.contains(scheme)) {
            return new Stream(StreamAddress.parse(scheme, rest));
        }
        return switch (scheme) {
            case "file" -> local(rest.startsWith("localhost/") ? rest.substring("localhost".length()) : rest);
            case "v4l2" -> v4l2(rest);
            case "csi" -> {
                if (!rest.matches("[0-9]")) {
                    throw new SourceException("csi://" + rest + ": the number of the camera is one digit: csi://0");
                }
                yield new Csi(Integer.parseInt(rest));
            }
            case "test" -> new Test(TestPattern.parse(rest));
            default -> throw new SourceException(scheme + "://…: no kind of source; give " + KINDS);
        };
    }

    private static SourceUri v4l2(String rest) {
        if (rest.startsWith("by-path/") || rest.startsWith("by-id/")) {
            return device("/dev/v4l/" + rest);
        }
        if (rest.startsWith("/dev/")) {
            return device(rest);
        }
        throw new SourceException("v4l2:" + rest + ": give v4l2:by-path/NAME or v4l2:by-id/NAME, whose names"
                + " 'ls /dev/v4l/by-path /dev/v4l/by-id' lists, or v4l2:/dev/video0");
    }

    private static Device device(String path) {
        if (path.contains("/../") || path.indexOf('\0') >= 0) {
            throw new SourceException(path + ": no path of a camera");
        }
        return new Device(path, Path.of(path));
    }

    private static SourceUri local(String text) {
        Path path;
        try {
            path = Path.of(text);
        } catch (InvalidPathException e) {
            throw new SourceException("'" + text + "' is no path: " + e.getReason(), e);
        }
        if (Files.isDirectory(path)) {
            return new Images(text, MediaFiles.inFolder(path, MediaFiles.Kind.IMAGES));
        }
        if (Files.exists(path)) {
            return dev.shrike.vision.Images.isNamedLikeOne(path) ? new Images(text, List.of(path)) : new Video(path);
        }
        if (MediaFiles.isGlob(text)) {
            return new Images(text, MediaFiles.matching(text, MediaFiles.Kind.IMAGES));
        }
        throw new SourceException(text + ": no such file or folder; a source is " + KINDS);
    }
}
