package dev.shrike.app.serve;

import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.ShrikeException;
import dev.shrike.app.Console;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.app.detect.Openings;
import dev.shrike.app.detect.Weights;
import dev.shrike.app.serve.config.ServiceConfig;
import dev.shrike.sources.FrameSource;
import dev.shrike.sources.SourceOptions;
import dev.shrike.sources.Sources;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** Opens the real things: engines, cameras and outputs of this machine. */
final class BoxOpeners implements Openers {
    private final Console console;
    private final ModelStore store;

    BoxOpeners(Console console, ModelStore store) {
        this.console = console;
        this.store = store;
    }

    @Override
    public Detector detector(ServiceConfig.Engine engine, DetectorOptions options) {
        Path file = Weights.resolve(engine.weights(), engine.imageSize(), engine.imageSize(), store);
        return Openings.open(file, engine.weights(), options, false, store);
    }

    @Override
    public FrameSource source(ServiceConfig.Camera camera) {
        try {
            SourceOptions options = SourceOptions.builder().size(camera.width(), camera.height()).rate(camera.fps())
                    .rotation(camera.rotate()).mirror(camera.mirror()).loop(camera.loop()).realTime(isFile(camera.source()))
                    .credentials(camera.user(), camera.password())
                    .transport(camera.transport().equals("udp") ? SourceOptions.Transport.UDP
                            : SourceOptions.Transport.TCP)
                    .camera(camera.id()).build();
            return Sources.open(camera.source(), options);
        } catch (IllegalArgumentException e) {
            throw new ShrikeException("camera " + camera.id() + ": " + e.getMessage(), e);
        }
    }

    /** Files are played at their own pace; whatever else there is has one. */
    private static boolean isFile(String source) {
        if (source.startsWith("/dev/")) {
            return false;
        }
        try {
            return source.startsWith("file:") || Files.exists(Path.of(source))
                    || !source.contains(":") && source.contains("*");
        } catch (InvalidPathException e) {
            return false;
        }
    }

    @Override
    public Outlets outputs(ServiceConfig.Outputs outputs) {
        return Outlets.NONE;
    }
}
