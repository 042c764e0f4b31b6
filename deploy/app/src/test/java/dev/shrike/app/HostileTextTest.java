package dev.shrike.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.shrike.files.PrintableText;
import dev.shrike.graph.Graph;
import dev.shrike.onnx.OnnxModels;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Labels and file names that hold terminal commands, line ends and turns of direction, through every command. */
class HostileTextTest {
    /** ESC, BEL, a line that looks like a result, C1, bidirectional controls, line separators, DEL. */
    private static final String HOSTILE =
            "a\u001b[31m\u0007\nimage 1/1 forged\r\u009b2J\u202e\u2066\u200f\u2028\u007fz";

    @TempDir
    private Path folder;

    private Path model;
    private Path image;
    private Path images;

    private record Outcome(int exit, String out, String err) {}

    @BeforeEach
    void make() throws IOException {
        Graph toy = OnnxModels.read(ToyModel.write(folder.resolve("toy.onnx")));
        StringBuilder names = new StringBuilder("['");
        HOSTILE.chars().forEach(c -> names.append(c < 0x20 || c > 0x7e ? String.format("\\u%04x", c) : (char) c));
        model = folder.resolve("m" + HOSTILE.replace('/', '_') + ".onnx");
        OnnxModels.write(new Graph(toy.name(), toy.inputs(), toy.outputs(), toy.nodes(), toy.constants(),
                toy.quantization(), Map.of("names", names + "', 'blue']", "stride", "32")), model);
        images = Files.createDirectories(folder.resolve("p" + HOSTILE.replace('/', '_')));
        image = ToyModel.redAndBlue(images.resolve("x" + HOSTILE.replace('/', '_') + ".png"));
    }

    private Outcome run(Object... arguments) {
        List<String> args = new ArrayList<>();
        for (Object argument : arguments) {
            args.add(argument.toString());
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exit = Main.run(args.toArray(String[]::new), new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        Outcome outcome = new Outcome(exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
        for (String text : List.of(outcome.out(), outcome.err())) {
            text.lines().forEach(line -> {
                assertEquals(line.replaceFirst("^\t", ""), PrintableText.of(line.replaceFirst("^\t", "")));
                assertTrue(!line.startsWith("image 1/1 forged"), text);
            });
        }
        return outcome;
    }

    @Test
    void detectPrintsLinesJsonAndCsv() throws IOException {
        Outcome lines = run("detect", "--weights", model, "--threads", 1, "--project", folder.resolve("runs"),
                "--save-csv", "--save-txt", "--save-crop", image);
        assertEquals(0, lines.exit(), lines.err());
        assertEquals(3, lines.out().lines().count(), lines.out());
        assertTrue(lines.out().contains("1 a\\u001b[31m\\u0007\\nimage 1/1 forged\\r\\u009b2J\\u202e"), lines.out());
        List<String> csv = Files.readAllLines(folder.resolve("runs/exp/predictions.csv"));
        assertEquals(3, csv.size());
        csv.forEach(row -> assertEquals(row, PrintableText.of(row)));

        Outcome json = run("detect", "--weights", model, "--threads", 1, "--nosave", "--json", image);
        assertEquals(1, json.out().lines().count(), json.out());
        var tree = new ObjectMapper().readTree(json.out());
        assertEquals(HOSTILE, tree.at("/detections/0/label").asText());
        assertEquals(image.toString(), tree.get("source").asText());
    }

    @Test
    void errorsNameFilesOnOneLine() {
        Path missing = images.resolve("none" + HOSTILE.replace('/', '_') + ".png");
        for (Outcome outcome : List.of(
                run("detect", "--weights", model, missing),
                run("detect", "--weights", missing, image),
                run("detect", "--weights", "y" + HOSTILE.replace("/", ""), image),
                run("detect", "--" + HOSTILE, image),
                run("detect", "--debug", "--weights", missing, image),
                run(HOSTILE),
                run("detect", "--weights", model, "--classes", HOSTILE + "b", image),
                run("val", "--data", missing),
                run("build", missing, "-o", folder.resolve("x.shrike")),
                run("build", model, "-o", HOSTILE),
                run("calibrate", missing, "--data", images, "-o", folder.resolve("c.json")),
                run("quantize", missing, "--data", images, "-o", folder.resolve("q.onnx")),
                run("models", "pull", HOSTILE))) {
            assertTrue(outcome.exit() != 0 && outcome.err().startsWith("shrike: "), outcome.toString());
            long lines = outcome.err().lines().filter(line -> line.startsWith("shrike: ")).count();
            assertEquals(1, lines, outcome.err());
        }
    }

    @Test
    void valBuildAndQuantizeTellOnOneLineEach() throws IOException {
        Path images = Files.createDirectories(folder.resolve("set/images/val"));
        Path labels = Files.createDirectories(folder.resolve("set/labels/val"));
        ToyModel.redAndBlue(images.resolve("a.png"));
        Files.writeString(labels.resolve("a.txt"), "0 0.1875 0.3125 0.125 0.125\n1 0.6875 0.8125 0.125 0.125\n");
        StringBuilder yaml = new StringBuilder("val: images/val\nnames: [\"");
        HOSTILE.chars().forEach(c -> yaml.append(c < 0x20 || c > 0x7e ? String.format("\\u%04x", c) : (char) c));
        Path data = Files.writeString(folder.resolve("set/data.yaml"), yaml + "\", blue]\n");
        Outcome val = run("val", "--weights", model, "--data", data, "--threads", 1, "--verbose", "--nosave");
        assertEquals(0, val.exit(), val.err());
        Outcome json = run("val", "--weights", model, "--data", data, "--threads", 1, "--json", "--nosave");
        assertEquals(1, json.out().lines().count(), json.out());
        assertEquals(HOSTILE, new ObjectMapper().readTree(json.out()).at("/classes/0/name").asText());

        Outcome build = run("build", model, "-o", folder.resolve("b" + HOSTILE.replace('/', '_') + ".shrike"),
                "--no-tune", "--threads", 1);
        assertEquals(0, build.exit(), build.err());
        assertEquals(3, build.out().lines().count(), build.out());
    }
}
