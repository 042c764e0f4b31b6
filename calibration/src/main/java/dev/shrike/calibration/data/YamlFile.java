package dev.shrike.calibration.data;

import java.nio.file.Path;
import java.util.Map;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/** Reads a YAML 1.2 file of plain maps, lists and values; no tag makes anything else. */
final class YamlFile {
    private YamlFile() {}

    /**
     * The map that the file holds.
     *
     * @throws DataSetException if the file is missing, cannot be read, is no YAML or no map
     */
    static Map<?, ?> read(Path file) {
        try {
            LoadSettings settings = LoadSettings.builder().setLabel(file.toString()).build();
            if (new Load(settings).loadFromString(TextFile.read(file)) instanceof Map<?, ?> map) {
                return map;
            }
            throw new DataSetException(file + ": is no map of 'val', 'names' and so on");
        } catch (YamlEngineException e) {
            String message = String.valueOf(e.getMessage()).strip().replaceAll("\\s*\\R\\s*", " ");
            throw new DataSetException(file + ": no valid YAML: " + message, e);
        } catch (StackOverflowError e) {
            throw new DataSetException(file + ": no valid YAML: nested too deeply", e);
        }
    }
}
