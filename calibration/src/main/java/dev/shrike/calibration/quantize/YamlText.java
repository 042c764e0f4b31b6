package dev.shrike.calibration.quantize;

import dev.shrike.ModelException;
import dev.shrike.ShrikeException;
import dev.shrike.files.FileReplacement;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/** Files of YAML that users read, edit and give back. */
public final class YamlText {
    private YamlText() {}

    /**
     * The text of a file.
     *
     * @throws ShrikeException if it is missing or cannot be read
     */
    public static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException e) {
            throw new ShrikeException(file + ": no such file", e);
        } catch (IOException e) {
            throw new ShrikeException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /** Writes a file, all of it or nothing. */
    public static void write(Path file, String text) {
        FileReplacement.write(file, stream -> stream.write(text.getBytes(StandardCharsets.UTF_8)));
    }

    /**
     * The maps, lists and values of a text.
     *
     * @param label where it is from, for messages
     * @throws ModelException if it is no YAML; names the line
     */
    public static Object parse(String text, String label) {
        try {
            return new Load(LoadSettings.builder().setLabel(label).build()).loadFromString(text);
        } catch (YamlEngineException | StackOverflowError e) {
            throw new ModelException(label + ": no valid YAML: "
                    + String.valueOf(e.getMessage()).strip().replaceAll("\\s*\\R\\s*", " "), e);
        }
    }

    /** A string in double quotes. */
    public static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
