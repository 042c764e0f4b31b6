package dev.shrike.sources;

import dev.shrike.SourceException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Opens cameras, streams and files by their URI. */
public final class Sources {
    private Sources() {}

    /** As {@link #open(String, SourceOptions)} with {@link SourceOptions#DEFAULTS}. */
    public static FrameSource open(String uri) {
        return open(uri, SourceOptions.DEFAULTS);
    }

    /**
     * The source that the URI stands for:
     *
     * <table>
     * <caption>URIs</caption>
     * <tr><td>{@code 0}, {@code /dev/video0}</td><td>a V4L2 camera by its number, which may change</td></tr>
     * <tr><td>{@code v4l2:by-path/NAME}, {@code v4l2:by-id/NAME}</td><td>the camera on that port, that very camera</td></tr>
     * <tr><td>{@code rtsp://HOST/PATH}, {@code rtsps:}, {@code rtmp:}, {@code http:}, {@code https:}</td><td>a
     * stream</td></tr>
     * <tr><td>{@code clip.mp4}</td><td>a video file</td></tr>
     * <tr><td>{@code csi://0}</td><td>a camera on the CSI of a Raspberry Pi or Jetson</td></tr>
     * <tr><td>{@code folder}, {@code 'in/*.jpg'}, {@code image.jpg}</td><td>image files, by name</td></tr>
     * <tr><td>{@code test://pattern?size=640x480&fps=25&seed=1}</td><td>a moving pattern</td></tr>
     * </table>
     *
     * <p>Cameras and streams need not be there: the source connects when the first frame is asked for, and tries until
     * it can.
     *
     * @throws SourceException if there can be no such source: a missing file, an unknown scheme, an option that it has
     *     no use for
     */
    public static FrameSource open(String uri, SourceOptions options) {
        SourceUri parsed = SourceUri.parse(uri);
        requireUseful(parsed, options);
        FrameSource source = open(parsed, options);
        return options.rotation() != 0 || options.mirror() ? new TurnedSource(source, options) : source;
    }

    private static FrameSource open(SourceUri parsed, SourceOptions options) {
        return switch (parsed) {
            case SourceUri.Images images -> new FolderSource(images.name(), images.files(), options);
            case SourceUri.Test test -> new TestSource(test.pattern(), options);
            case SourceUri.Device device -> returning(device.name(),
                    new V4l2Link(device.path(), options, new CLibrary(), UsbCameras.HERE));
            case SourceUri.Stream stream ->
                returning(stream.name(), new StreamLink(stream.address(), options));
            case SourceUri.Video video -> new VideoSource(video.file(), options);
            case SourceUri.Csi csi -> returning(csi.name(), new ChildLink(CsiCamera.find(csi.number(), options,
                    Path.of("/"), System.getenv().getOrDefault("PATH", "")), options));
        };
    }

    private static FrameSource returning(String name, Link link) {
        return new ReconnectingSource(name, link, new BackOff(new Random()));
    }

    /** What people may see of a source's URI, which may have a password in it. */
    public static String name(String uri) {
        try {
            return SourceUri.parse(uri).name();
        } catch (SourceException e) {
            return uri.contains("@") ? uri.replaceFirst("(?s)://.*@", "://***@") : uri;
        }
    }

    private static void requireUseful(SourceUri uri, SourceOptions options) {
        boolean camera = uri instanceof SourceUri.Device || uri instanceof SourceUri.Csi;
        boolean stream = uri instanceof SourceUri.Stream;
        boolean file = uri instanceof SourceUri.Video || uri instanceof SourceUri.Images;
        List<String> useless = new ArrayList<>();
        if (options.width() > 0 && !camera) {
            useless.add("size (only cameras can be asked for one)");
        }
        if (options.format().isPresent() && !(uri instanceof SourceUri.Device)) {
            useless.add("pixel format (only V4L2 cameras can be asked for one)");
        }
        if (options.loop() && !file) {
            useless.add("loop (only files end)");
        }
        if (options.realTime() && !file) {
            useless.add("real time (only files are not)");
        }
        if (!options.user().isEmpty() && !stream) {
            useless.add("user and password (only streams ask for them)");
        }
        if (!options.decoder().isEmpty() && !stream && !(uri instanceof SourceUri.Video)) {
            useless.add("decoder (only streams and videos have one)");
        }
        if (!useless.isEmpty()) {
            throw new SourceException(uri.name() + ": has no use for " + String.join(", ", useless));
        }
    }
}
