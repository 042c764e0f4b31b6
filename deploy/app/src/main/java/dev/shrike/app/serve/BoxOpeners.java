package dev.shrike.app.serve;

import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.ShrikeException;
import dev.shrike.app.Console;
import dev.shrike.app.UsageException;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.app.detect.Openings;
import dev.shrike.app.detect.Weights;
import dev.shrike.app.outputs.CameraControl;
import dev.shrike.app.outputs.JsonLines;
import dev.shrike.app.outputs.mavlink.MavlinkOutput;
import dev.shrike.app.outputs.mavlink.MavlinkSettings;
import dev.shrike.app.outputs.Metrics;
import dev.shrike.app.outputs.mqtt.MqttOutput;
import dev.shrike.app.outputs.mqtt.MqttSettings;
import dev.shrike.app.outputs.Output;
import dev.shrike.app.outputs.Outputs;
import dev.shrike.app.outputs.Selection;
import dev.shrike.app.outputs.ServiceRun;
import dev.shrike.app.serve.config.ServiceConfig;
import dev.shrike.sources.FrameSource;
import dev.shrike.sources.SourceOptions;
import dev.shrike.sources.Sources;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Opens the real things: engines, cameras and outputs of this machine. */
final class BoxOpeners implements Openers {
    /** Bytes that may wait for a reader of lines. */
    private static final long WAITING = 4L << 20;

    private final Console console;
    private final ModelStore store;
    private final String version;
    private final ServiceRun run = ServiceRun.begin();

    BoxOpeners(Console console, ModelStore store, String version) {
        this.console = console;
        this.store = store;
        this.version = version;
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
                    .rotation(camera.rotate()).mirror(camera.mirror()).loop(camera.loop())
                    .realTime(isFile(camera.source()))
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
    public Outlets outputs(ServiceConfig config, CameraControl control) {
        ServiceConfig.Outputs wanted = config.outputs();
        List<Output> opened = new ArrayList<>();
        try {
            if (wanted.stdout()) {
                opened.add(JsonLines.stream("stdout", console.out(), run, selection(wanted.stdoutFrames()), WAITING));
            }
            if (!wanted.socket().isEmpty()) {
                opened.add(JsonLines.socket(Path.of(wanted.socket()), run, selection(wanted.socketFrames()), WAITING));
            }
            if (!wanted.file().path().isEmpty()) {
                opened.add(JsonLines.file(Path.of(wanted.file().path()), wanted.file().rotateBytes(),
                        wanted.file().keep(), run, selection(wanted.file().frames()), WAITING));
            }
            if (!wanted.mqtt().broker().isEmpty()) {
                opened.add(MqttOutput.open(settings(wanted.mqtt()), run, version, control));
            }
            if (!wanted.mavlink().host().isEmpty()) {
                opened.add(MavlinkOutput.open(settings(wanted.mavlink())));
            }
            return outlets(opened, wanted.metrics());
        } catch (IllegalArgumentException e) {
            opened.forEach(Output::close);
            throw new UsageException("outputs: " + e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            opened.forEach(Output::close);
            throw e;
        }
    }

    private static Outlets outlets(List<Output> opened, boolean counted) {
        if (!counted) {
            return new Outlets(new Outputs(opened), Optional::empty);
        }
        Outputs told = new Outputs(opened);
        Metrics metrics = new Metrics(told::statuses);
        List<Output> all = new ArrayList<>(opened);
        all.add(metrics);
        return new Outlets(new Outputs(all), () -> Optional.of(metrics.text()));
    }

    private static Selection selection(boolean frames) {
        return frames ? Selection.ALL : Selection.EVENTS;
    }

    private static MqttSettings settings(ServiceConfig.Mqtt wanted) {
        URI broker;
        try {
            broker = new URI(wanted.broker());
        } catch (URISyntaxException e) {
            // Its message has the whole text, which may hold a password.
            throw new UsageException("outputs.mqtt.broker is no address: " + e.getReason()
                    + "; mqtt://HOST:PORT is one", null);
        }
        return new MqttSettings(broker, wanted.user(), wanted.password(),
                wanted.authorities().isEmpty() ? null : Path.of(wanted.authorities()), wanted.clientId(),
                wanted.prefix(), wanted.discovery(), wanted.frames(), wanted.outboxBytes());
    }

    private static MavlinkSettings settings(ServiceConfig.Mavlink wanted) {
        return new MavlinkSettings(wanted.host(), wanted.port(), wanted.camera(), wanted.label(),
                wanted.horizontalDegrees(), wanted.verticalDegrees(), wanted.systemId(), wanted.componentId());
    }
}
