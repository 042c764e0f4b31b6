package dev.shrike.app.detect;

import dev.shrike.sources.SourceOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Options for videos, cameras and streams. */
final class MovingOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--vid-stride", paramLabel = "N", defaultValue = "1",
            description = "Look at every Nth frame of videos, cameras and streams (default: ${DEFAULT-VALUE}).")
    private int stride;

    @Option(names = "--track",
            description = "Follow objects over the frames of videos, cameras and streams (ByteTrack): those in at least"
                    + " two frames are reported, each with an id that is drawn, in --json and last in the lines of"
                    + " --save-txt. --conf is the score that begins a track; weaker ones go on with it.")
    private boolean track;

    @Option(names = "--view",
            description = "Show what is seen on a page of this machine, whose address is printed, while the run lasts.")
    private boolean view;

    @Option(names = "--view-port", paramLabel = "PORT", defaultValue = "0", hidden = true,
            description = "TCP port of --view (default: a free one).")
    private int viewPort;

    @Option(names = "--camera-size", paramLabel = "WIDTHxHEIGHT", hidden = true,
            description = "Size that a camera is asked for (default: what it has).")
    private String size;

    @Option(names = "--camera-fps", paramLabel = "N", hidden = true,
            description = "Frames a second: what a camera is asked for, the most taken of others (default: all).")
    private double rate;

    @Option(names = "--rotate", paramLabel = "DEGREES", defaultValue = "0", hidden = true,
            description = "Turn frames clockwise by 90, 180 or 270 degrees.")
    private int rotation;

    @Option(names = "--mirror", hidden = true, description = "Mirror frames, left to right, after turning them.")
    private boolean mirror;

    @Option(names = "--rtsp-transport", paramLabel = "tcp|udp", defaultValue = "tcp", hidden = true,
            description = "What RTSP travels on (default: ${DEFAULT-VALUE}).")
    private String transport;

    @Option(names = "--decoder", paramLabel = "NAME", defaultValue = "", hidden = true,
            description = "Decoder of FFmpeg to try first (default: h264_v4l2m2m on a Raspberry Pi up to the 4,"
                    + " then the usual one).")
    private String decoder;

    @Option(names = "--stream-login", paramLabel = "FILE", hidden = true,
            description = "File with the user in its first line and the password in its second, so that neither is"
                    + " among the arguments, which everybody can see.")
    private String login;

    /** How videos, cameras and streams are to be read. */
    DetectRequest.Moving moving() {
        if (stride < 1) {
            throw usage("--vid-stride " + stride + " is less than 1");
        }
        if (viewPort < 0 || viewPort > 65_535) {
            throw usage("--view-port " + viewPort + " is no TCP port");
        }
        SourceOptions.Builder options = SourceOptions.builder().rate(rate).rotation(rotation).mirror(mirror)
                .decoder(decoder);
        if (size != null) {
            if (!size.matches("[0-9]{1,5}x[0-9]{1,5}")) {
                throw usage("--camera-size " + size + " is no WIDTHxHEIGHT");
            }
            int x = size.indexOf('x');
            options.size(Integer.parseInt(size.substring(0, x)), Integer.parseInt(size.substring(x + 1)));
        }
        options.transport(switch (transport) {
            case "tcp" -> SourceOptions.Transport.TCP;
            case "udp" -> SourceOptions.Transport.UDP;
            default -> throw usage("--rtsp-transport " + transport + " is neither tcp nor udp");
        });
        if (login != null) {
            readLogin(options);
        }
        try {
            return new DetectRequest.Moving(options.build(), stride, track, view, viewPort);
        } catch (IllegalArgumentException e) {
            throw usage(e.getMessage());
        }
    }

    private void readLogin(SourceOptions.Builder options) {
        try {
            List<String> lines = Files.readAllLines(Path.of(login));
            if (lines.size() < 2 || lines.getFirst().isEmpty()) {
                throw usage("--stream-login " + login + ": has not a user and a password in a line each");
            }
            options.credentials(lines.get(0), lines.get(1));
        } catch (IOException | java.nio.file.InvalidPathException e) {
            throw usage("--stream-login " + login + ": cannot be read: " + e.getMessage());
        }
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
