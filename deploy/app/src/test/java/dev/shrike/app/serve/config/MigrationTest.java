package dev.shrike.app.serve.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** An old configuration in a newer program, and a new one in an older program. */
@Tag("any-processor")
class MigrationTest {
    private static final Kind TEXT = new Kind.Text();
    private static final ConfigVersion NEW = new ConfigVersion(1, 1);
    private static final Section OLD_SCHEMA = root(new Section("page", "", new Setting("port", TEXT, "1", "")),
            new Section("cameras", "", true, List.of(new Setting("url", TEXT, "", "")), List.of()));
    private static final Section NEW_SCHEMA = root(
            new Section("web", "", new Setting("port", TEXT, "1", ""), new Setting("theme", TEXT, "dark", "")),
            new Section("cameras", "", true, List.of(new Setting("source", TEXT, "", "")), List.of()));
    private static final List<Migration> MIGRATIONS = List.of(new Migration(NEW, "page.port", "web.port"),
            new Migration(NEW, "cameras.*.url", "cameras.*.source"));

    @Test
    void oldNamesStillWork() {
        Values values = inNew("cameras: {a: {url: x}, b: {url: y}}\npage: {port: 7}\n");
        assertEquals("7", values.text("web.port"));
        assertEquals("x", values.text("cameras.a.source"));
        assertEquals("y", values.text("cameras.b.source"));
        assertTrue(values.notes().stream().anyMatch(note -> note.startsWith("c.yaml:1:15: 'cameras.*.url' is called")),
                values.notes().toString());
    }

    @Test
    void newNamesNeedNoVersion() {
        assertEquals("x", inNew("cameras: {a: {source: x}}").text("cameras.a.source"));
        assertEquals(List.of(), inNew("version: 1.1\ncameras: {a: {source: x}}").notes());
    }

    @Test
    void oldAndNewNameTogetherAreRefused() {
        ConfigException e = assertThrows(ConfigException.class, () -> inNew("cameras: {a: {url: x, source: y}}"));
        assertTrue(e.getMessage().contains("old name of 'cameras.*.source'"), e.getMessage());
    }

    @Test
    void oldNamesInAFileOfTheNewVersionAreRefused() {
        assertThrows(ConfigException.class, () -> inNew("version: 1.1\ncameras: {a: {url: x}}"));
    }

    @Test
    void theOlderProgramReadsWhatItKnowsOfTheNewFile() {
        Values values = read(OLD_SCHEMA, new ConfigVersion(1, 0), List.of(),
                "version: 1.1\nweb: {theme: light}\npage: {port: 7}\ncameras: {a: {url: x, source: x}}");
        assertEquals("7", values.text("page.port"));
        assertEquals("x", values.text("cameras.a.url"));
        assertEquals(3, values.notes().size(), values.notes().toString());
    }

    private static Values inNew(String yaml) {
        return read(NEW_SCHEMA, NEW, MIGRATIONS, yaml);
    }

    private static Values read(Section schema, ConfigVersion version, List<Migration> migrations, String yaml) {
        return new ConfigReader(schema, version, migrations, Map.of(), Map.of(), BoardDefaults.NONE)
                .read(YamlReader.read(yaml.getBytes(StandardCharsets.UTF_8), "c.yaml"));
    }

    private static Section root(Section... sections) {
        return new Section("", "", false, List.of(new Setting("version", TEXT, "1.0", "")), List.of(sections));
    }
}
