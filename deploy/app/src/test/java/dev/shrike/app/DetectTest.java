package dev.shrike.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.shrike.Frame;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code shrike detect} from arguments to files, on a small network and images whose contents are known. */
class DetectTest {
    @TempDir
    private static Path models;

    private static Path model;

    @TempDir
    private Path folder;

    private Path image;
    private Path project;

    private record Outcome(int exit, String out, String err) {}

    @BeforeAll
    static void makeModel() {
        model = ToyModel.write(models.resolve("toy.onnx"));
    }

    @BeforeEach
    void makeImage() {
        image = ToyModel.redAndBlue(folder.resolve("blocks.png"));
        project = folder.resolve("runs");
    }

    /** Detects with the toy model into the test's own folder. */
    private Outcome detect(Object... more) {
        List<String> args = new ArrayList<>(List.of(
                "detect", "--weights", model.toString(), "--project", project.toString(), "--threads", "1"));
        for (Object arg : more) {
            args.add(arg.toString());
        }
        return run(args.toArray(String[]::new));
    }

    private static Outcome run(String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exit = Main.run(
                args,
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Outcome(exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private List<String> written() throws IOException {
        if (!Files.exists(project)) {
            return List.of();
        }
        try (var files = Files.walk(project)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> project.relativize(file).toString())
                    .sorted()
                    .toList();
        }
    }

    @Test
    void aImageGivesALineAndAnAnnotatedCopy() throws IOException {
        Outcome outcome = detect(image);
        assertEquals(0, outcome.exit(), outcome.err());
        assertEquals("", outcome.err());
        List<String> lines = outcome.out().lines().toList();
        assertEquals(3, lines.size(), outcome.out());
        assertTrue(
                lines.get(0).matches("image 1/1 .*blocks\\.png: 64x64 1 red block, 1 blue block, \\d+\\.\\dms"),
                lines.get(0));
        assertTrue(
                lines.get(1).matches("Speed: \\S+ms pre-process, \\S+ms inference, \\S+ms NMS per image"),
                lines.get(1));
        assertEquals("Results of 1 image saved to " + project.resolve("exp"), lines.get(2));

        assertEquals(List.of("exp/blocks.png"), written());
        Frame annotated = Frame.read(project.resolve("exp/blocks.png"));
        Frame original = Frame.read(image);
        assertEquals(64, annotated.width());
        assertEquals(64, annotated.height());
        assertTrue(annotated.pixels().mismatch(original.pixels()) >= 0, "nothing was drawn");
    }

    @Test
    void jsonLinesFollowTheSchemaAndHoldThePixelsOfTheImage() throws IOException {
        Path empty = ToyModel.image(folder.resolve("empty.jpg"));
        Outcome outcome = detect("--json", "--source", image, "--source", empty);
        assertEquals(0, outcome.exit(), outcome.err());
        List<String> lines = outcome.out().lines().toList();
        assertEquals(2, lines.size(), outcome.out());
        JsonSchema schema = JsonSchema.read(Repository.root().resolve("docs/detect.schema.json"));
        for (String line : lines) {
            assertEquals(List.of(), schema.violations(line), line);
        }

        JsonNode blocks = new ObjectMapper().readTree(lines.get(0));
        assertEquals(image.toString(), blocks.get("source").asText());
        assertEquals("toy.onnx", blocks.get("model").asText());
        assertTrue(blocks.get("engine").asText().startsWith("cpu"), lines.get(0));
        assertEquals(2, blocks.get("detections").size());
        for (JsonNode found : blocks.get("detections")) {
            boolean red = found.get("class_id").asInt() == 0;
            assertEquals(red ? "red block" : "blue block", found.get("label").asText());
            assertEquals(1, found.get("score").asDouble(), 0.01);
            double left = red ? 8 : 40;
            double top = red ? 16 : 48;
            double[] box = {left, top, left + 8, top + 8};
            for (int i = 0; i < 4; i++) {
                assertEquals(box[i], found.get("box").get(i).asDouble(), 0.1, found.toString());
            }
        }
        assertEquals(0, new ObjectMapper().readTree(lines.get(1)).get("detections").size());
        assertTrue(outcome.err().contains("Results of 2 images saved to"), outcome.err());
    }

    @Test
    void imagesOfTheSameNameAreAllKept() throws IOException {
        Path other = Files.createDirectories(folder.resolve("other"));
        ToyModel.image(other.resolve("blocks.png"), 3, 3);
        ToyModel.image(other.resolve("blocks.jpg"), 4, 4);
        Outcome outcome = detect(image, other, "--save-txt", "--save-conf");
        assertEquals(0, outcome.exit(), outcome.err());
        assertEquals(
                List.of(
                        "exp/blocks-2.jpg",
                        "exp/blocks-3.png",
                        "exp/blocks.png",
                        "exp/labels/blocks-2.txt",
                        "exp/labels/blocks-3.txt",
                        "exp/labels/blocks.txt"),
                written());
        String label = Files.readString(project.resolve("exp/labels/blocks-3.txt"));
        assertTrue(label.matches("0 0\\.4375\\d* 0\\.4375\\d* 0\\.125\\d* 0\\.125\\d* [01]\\.\\d+\n"), label);
    }

    @Test
    void foldersCountUpAndCanBeReused() throws IOException {
        detect(image);
        detect(image, "--nosave", "--save-txt");
        detect(image, "--exist-ok", "--save-txt");
        detect(image, "--name", "mine");
        assertEquals(
                List.of("exp/blocks.png", "exp/labels/blocks.txt", "exp2/labels/blocks.txt", "mine/blocks.png"),
                written());
        assertEquals(
                2, Files.readAllLines(project.resolve("exp2/labels/blocks.txt")).size());
    }

    @Test
    void nothingIsWrittenWithNosave() throws IOException {
        Outcome outcome = detect(image, "--nosave");
        assertEquals(0, outcome.exit(), outcome.err());
        assertEquals(2, outcome.out().lines().count(), outcome.out());
        assertFalse(Files.exists(project));
    }

    @Test
    void quietPrintsNothing() throws IOException {
        assertEquals(new Outcome(0, "", ""), detect(image, "--quiet"));
        assertEquals(List.of("exp/blocks.png"), written());
        assertEquals("", detect(image, "--quiet", "--json").err());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
            --classes 1                   | 1 blue block
            --classes 0,1                 | 1 red block, 1 blue block
            --classes 0 1                 | 1 red block, 1 blue block
            --max-det 1                   | 1
            --conf-thres 1                | (no detections)
            --imgsz 64                    | 1 red block, 1 blue block
            --imgsz 64,64                 | 1 red block, 1 blue block
            --imgsz 64 64                 | 1 red block, 1 blue block
            --agnostic-nms --multi-label  | 1 red block, 1 blue block
            --engine cpu                  | 1 red block, 1 blue block
            """)
    void optionsReachTheDetector(String options, String seen) {
        List<Object> args = new ArrayList<>(List.of(options.split(" +")));
        args.add("--nosave");
        // After the numbers: they must not swallow it.
        args.add(args.size() - 1, image);
        Outcome outcome = detect(args.toArray());
        assertEquals(0, outcome.exit(), outcome.err());
        assertTrue(outcome.out().contains(": 64x64 " + seen), outcome.out());
    }

    @Test
    void aBadImageIsNamedAndTheOthersAreLookedAt() throws IOException {
        Path torn = folder.resolve("a.png");
        Files.write(torn, Arrays.copyOf(Files.readAllBytes(image), 60));
        Path text = Files.writeString(folder.resolve("z.jpg"), "no image");
        Path missing = folder.resolve("missing.png");
        Outcome outcome = detect(missing, folder);
        assertEquals(1, outcome.exit());
        List<String> errors = outcome.err().lines().toList();
        assertEquals(3, errors.size(), outcome.err());
        assertTrue(errors.get(0).startsWith("shrike: " + missing + ": "), errors.get(0));
        assertTrue(errors.get(1).startsWith("shrike: " + torn + ": "), errors.get(1));
        assertTrue(errors.get(2).startsWith("shrike: " + text + ": "), errors.get(2));
        assertTrue(outcome.out().startsWith("image 2/3 "), outcome.out());
        assertEquals(List.of("exp/blocks.png"), written());
    }

    @Test
    void onlyBadImagesLeaveNoFolder() throws IOException {
        Path text = Files.writeString(folder.resolve("z.jpg"), "no image");
        Outcome outcome = detect(text);
        assertEquals(1, outcome.exit());
        assertEquals("", outcome.out());
        assertFalse(Files.exists(project.resolve("exp")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', textBlock = """
            --conf-thres NaN       | confidence threshold NaN is not within 0 to 1
            --conf-thres -0.1      | confidence threshold -0.1 is not within 0 to 1
            --conf-thres much      | 'much' is not a float
            --iou-thres 1.5        | IoU threshold 1.5 is not within 0 to 1
            --iou-thres Infinity   | IoU threshold Infinity is not within 0 to 1
            --max-det 0            | maximum of detections 0 is not within
            --threads -1           | number of threads -1 is not within
            --threads 100000       | number of threads 100000 is not within
            --imgsz 0              | --imgsz 0 is not within 32 to 16384
            --imgsz 999999         | 999999 is not within
            --imgsz 99999999999    | 99999999999 is too large for --imgsz
            --imgsz 64,64,64       | --imgsz takes N or HEIGHT,WIDTH
            --imgsz big            | 'big' is no SIZE for --imgsz
            --classes red-block    | --classes: the model has no class 'red-block', did you mean 'red block'?
            --classes -1           | class id -1 is not within
            --classes 0,2          | class 2 was asked for, the model has the classes 0 to 1
            --classes              | --classes needs ID
            --name a/b             | 'a/b' is no name of a folder
            --name ..              | '..' is no name of a folder
            --save-conf            | --save-conf adds to --save-txt
            --weigths x            | Unknown option: '--weigths', did you mean '--weights'?
            --weights              | Missing required parameter for option '--weights'
            """)
    void senselessOptionsAreUsageErrors(String options, String message) {
        List<Object> args = new ArrayList<>(List.of(image.toString()));
        args.addAll(List.of(options.split(" ")));
        Outcome outcome = detect(args.toArray());
        assertEquals(2, outcome.exit(), outcome.err());
        assertEquals("", outcome.out());
        assertTrue(outcome.err().startsWith("shrike: "), outcome.err());
        assertTrue(outcome.err().contains(message), outcome.err());
        assertFalse(outcome.err().contains("\tat "), outcome.err());
    }

    @Test
    void badModelsAreNamed() throws IOException {
        Path empty = Files.createFile(folder.resolve("empty.onnx"));
        Path torn = folder.resolve("torn.onnx");
        Files.write(torn, Arrays.copyOf(Files.readAllBytes(model), 900));
        Path photograph = ToyModel.image(folder.resolve("photograph.jpg"));
        for (String weights : List.of(
                empty.toString(), torn.toString(), photograph.toString(), folder.toString(),
                folder + "/missing.onnx")) {
            Outcome outcome = run("detect", "--weights", weights, "--project", project.toString(), image.toString());
            assertEquals(1, outcome.exit(), weights);
            assertEquals("", outcome.out());
            assertTrue(outcome.err().startsWith("shrike: " + weights + ": "), outcome.err());
            assertEquals(1, outcome.err().lines().count(), outcome.err());
        }
        assertFalse(Files.exists(project));
    }

    @Test
    void anUnknownModelBringsTheNamesOfThoseThereAre() {
        Outcome unknown = run("detect", "--weights", "yolov9z", image.toString());
        assertEquals(1, unknown.exit());
        assertTrue(unknown.err().matches("shrike: there is no model 'yolov9z'; .*yolov5s, yolov8n.*\n"), unknown.err());
        Outcome checkpoint = run("detect", "--weights", "yolov5s.pt", image.toString());
        assertEquals(1, checkpoint.exit());
        assertTrue(checkpoint.err().contains("'--weights yolov5s' fetches that model"), checkpoint.err());
    }

    @Test
    void sourcesThatStandForNothingAreNamed() throws IOException {
        Path empty = Files.createDirectories(folder.resolve("none"));
        Outcome outcome = detect(empty, folder + "/*.gif");
        assertEquals(1, outcome.exit());
        assertEquals(
                "shrike: " + empty + ": no images (JPEG, PNG, BMP, WebP, TIFF) in this folder\nshrike: " + folder
                        + "/*.gif: no images (JPEG, PNG, BMP, WebP, TIFF) match\n",
                outcome.err());
    }

    @Test
    void aProjectThatIsAFileIsNamed() {
        Outcome outcome = run(
                "detect", "--weights", model.toString(), "--project", image.toString(), image.toString());
        assertEquals(1, outcome.exit());
        assertTrue(outcome.err().startsWith("shrike: " + image + ": is a file, not a folder"), outcome.err());
    }

    @Test
    void anEngineThatThereIsNotIsNamed() {
        Outcome outcome = detect(image, "--engine", "abacus");
        assertEquals(1, outcome.exit());
        assertTrue(outcome.err().contains("there is no engine 'abacus'"), outcome.err());
    }

    @Test
    void debugAddsTheStackTrace() {
        assertFalse(detect(folder.resolve("none.png"), "--engine", "abacus").err().contains("\tat "));
        assertTrue(detect(image, "--debug", "--engine", "abacus").err().contains("\tat dev.shrike"));
    }
}
