package dev.shrike.app.serve.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("any-processor")
class ServiceConfigsTest {
    private static final String CAMERA = "cameras: {front: {source: 'test://'}}\n";

    @TempDir
    private Path folder;

    @Test
    void thePrintedConfigurationIsTheOneOfTheDefaults() throws IOException {
        ServiceConfig printed = read(String.join("\n", ConfigPrinter.lines(BoardDefaults.NONE)));
        ServiceConfig bare = read("cameras: {test: {source: 'test://pattern'}}");
        assertEquals(bare, printed);
        assertEquals(List.of(), printed.notes());
    }

    @Test
    void everyDefaultIsPrinted() {
        String text = String.join("\n", ConfigPrinter.lines(BoardDefaults.NONE));
        Schema.ROOT.sections().forEach(section -> section.keys()
                .forEach(key -> assertTrue(text.contains(" " + key + ":"), section.key() + "." + key)));
    }

    @Test
    void theConfigurationOfVersionOneDotZeroIsReadForAllTime() throws IOException {
        ServiceConfig config = read(resource("config-1.0.yaml"));
        assertEquals(List.of("front", "yard"), config.cameras().stream().map(ServiceConfig.Camera::id).toList());
        assertEquals(0.6, config.cameras().get(1).detecting().confidence());
        assertEquals(0.4, config.cameras().get(0).detecting().confidence());
        assertEquals(List.of(), config.notes());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', value = {
            "page: {prot: 1}|1:8|'page' 'prot', did you mean 'port'?",
            "modle: {}|1:1|did you mean 'model'?",
            "page: {port: many}|1:14|'page.port' takes a whole number from 0 to 65535, not 'many'",
            "page: {port: 65536}|1:14|not '65536'",
            "page: {port: [1]}|1:14|takes one text, not a list",
            "page: {enabled: on}|1:17|write true for 'on'",
            "page: {enabled: no}|1:17|write false for 'no'",
            "page: 5|1:7|is a section",
            "engine: {sharing: shred}|1:19|takes shared or each, not 'shred', did you mean 'shared'?",
            "weights: x|1:1|there is 'model.weights'",
            "page: {token: {PAGE_TOKEN}}|1:15|a variable needs quotes: \"{PAGE_TOKEN}\"",
            "page: {token: '{NOT_SET_ANYWHERE}'}|1:15|{NOT_SET_ANYWHERE} stands for a variable",
            "page: {token: short}|1:15|fewer than 16",
            "page: {address: 0.0.0.0}|1:17|needs a page.token",
            "page: {address: '::'}|1:17|needs a page.token",
            "page: {address: robot.local}|1:17|takes an IP address",
            "tracking: {low_score: 0.7}|1:23|must not be above",
            "cameras: {'a b': {source: x}}|1:11|the name 'a b'",
            "model: {confidence: .nan}|1:21|a number from 0 to 1",
            "model: {confidence: 1e999}|1:21|a number from 0 to 1",
            "page: {port: 1, port: 2}|1:17|'port' is there twice, first in line 1",
            "page: [|1:|is no YAML",
            "a: *b|1:4|has no complete anchor",
            "model: {weights: \"a\\nb\"}|1:18|control character"})
    void whatIsWrongIsToldWithItsPlace(String yaml, String place, String words) throws IOException {
        String text = yaml.startsWith("cameras") || yaml.contains("[") && yaml.endsWith("[") ? yaml
                : yaml + "\n" + CAMERA;
        ConfigException e = assertThrows(ConfigException.class, () -> read(text));
        String all = String.join("\n", e.problems());
        assertTrue(all.contains("config.yaml:" + place), all);
        assertTrue(all.contains(words), all);
    }

    @Test
    void allProblemsAreTold() throws IOException {
        ConfigException e = assertThrows(ConfigException.class,
                () -> read("page: {prot: 1, port: x}\nlog: {levl: info}\n" + CAMERA));
        assertEquals(3, e.problems().size(), e.problems().toString());
    }

    @Test
    void aConfigurationWithoutACameraIsRefused() throws IOException {
        assertTrue(problem("").contains("there is no camera"));
        assertTrue(problem("cameras: {a: {source: x, enabled: false}}").contains("there is no camera"));
        assertTrue(problem("cameras: {a: {}}").contains("'cameras.a.source'"));
    }

    @Test
    void flagsWinOverTheEnvironmentAndThatOverTheFile() throws IOException {
        Path file = write("page: {port: 1}\n" + CAMERA);
        Map<String, String> environment = Map.of("SHRIKE_PAGE_PORT", "2", "SHRIKE_DEBUG", "1");
        assertEquals(1, ServiceConfigs.read(file, Map.of(), Map.of()).page().orElseThrow().port());
        assertEquals(2, ServiceConfigs.read(file, environment, Map.of()).page().orElseThrow().port());
        assertEquals(3, ServiceConfigs.read(file, environment, Map.of("page.port", "3")).page().orElseThrow().port());
        ServiceConfig camera = ServiceConfigs.read(file, Map.of("SHRIKE_CAMERAS_FRONT_ROTATE", "90"),
                Map.of("cameras.back.source", "test://", "cameras.front.model.classes", "person, dog"));
        assertEquals(90, camera.cameras().getFirst().rotate());
        assertEquals(List.of("person", "dog"), camera.cameras().getFirst().detecting().classes());
        assertEquals("back", camera.cameras().getLast().id());
    }

    @Test
    void aBoardHasDefaultsOfItsOwn() throws IOException {
        Path defaults = Files.writeString(folder.resolve("defaults.yaml"),
                "engine.threads: 3\ncamera.width: 640\ncamera.fps: 15\npage.preview.fps: 2\n");
        BoardDefaults board = BoardDefaults.read(defaults);
        Path file = write("cameras: {a: {source: 0}, b: {source: 'rtsp://h/'}, c: {source: /dev/video1, width: 320}}");
        ServiceConfig config = ServiceConfigs.read(file, Map.of("SHRIKE_PAGE_PREVIEW_FPS", "4"), Map.of(), board);
        assertEquals(3, config.engine().threads());
        assertEquals(List.of(640, 0, 320), config.cameras().stream().map(ServiceConfig.Camera::width).toList());
        assertEquals(0, config.cameras().get(1).fps(), "a stream is not asked for a rate");
        assertEquals(4, config.page().orElseThrow().previewFps());
        assertTrue(String.join("\n", ConfigPrinter.lines(board)).contains("  threads: 3\n"));
        Files.writeString(defaults, "engine.thread: 3\n");
        ConfigException e = assertThrows(ConfigException.class,
                () -> ServiceConfigs.read(file, Map.of(), Map.of(), BoardDefaults.read(defaults)));
        assertTrue(e.getMessage().contains("defaults.yaml:1:16") && e.getMessage().contains("'engine.threads'"),
                e.getMessage());
    }

    @Test
    void misspeltFlagsAndVariablesAreRefused() throws IOException {
        Path file = write(CAMERA);
        ConfigException flag = assertThrows(ConfigException.class,
                () -> ServiceConfigs.read(file, Map.of(), Map.of("page.prot", "3")));
        assertTrue(flag.getMessage().contains("did you mean 'page.port'?"), flag.getMessage());
        ConfigException variable = assertThrows(ConfigException.class,
                () -> ServiceConfigs.read(file, Map.of("SHRIKE_PAGE_PROT", "3"), Map.of()));
        assertTrue(variable.getMessage().contains("did you mean 'SHRIKE_PAGE_PORT'?"), variable.getMessage());
    }

    @Test
    void secretsComeFromTheEnvironmentAndAreNotShown() throws IOException {
        Path credentials = Files.createDirectory(folder.resolve("credentials"));
        Files.writeString(credentials.resolve("BROKER_PASSWORD"), "from-a-credential\n");
        Path file = write("cameras: {front: {source: 'rtsp://user:literal@host/{CAMERA_PATH}', user: u,"
                + " password: '{CAMERA_PASSWORD}'}}\n"
                + "outputs: {mqtt: {broker: 'mqtt://b', password: '{BROKER_PASSWORD}'}}\n"
                + "page: {hosts: ['{{NAME}}']}\n");
        ServiceConfig config = ServiceConfigs.read(file, Map.of("CAMERA_PASSWORD", "top-secret", "CAMERA_PATH",
                "hidden-path", "CREDENTIALS_DIRECTORY", credentials.toString()), Map.of());
        assertEquals("top-secret", config.cameras().getFirst().password());
        assertEquals("from-a-credential", config.outputs().mqtt().password());
        assertEquals(List.of("{NAME}"), config.page().orElseThrow().hosts());
        String shown = config.shown().toString();
        for (String secret : List.of("top-secret", "from-a-credential", "hidden-path", "literal")) {
            assertFalse(shown.contains(secret), shown);
            assertFalse(new CredentialFilter(config.secrets()).apply("x " + secret + " rtsp://a:literal@b/")
                    .contains(secret), secret);
        }
        assertTrue(shown.contains("rtsp://host/{CAMERA_PATH}"), shown);
        assertEquals("set", config.shown().get("cameras.front.password"));
    }

    @Test
    void theValueOfAVariableIsNotInTheErrorAboutIt() throws IOException {
        Path file = write("page: {port: '{SECRET}'}\n" + CAMERA);
        ConfigException e = assertThrows(ConfigException.class,
                () -> ServiceConfigs.read(file, Map.of("SECRET", "hunter22"), Map.of()));
        assertFalse(e.getMessage().contains("hunter22"), e.getMessage());
        assertTrue(e.getMessage().contains("{SECRET}"), e.getMessage());
    }

    @Test
    void aNewerMinorVersionIsReadWithoutWhatIsNotKnown() throws IOException {
        ServiceConfig config = read("version: 1.7\npage: {port: 5, colour: red}\nfuture: {a: 1}\n" + CAMERA);
        assertEquals(5, config.page().orElseThrow().port());
        String notes = String.join("\n", config.notes());
        assertTrue(notes.contains("'colour'") && notes.contains("'future'") && notes.contains("version 1.7"), notes);
        assertTrue(problem("version: 1.7\npage: {port: x}\n" + CAMERA).contains("whole number"));
    }

    @Test
    void aNewerMajorVersionIsRefused() throws IOException {
        assertTrue(problem("version: 2\n" + CAMERA).contains("the file is of version 2.0, this program reads 1.x"));
        assertTrue(problem("version: new\n" + CAMERA).contains("is not two numbers"));
    }

    @Test
    void bombsEndInAnError() throws IOException {
        assertTrue(problem("[".repeat(5000)).contains("more than 32 levels deep"));
        assertTrue(problem("{a: ".repeat(5000)).contains("more than 32 levels deep"));
        assertTrue(problem("- ".repeat(5000)).contains("more than 32 levels deep"));
        assertTrue(problem("? ".repeat(5000)).contains("levels deep"));
        assertTrue(problem("a: &a [*a]").contains("has no complete anchor"));
        assertTrue(problem("&a a: &b {*a : *b}").contains("anchor"));
        StringBuilder laughs = new StringBuilder("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for (int i = 1; i < 12; i++) {
            String one = "*a" + (i - 1);
            laughs.append("a").append(i).append(": &a").append(i).append(" [")
                    .append(String.join(",", Collections.nCopies(9, one))).append("]\n");
        }
        assertTrue(problem(laughs.toString()).contains("more than 20000 parts"));
        assertTrue(problem("#" + "x".repeat(1 << 20)).contains("too many for a configuration"));
        assertTrue(problem("a: \u0007").contains("is not allowed"));
        assertTrue(problem("page:\n\tport: 1\n").contains("blanks, not tabs"));
        Files.write(folder.resolve("config.yaml"), new byte[] {'a', ':', '\n', (byte) 0xff, (byte) 0xfe});
        ConfigException e = assertThrows(ConfigException.class,
                () -> ServiceConfigs.read(folder.resolve("config.yaml"), Map.of(), Map.of()));
        assertTrue(e.getMessage().contains("config.yaml:2: is no text in UTF-8"), e.getMessage());
    }

    @Test
    void filesThatCannotBeReadAreTold() {
        for (Path file : List.of(folder, folder.resolve("none.yaml"), Path.of("/dev/zero"))) {
            ConfigException e = assertThrows(ConfigException.class,
                    () -> ServiceConfigs.read(file, Map.of(), Map.of()));
            assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
        }
    }

    /** Whatever is in the file, there is a configuration or an error about it. */
    @Test
    void damagedConfigurationsAreConfigurationsOrErrors() throws IOException {
        byte[] whole = resource("config-1.0.yaml").getBytes(StandardCharsets.UTF_8);
        byte[] marks = "{}[]&*!|>%@`\"'#,:?-\n\t \0<~\u00e9".getBytes(StandardCharsets.UTF_8);
        int read = 0;
        for (int seed = 0; seed < 3000; seed++) {
            Random random = new Random(seed);
            byte[] damaged = whole.clone();
            for (int i = random.nextInt(6); i >= 0; i--) {
                damaged[random.nextInt(damaged.length)] = marks[random.nextInt(marks.length)];
            }
            int from = random.nextInt(damaged.length);
            byte[] part = random.nextInt(4) == 0 ? Arrays.copyOf(damaged, from) : damaged;
            try {
                ServiceConfigs.read(Files.write(folder.resolve("config.yaml"), part),
                        Map.of("FRONT_PASSWORD", "p", "PAGE_TOKEN", "0123456789abcdef"), Map.of());
                read++;
            } catch (ConfigException e) {
                assertTrue(e.getMessage().contains("config.yaml") || e.getMessage().contains("no camera"),
                        "seed " + seed + ": " + e.getMessage());
            }
        }
        assertTrue(read > 0 && read < 3000, read + " were read");
    }

    private ServiceConfig read(String yaml) throws IOException {
        return ServiceConfigs.read(write(yaml), Map.of("FRONT_PASSWORD", "p", "PAGE_TOKEN", "0123456789abcdef"),
                Map.of());
    }

    private String problem(String yaml) throws IOException {
        Path file = write(yaml);
        return String.join("\n", assertThrows(ConfigException.class,
                () -> ServiceConfigs.read(file, Map.of(), Map.of())).problems());
    }

    private Path write(String yaml) throws IOException {
        return Files.writeString(folder.resolve("config.yaml"), yaml);
    }

    private static String resource(String name) throws IOException {
        try (var in = ServiceConfigsTest.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
