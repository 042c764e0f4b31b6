package dev.shrike.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code shrike val} on a data set of 200 images, 40 of them with flaws of ten kinds: the figures are those of the
 * other 160 alone, to the last digit, and every flaw is told.
 */
class ValFlawsTest {
    private static final int IMAGES = 200;
    private static final int KINDS = 10;
    /** Of so many images one has a flaw. */
    private static final int STEP = 5;

    @TempDir
    private static Path models;

    private static Path model;

    @TempDir
    private Path folder;

    private record Outcome(int exit, String out, String err) {}

    @BeforeAll
    static void makeModel() {
        model = ToyModel.write(models.resolve("toy.onnx"));
    }

    private static Outcome val(Path data, Object... more) {
        List<Object> args = new ArrayList<>(List.of("val", "--weights", model, "--data", data, "--threads", "1",
                "--nosave"));
        args.addAll(List.of(more));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exit = Main.run(args.stream().map(Object::toString).toArray(String[]::new),
                new PrintStream(out, true, StandardCharsets.UTF_8), new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Outcome(exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    /** A set in YOLO's form; of those with a flaw only the sound half is there unless wanted. */
    private Path write(String name, boolean flaws) throws IOException {
        Path root = Files.createDirectories(folder.resolve(name));
        Path images = Files.createDirectories(root.resolve("images"));
        Path labels = Files.createDirectories(root.resolve("labels"));
        for (int i = 0; i < IMAGES; i++) {
            if (i % STEP == 0 && !flaws) {
                continue;
            }
            Path image = ToyModel.image(images.resolve(i + ".png"), i % 8, i / 8 % 8, (i + 3) % 8, i % 7);
            // Every third image has a box that is not found, every fourth one that is not labelled.
            String text = line(0, i % 8, i / 8 % 8) + (i % 4 == 0 ? "" : line(0, (i + 3) % 8, i % 7))
                    + (i % 3 == 0 ? line(1, 7 - i % 8, i % 5) : "");
            Path label = Files.writeString(labels.resolve(i + ".txt"), text);
            if (i % STEP == 0) {
                spoil(i / STEP % KINDS, image, label);
            }
        }
        return Files.writeString(root.resolve("data.yaml"), "val: images\nnames: [red block, blue block]\n");
    }

    private static String line(int classId, int column, int row) {
        return String.format(Locale.ROOT, "%d %.5f %.5f 0.125 0.125%n", classId, (column + 0.5) / 8, (row + 0.5) / 8);
    }

    private static void spoil(int kind, Path image, Path label) throws IOException {
        byte[] bytes = Files.readAllBytes(image);
        switch (kind) {
            case 0 -> Files.write(image, Arrays.copyOf(bytes, bytes.length / 2));
            case 1 -> Files.writeString(image, "<html>not found</html>");
            case 2 -> Files.write(image, new byte[0]);
            case 3 -> Files.writeString(image, "GIF89a");
            case 4 -> {
                ByteBuffer.wrap(bytes).putInt(16, 1 << 20).putInt(20, 1 << 20);
                java.util.zip.CRC32 crc = new java.util.zip.CRC32();
                crc.update(bytes, 12, 17);
                ByteBuffer.wrap(bytes).putInt(29, (int) crc.getValue());
                Files.write(image, bytes);
            }
            case 5 -> Files.writeString(label, "0 0.5 0.5\n");
            case 6 -> Files.writeString(label, "7 0.5 0.5 0.1 0.1\n");
            case 7 -> Files.writeString(label, "0 nan 0.5 0.1 0.1\n");
            case 8 -> Files.writeString(label, "0 32 5 8 8\n");
            case 9 -> Files.write(label, new byte[] {(byte) 0xfe, (byte) 0xff, (byte) 0xd8, 0, 1});
            default -> throw new AssertionError(kind);
        }
    }

    private static JsonNode figures(Path data) throws IOException {
        Outcome outcome = val(data, "--json");
        assertEquals(0, outcome.exit(), outcome.err());
        assertEquals(List.of(),
                JsonSchema.read(Repository.root().resolve("docs/val.schema.json")).violations(outcome.out()));
        return new ObjectMapper().readTree(outcome.out());
    }

    @Test
    void theFiguresAreThoseOfTheSoundImagesAlone() throws IOException {
        JsonNode expected = figures(write("sound", false));
        Path data = write("flawed", true);
        JsonNode measured = figures(data);
        for (String part : List.of("yolo", "coco", "classes", "pictures", "objects")) {
            assertEquals(expected.get(part), measured.get(part), part);
        }
        assertEquals(160, measured.get("pictures").intValue());
        assertTrue(measured.at("/coco/AP").doubleValue() > 0.3 && measured.at("/coco/AP").doubleValue() < 0.95,
                measured.toString());
        assertEquals(200, measured.at("/census/pictures").intValue());
        assertEquals(40, measured.at("/census/left_out").intValue());
        Outcome outcome = val(data);
        assertEquals(0, outcome.exit());
        List<String> lines = outcome.err().lines().toList();
        assertEquals("200 images, 180 labelled, 0 without objects, 0 without a label file, 20 left out, 0 of other"
                + " kinds", lines.getFirst());
        assertEquals("40 of 200 images left out of the figures:", lines.get(1));
        for (String kind : List.of("20 x unreadable image:", "4 x unreadable label file:",
                "4 x label with a wrong number of values:", "4 x label with something that is no number:",
                "4 x label with a value out of range:", "4 x label of an unknown class:")) {
            assertTrue(lines.contains(kind), kind + " in " + outcome.err());
        }
        assertTrue(lines.contains("  … and 15 more; --strict lists all"), outcome.err());
    }

    @Test
    void strictlyAllProblemsAreToldAtOnceAndNothingIsMeasured() throws IOException {
        Path data = write("flawed", true);
        Outcome outcome = val(data, "--strict");
        assertEquals(1, outcome.exit());
        assertEquals("", outcome.out());
        List<String> lines = outcome.err().lines().toList();
        assertEquals("shrike: " + data + ": 40 problems, listed above; without --strict what is broken is left out and"
                + " counted", lines.getLast());
        assertEquals(41, lines.size());
        assertEquals(0, val(write("sound", false), "--strict").exit());
    }

    @Test
    void labelsInAnotherFolderAreMissed() throws IOException {
        Path data = write("sound", false);
        Files.move(data.resolveSibling("labels"), data.resolveSibling("lables"));
        Outcome outcome = val(data);
        assertEquals(0, outcome.exit());
        assertTrue(outcome.err().contains("warning: not one of 160 images has an object, so that every figure will be"
                + " nothing; the labels of " + data.resolveSibling("images/1.png") + " are looked for in "
                + data.resolveSibling("labels/1.txt") + "\n"), outcome.err());
    }

    @Test
    void classesOfOtherNamesAreNotTakenByOrderUnlessThatIsSaid() throws IOException {
        Path data = write("sound", false);
        JsonNode expected = figures(data);
        Files.writeString(data, "val: images\nnames: [red brick, blue block]\n");
        Outcome outcome = val(data);
        assertEquals(1, outcome.exit());
        assertTrue(outcome.err()
                .contains("the class 'red brick' is not among those of the model; if they are the same in"
                        + " the same order under other names, say --classes-by-order. Data set: red brick, blue"
                        + " block. Model:"
                        + " red block, blue block"),
                outcome.err());
        assertFalse(outcome.err().contains("unexpected"));
        Outcome byOrder = val(data, "--classes-by-order", "--json");
        assertEquals(0, byOrder.exit(), byOrder.err());
        assertEquals(expected.get("coco"), new ObjectMapper().readTree(byOrder.out()).get("coco"));
        Files.writeString(data, "val: images\nnames: [Red_Block, BLUE block]\n");
        assertEquals(expected.get("coco"), figures(data).get("coco"));
    }
}
