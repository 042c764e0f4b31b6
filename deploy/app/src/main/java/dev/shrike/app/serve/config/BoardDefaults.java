package dev.shrike.app.serve.config;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What holds on one kind of board for settings that the configuration leaves out: a file of paths and values, such as
 * {@code engine.threads: 3}. {@code camera.width} is for every camera that can be asked for a size.
 */
public final class BoardDefaults {
    /** No board's. */
    public static final BoardDefaults NONE = new BoardDefaults(Map.of());

    static final String CAMERA = "camera.";

    private static final String ORIGIN = "defaults of this board, ";

    private final Map<String, YamlNode.Scalar> values;

    private BoardDefaults(Map<String, YamlNode.Scalar> values) {
        this.values = values;
    }

    /**
     * Those in the file.
     *
     * @throws ConfigException if it cannot be read or has something else in it
     */
    public static BoardDefaults read(Path file) {
        YamlNode root = YamlReader.read(ServiceConfigs.bytes(file), ORIGIN + file);
        Map<String, YamlNode.Scalar> values = new LinkedHashMap<>();
        if (root instanceof YamlNode.Mapping mapping) {
            mapping.entries().forEach((path, entry) -> {
                if (!(entry.value() instanceof YamlNode.Scalar value)) {
                    throw new ConfigException(entry.at() + ": takes paths and values, 'engine.threads: 3'");
                }
                values.put(path, value);
            });
        }
        return new BoardDefaults(values);
    }

    /** The value for a path of the configuration. */
    Optional<YamlNode> find(String path) {
        return Optional.ofNullable(values.get(path.replaceFirst("^cameras\\.[^.]+\\.", CAMERA)));
    }

    Set<String> keys() {
        return values.keySet();
    }

    Position at(String key) {
        return values.get(key).at();
    }

    /** Whether a value comes from a board. */
    static boolean isFrom(Position at) {
        return at.origin().startsWith(ORIGIN);
    }
}
