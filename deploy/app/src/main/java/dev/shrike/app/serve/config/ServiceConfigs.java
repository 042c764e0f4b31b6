package dev.shrike.app.serve.config;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** Configurations from files, the environment and the command line. */
public final class ServiceConfigs {
    private static final int SHORTEST_TOKEN = 16;
    private static final long MEBIBYTE = 1L << 20;

    private static final Pattern CAMERA_SOURCE = Pattern.compile("\\d{1,3}|/dev/.*|v4l2:.*|csi:.*");

    private final Values values;
    private final List<String> problems = new ArrayList<>();

    private ServiceConfigs(Values values) {
        this.values = values;
    }

    /**
     * The configuration in the file.
     *
     * @param environment variables, of which {@code SHRIKE_PAGE_PORT} wins over {@code page.port} of the file
     * @param flags settings by path, which win over both
     * @param board what holds on this board for settings that are left out
     * @throws ConfigException if the file cannot be read, or anything in it is not known or not possible
     */
    public static ServiceConfig read(Path file, Map<String, String> environment, Map<String, String> flags,
            BoardDefaults board) {
        return of(YamlReader.read(bytes(file), file.toString()), environment, flags, board);
    }

    /** The same on a board without defaults of its own. */
    public static ServiceConfig read(Path file, Map<String, String> environment, Map<String, String> flags) {
        return read(file, environment, flags, BoardDefaults.NONE);
    }

    /** The configuration of the flags and the environment alone. */
    public static ServiceConfig withoutFile(Map<String, String> environment, Map<String, String> flags,
            BoardDefaults board) {
        return of(new YamlNode.Mapping(Map.of(), 1, Position.of("without a file")), environment, flags, board);
    }

    private static ServiceConfig of(YamlNode root, Map<String, String> environment, Map<String, String> flags,
            BoardDefaults board) {
        Values values = new ConfigReader(Schema.ROOT, Schema.VERSION, Schema.MIGRATIONS, environment, flags, board)
                .read(root);
        return new ServiceConfigs(values).config();
    }

    static byte[] bytes(Path file) {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new ConfigException(file + ": is no file");
        }
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(YamlReader.MOST_BYTES + 1);
        } catch (NoSuchFileException e) {
            throw new ConfigException(
                    file + ": there is no such file; 'shrike serve --print-config' writes one to begin"
                            + " with",
                    e);
        } catch (AccessDeniedException e) {
            throw new ConfigException(file + ": may not be read: permission denied", e);
        } catch (IOException e) {
            throw new ConfigException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private ServiceConfig config() {
        ServiceConfig.Engine engine = new ServiceConfig.Engine(values.text("model.weights"),
                values.whole("model.image_size"), values.real("model.iou"), values.text("engine.name"),
                values.whole("engine.threads"),
                values.text("engine.sharing").equals("each"), values.whole("engine.build_timeout"));
        List<ServiceConfig.Camera> cameras = new ArrayList<>();
        for (String id : values.names("cameras")) {
            if (values.flag("cameras." + id + ".enabled")) {
                cameras.add(camera(id));
            }
        }
        if (cameras.isEmpty()) {
            problems.add("there is no camera that is enabled; add one:  cameras: {front: {source: /dev/video0}}");
        }
        Map<String, String> shown = new LinkedHashMap<>();
        values.values().forEach((path, value) -> shown.put(path, value.shown()));
        ServiceConfig.Limits limits = new ServiceConfig.Limits(values.whole("limits.stall_seconds"),
                values.whole("limits.failures"), values.whole("limits.streams"),
                values.whole("limits.connections_per_address"), values.whole("limits.write_seconds"));
        ServiceConfig config = new ServiceConfig(engine, cameras, outputs(), page(), log(), limits, shown, secrets(),
                values.notes());
        if (!problems.isEmpty()) {
            throw new ConfigException(problems, null);
        }
        return config;
    }

    private ServiceConfig.Camera camera(String id) {
        String prefix = "cameras." + id + ".";
        if (values.text(prefix + "source").isBlank()) {
            problem(prefix + "source", "says where its frames come from; it is missing");
        }
        double low = values.real(values.of(id, "tracking.low_score"));
        double high = values.real(values.of(id, "tracking.high_score"));
        double begin = values.real(values.of(id, "tracking.new_score"));
        if (low > high || high > begin) {
            problem(values.of(id, "tracking.low_score"), "must not be above tracking.high_score, nor that above"
                    + " tracking.new_score; they are " + low + ", " + high + " and " + begin);
        }
        return new ServiceConfig.Camera(id, values.text(prefix + "source"), values.text(prefix + "user"),
                values.text(prefix + "password"), values.text(prefix + "transport"), asked(prefix, "width").intValue(),
                asked(prefix, "height").intValue(), asked(prefix, "fps").doubleValue(),
                Integer.parseInt(values.text(prefix + "rotate")), values.flag(prefix + "mirror"),
                values.flag(prefix + "loop"),
                new ServiceConfig.Detecting(values.real(values.of(id, "model.confidence")),
                        values.whole(values.of(id, "model.max_detections")),
                        values.texts(values.of(id, "model.classes"))),
                new ServiceConfig.Tracking(values.flag(values.of(id, "tracking.enabled")), high, low,
                        begin, values.whole(values.of(id, "tracking.hits")),
                        values.real(values.of(id, "tracking.lost_seconds")),
                        values.flag(values.of(id, "tracking.across_classes")),
                        values.flag(values.of(id, "tracking.end_on_lost"))));
    }

    /** Only cameras can be asked for a size or a rate; what a board has for them is not for streams and files. */
    private Number asked(String prefix, String key) {
        Value value = values.values().get(prefix + key);
        boolean camera = CAMERA_SOURCE.matcher(values.text(prefix + "source")).matches();
        return BoardDefaults.isFrom(value.at()) && !camera ? Integer.valueOf(0) : (Number) value.value();
    }

    private ServiceConfig.Outputs outputs() {
        path("outputs.socket.path");
        path("outputs.file.path");
        path("outputs.mqtt.authorities");
        ServiceConfig.LineFile file = new ServiceConfig.LineFile(values.text("outputs.file.path"),
                values.whole("outputs.file.rotate_megabytes") * MEBIBYTE, values.whole("outputs.file.keep"),
                values.flag("outputs.file.frames"));
        return new ServiceConfig.Outputs(values.flag("outputs.stdout.enabled"), values.flag("outputs.stdout.frames"),
                values.text("outputs.socket.path"), values.flag("outputs.socket.frames"), file, mqtt(), mavlink(),
                values.flag("outputs.metrics.enabled"));
    }

    private ServiceConfig.Mqtt mqtt() {
        String prefix = "outputs.mqtt.";
        return new ServiceConfig.Mqtt(values.text(prefix + "broker"), values.text(prefix + "user"),
                values.text(prefix + "password"), values.text(prefix + "authorities"),
                values.text(prefix + "client_id"), values.text(prefix + "prefix"), values.text(prefix + "discovery"),
                values.flag(prefix + "frames"), values.whole(prefix + "outbox_megabytes") * MEBIBYTE);
    }

    private ServiceConfig.Mavlink mavlink() {
        String prefix = "outputs.mavlink.";
        String camera = values.text(prefix + "camera");
        if (!values.text(prefix + "host").isEmpty() && !values.names("cameras").contains(camera)) {
            problem(prefix + "camera", "is no camera of this configuration: '" + camera + "'");
        }
        return new ServiceConfig.Mavlink(values.text(prefix + "host"), values.whole(prefix + "port"), camera,
                values.text(prefix + "label"), values.real(prefix + "horizontal_degrees"),
                values.real(prefix + "vertical_degrees"), values.whole(prefix + "system_id"),
                values.whole(prefix + "component_id"));
    }

    private Optional<ServiceConfig.Page> page() {
        if (!values.flag("page.enabled")) {
            return Optional.empty();
        }
        String token = values.text("page.token");
        String address = values.text("page.address");
        if (!token.isEmpty() && token.length() < SHORTEST_TOKEN) {
            problem("page.token", "has " + token.length() + " characters, fewer than " + SHORTEST_TOKEN
                    + ": 'openssl rand -hex 16' makes one");
        }
        if (!isLiteral(address)) {
            problem("page.address", "takes an IP address, such as 127.0.0.1 or 0.0.0.0, not '" + address + "'");
        } else if (token.isEmpty() && !isLoopback(address)) {
            problem("page.address", "reaches beyond this machine, which needs a page.token: 'openssl rand -hex 16'"
                    + " makes one");
        }
        return Optional.of(new ServiceConfig.Page(address, values.whole("page.port"), token, values.texts("page.hosts"),
                values.real("page.preview.fps"), values.whole("page.preview.width"),
                values.whole("page.preview.quality")));
    }

    /** Names are not looked up: what they mean would change with the network. */
    private static boolean isLiteral(String address) {
        return address.matches("(\\d{1,3}\\.){3}\\d{1,3}")
                || address.contains(":") && address.matches("[0-9a-fA-F:.]+");
    }

    private static boolean isLoopback(String address) {
        try {
            return InetAddress.getByName(address).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }

    private ServiceConfig.Log log() {
        String state = values.text("log.state");
        path("log.state");
        return new ServiceConfig.Log(values.text("log.level"), values.whole("log.repeat_seconds"),
                state.isBlank() ? Optional.empty() : Optional.of(Path.of(state)));
    }

    private Set<String> secrets() {
        Set<String> secrets = new LinkedHashSet<>(values.secrets());
        values.values().forEach((path, value) -> {
            if (path.endsWith(".password") || path.equals("page.token")) {
                secrets.add((String) value.value());
            } else if (value.value() instanceof String text) {
                secrets.addAll(CredentialFilter.inUserInfo(text));
            }
        });
        return secrets;
    }

    private void path(String path) {
        try {
            Path.of(values.text(path));
        } catch (InvalidPathException e) {
            problem(path, "is no path: " + e.getReason());
        }
    }

    private void problem(String path, String message) {
        problems.add(values.at(path) + ": '" + path + "' " + message);
    }
}
