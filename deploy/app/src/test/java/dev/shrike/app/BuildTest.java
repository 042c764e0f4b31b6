package dev.shrike.app;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import dev.shrike.onnx.OnnxModels;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code shrike build} from arguments to a file that {@code shrike detect} runs. */
class BuildTest {
    @TempDir
    private static Path models;

    private static Path model;

    @TempDir
    private Path folder;

    private Path built;
    private Path image;

    private record Outcome(int exit, String out, String err) {}

    @BeforeAll
    static void makeModel() {
        model = ToyModel.write(models.resolve("toy.onnx"));
    }

    @BeforeEach
    void makeImage() {
        image = ToyModel.redAndBlue(folder.resolve("blocks.png"));
        built = folder.resolve("toy.shrike");
    }

    private static Outcome run(Object... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exit = Main.run(
                Arrays.stream(args).map(Object::toString).toArray(String[]::new),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Outcome(exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private Outcome build(Object... more) {
        return buildOf(model, more);
    }

    /** Measures nothing unless a test asks for it. */
    private Outcome buildOf(Path from, Object... more) {
        List<Object> args = new ArrayList<>(List.of("build", from, "-o", built, "--threads", "1"));
        args.addAll(List.of(more));
        if (!args.remove("--tune")) {
            args.add("--no-tune");
        }
        return run(args.toArray());
    }

    private Outcome detect(Object... more) {
        List<Object> args = new ArrayList<>(List.of("detect", "--weights", built, "--nosave", "--threads", "1"));
        args.addAll(List.of(more));
        return run(args.toArray());
    }

    private void assertFindsTheBlocks() {
        Outcome found = detect(image);
        assertEquals(0, found.exit(), found.err());
        assertTrue(found.out().contains(": 64x64 1 red block, 1 blue block"), found.out());
    }

    @Test
    void aFloatModelFindsTheSameObjects() {
        Outcome outcome = build();
        assertEquals(0, outcome.exit(), outcome.err());
        assertEquals("", outcome.err());
        List<String> lines = outcome.out().lines().toList();
        assertTrue(lines.get(0).matches(".*toy\\.shrike: \\S+ MB, \\S+ % of toy\\.onnx \\(\\S+ MB\\)"), lines.get(0));
        assertEquals(List.of("input images: 64x64 pixels", "layers: 1 float"), lines.subList(1, 3));
        String fromOnnx = run("detect", "--weights", model, "--nosave", "--threads", "1", "--json", image).out();
        String fromFile = detect("--json", image).out();
        assertEquals(detections(fromOnnx), detections(fromFile));
        assertTrue(fromFile.contains("\"model\":\"toy.shrike\""), fromFile);
    }

    private static String detections(String json) {
        return json.substring(json.indexOf("\"detections\""));
    }

    @Test
    void theNameOfABuiltFileDoesNotMatter() throws IOException {
        assertEquals(0, build("--quiet").exit());
        built = Files.move(built, folder.resolve("model.onnx"));
        assertFindsTheBlocks();
    }

    @ParameterizedTest
    @ValueSource(strings = {"w8a8", "w4a4", "w1a2"})
    void aQuantisedModelFindsThemToo(String bits) {
        // The toy has one layer, which is its first and its last one and so has 8 bits whatever is said.
        Outcome outcome = build("--bits", bits, "--data", folder, "--images", "3");
        assertEquals(0, outcome.exit(), outcome.err());
        String few = bits.equals("w8a8") ? "" : "warning: --bits " + bits + " .*'shrike quantize'.*\n";
        assertTrue(outcome.err().matches("warning: only 1 image to calibrate with: .*\n" + few
                + "measured the ranges of \\d+ values on 1 image\n"), outcome.err());
        assertTrue(outcome.out().endsWith("layers: 1 w8a8\n"), outcome.out());
        assertFindsTheBlocks();
    }

    @Test
    void firstAndLastLayersCanStayFloat() {
        Outcome outcome = build("--bits", "w4a4", "--data", folder, "--first-last", "float");
        assertEquals(0, outcome.exit(), outcome.err());
        assertTrue(outcome.out().endsWith("layers: 1 float\n"), outcome.out());
        assertFindsTheBlocks();
    }

    /** Of a matrix product behind moves of the image, one inside and a last one. */
    @Test
    void matrixProductsAreQuantisedToo() {
        List<Node> nodes = List.of(
                node("small", new Op.MaxPool(Window.square(16, 16, 0), false), "x"),
                node("flat", new Op.Flatten(1), "small"), node("a", new Op.MatMul(), "flat", "a.w"),
                node("relu", Op.Unary.of(Op.Unary.Kind.RELU), "a"),
                node("b", new Op.Gemm(1, 1, false, true), "relu", "b.w"), node("y", new Op.MatMul(), "b", "c.w"));
        Path products = write(nodes, Map.of("a.w", weights(48, 8), "b.w", weights(8, 8), "c.w", weights(8, 4)),
                Shape.of(1, 4));
        Outcome outcome = buildOf(products, "--bits", "w3a4", "--data", image.getParent());
        assertEquals(0, outcome.exit(), outcome.err());
        assertTrue(outcome.out().endsWith("layers: 1 w3a4, 2 w8a8\n"), outcome.out());
    }

    @Test
    void aNetworkWithNothingToQuantiseIsRefused() {
        Path plain = write(List.of(node("y", Op.Unary.of(Op.Unary.Kind.RELU), "x")), Map.of(),
                Shape.of(1, 3, 64, 64));
        Outcome outcome = buildOf(plain, "--bits", "w8a8", "--data", image.getParent());
        assertEquals(1, outcome.exit(), outcome.err());
        assertTrue(outcome.err().contains(plain + ": has no convolution, Gemm or MatMul"), outcome.err());
        assertFalse(Files.exists(built));
        assertEquals(0, buildOf(plain, "--quiet").exit());
    }

    private static Node node(String output, Op op, String... inputs) {
        return new Node(output, op, List.of(inputs), List.of(output));
    }

    private static Tensor weights(int rows, int columns) {
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) Math.sin(i) / rows;
        }
        return Tensor.ofFloats(Shape.of(rows, columns), values);
    }

    private Path write(List<Node> nodes, Map<String, Tensor> constants, Shape result) {
        Path file = models.resolve("products" + nodes.size() + ".onnx");
        OnnxModels.write(new Graph("products", List.of(new ValueInfo("x", DataType.FLOAT32, Shape.of(1, 3, 64, 64))),
                List.of(new ValueInfo("y", DataType.FLOAT32, result)), nodes, constants, Map.of(), Map.of()), file);
        return file;
    }

    @Test
    void anotherInputSizeIsRefusedWithTheWayOut() {
        assertEquals(0, build("--quiet").exit());
        assertEquals(0, detect(image, "--imgsz", "64").exit());
        Outcome outcome = detect(image, "--imgsz", "96");
        assertEquals(1, outcome.exit());
        assertTrue(outcome.err().startsWith("shrike: " + built + ": it was built for images of 64x64"),
                outcome.err());
        assertTrue(outcome.err().contains("'shrike build --imgsz 96'"), outcome.err());
    }

    @Test
    void anotherEngineIsRefused() {
        assertEquals(0, build("--quiet").exit());
        assertEquals(0, detect(image, "--engine", "cpu").exit());
        Outcome outcome = detect(image, "--engine", "tensorrt");
        assertEquals(1, outcome.exit());
        assertTrue(outcome.err().contains("was built for the engine 'cpu'"), outcome.err());
    }

    @Test
    void damagedFilesAreNamed() throws IOException {
        assertEquals(0, build("--quiet").exit());
        byte[] bytes = Files.readAllBytes(built);
        for (int at : new int[] {0, 9, 40, 70, 300, bytes.length - 1}) {
            byte[] damaged = bytes.clone();
            damaged[at] ^= 4;
            Files.write(built, damaged);
            Outcome outcome = detect(image);
            assertEquals(1, outcome.exit());
            assertTrue(outcome.err().matches("shrike: " + built + ": .*shrike build.*\n"), outcome.err());
        }
        Files.write(built, new byte[0]);
        assertTrue(detect(image).err().contains("shrike build"));
    }

    @Test
    void tuningIsToldAndKeptInTheFile() throws IOException {
        System.setProperty("shrike.cpu.tuning", folder.resolve("cache").toString());
        try {
            Outcome first = build("--tune", "--bits", "w8a8", "--data", folder);
            assertEquals(0, first.exit(), first.err());
            assertTrue(first.err().lines().toList().getLast()
                    .matches("tuned 1 convolution in \\d+\\.\\d s: 1 (int8|bitserial|onednn)"), first.err());
            assertFindsTheBlocks();
            byte[] bytes = Files.readAllBytes(built);
            Outcome second = build("--tune", "--bits", "w8a8", "--data", folder);
            assertTrue(second.err().contains("1 convolution as measured before: 1 "), second.err());
            assertArrayEquals(bytes, Files.readAllBytes(built));
            assertEquals("", build("--tune", "--quiet").err());
        } finally {
            System.clearProperty("shrike.cpu.tuning");
        }
    }

    @Test
    void aKernelCanBeForced() {
        for (String kernel : List.of("int8", "bitserial", "reference")) {
            Outcome outcome = build("--bits", "w4a4", "--data", folder, "--kernel", kernel);
            // The only layer is the first one and keeps 8 bits, which planes of bits do not serve.
            if (kernel.equals("bitserial")) {
                assertEquals(1, outcome.exit(), outcome.err());
                assertTrue(outcome.err().contains("toy.onnx: no layer can use the kernel 'bitserial' here: "),
                        outcome.err());
                assertTrue(outcome.err().contains("w8a8 "), outcome.err());
                assertTrue(outcome.err().contains("now int8"), outcome.err());
                assertTrue(outcome.err().contains("leave --kernel out"), outcome.err());
                continue;
            }
            assertEquals(0, outcome.exit(), outcome.err());
            assertTrue(outcome.err().contains("kernel " + kernel + " runs 1 of 1 convolutions\n"), outcome.err());
            assertFindsTheBlocks();
        }
        assertEquals(0, build("--kernel", "native").exit());
        assertFindsTheBlocks();
        Outcome unknown = build("--kernel", "cuda");
        assertEquals(2, unknown.exit());
        assertTrue(unknown.err().contains("--kernel 'cuda' is none of the engine 'cpu', which has native, "),
                unknown.err());
    }

    @Test
    void aBuiltModelIsTunedAgainEvenInItsPlace() throws IOException {
        assertEquals(0, build("--quiet").exit());
        byte[] untuned = Files.readAllBytes(built);
        Path original = Files.copy(built, folder.resolve("original.shrike"));
        Outcome outcome = buildOf(original, "--kernel", "native");
        assertEquals(0, outcome.exit(), outcome.err());
        assertFalse(Arrays.equals(untuned, Files.readAllBytes(built)));
        assertFindsTheBlocks();
        assertEquals(0, buildOf(built, "--quiet").exit());
        assertArrayEquals(untuned, Files.readAllBytes(built));
        Outcome other = buildOf(built, "--imgsz", "96");
        assertEquals(1, other.exit());
        assertTrue(other.err().contains("toy.shrike: "), other.err());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --bits w4a8                  | --bits needs --data
            --bits w9a8 --data .         | --bits 'w9a8' is not of the form w4a8
            --bits w0a8 --data .         | is not of the form w4a8
            --bits 4 --data .            | is not of the form w4a8
            --bits w4a8 --data . --images 0 | --images 0 is less than 1
            --bits w4a8 --data . --first-last 4 | --first-last '4' is neither 8 nor float
            --data .                     | --data goes with --bits
            --images 3                   | --images goes with --bits
            --first-last 8               | --first-last goes with --bits
            --imgsz 8                    | --imgsz 8 is not within
            --imgsz 1,2,3                | --imgsz takes N or HEIGHT,WIDTH
            --threads 257                | number of threads 257 is not within
            -o model.onnx                | does not end in .shrike
            --batch 4                    | --batch is for files that end in .engine
            """)
    void senselessOptionsAreUsageErrors(String options, String message) {
        Outcome outcome = build((Object[]) options.split(" "));
        assertEquals(2, outcome.exit(), outcome.err());
        assertTrue(outcome.err().startsWith("shrike: ") && outcome.err().contains(message), outcome.err());
        assertFalse(Files.exists(built));
        assertEquals(2, run("build", model).exit());
        assertEquals(2, run("build", "-o", built).exit());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --bits w4a8 --data . | --bits is for files that end in .shrike
            --kernel int8    | --kernel is for files that end in .shrike
            --no-tune        | --no-tune is for files that end in .shrike
            --threads 2      | --threads is for files that end in .shrike
            --first-last 8   | --first-last is for files that end in .shrike
            --images 3       | --images goes with --data
            --images 0 --data . | --images 0 is less than 1
            --batch 8,4      | --batch: '8,4' is neither a number of images
            --batch 4,2,8    | --batch: batches of 4 to 8, best at 2, are not ascending
            """)
    void senselessOptionsOfAnEngineAreUsageErrors(String options, String message) {
        Path engine = folder.resolve("toy.engine");
        List<Object> arguments = new ArrayList<>(List.of("build", model, "-o", engine));
        arguments.addAll(List.of(options.split(" ")));
        Outcome outcome = run(arguments.toArray());
        assertEquals(2, outcome.exit(), outcome.err());
        assertTrue(outcome.err().startsWith("shrike: ") && outcome.err().contains(message), outcome.err());
        assertFalse(Files.exists(engine));
    }

    /** Where there is no GPU; where there is one it is built. */
    @Test
    void anEngineNeedsItsDevice() {
        Path engine = folder.resolve("toy.engine");
        Outcome outcome = run("build", model, "-o", engine, "--batch", "1,4,8");
        if (outcome.exit() == 1) {
            assertTrue(outcome.err().startsWith("shrike: no engine can run here; tensorrt: "), outcome.err());
            assertFalse(Files.exists(engine));
        } else {
            assertEquals(0, outcome.exit(), outcome.err());
        }
    }

    @Test
    void whatCannotBeBuiltIsNamedAndNothingIsLeft() throws IOException {
        Path text = Files.writeString(Files.createDirectories(folder.resolve("bad")).resolve("a.png"), "no image");
        Path none = Files.createDirectories(folder.resolve("none"));
        List<List<Object>> wrong = List.of(
                List.of("build", folder.resolve("missing.onnx"), "-o", built),
                List.of("build", image, "-o", built),
                List.of("build", model, "-o", folder.resolve("no/toy.shrike")),
                List.of("build", model, "-o", built, "--imgsz", "96"),
                List.of("build", model, "-o", built, "--bits", "w8a8", "--data", none),
                List.of("build", model, "-o", built, "--bits", "w8a8", "--data", folder.resolve("nowhere")),
                List.of("build", model, "-o", built, "--bits", "w8a8", "--data", text.getParent()));
        List<String> named = List.of("missing.onnx", "blocks.png", "no/toy.shrike", "toy.onnx", "none", "nowhere",
                "a.png");
        for (int i = 0; i < wrong.size(); i++) {
            Outcome outcome = run(wrong.get(i).toArray());
            assertEquals(1, outcome.exit(), wrong.get(i).toString());
            assertEquals("", outcome.out());
            assertEquals(1, outcome.err().lines().count(), outcome.err());
            assertTrue(outcome.err().contains(named.get(i)), outcome.err());
        }
        try (var files = Files.list(folder)) {
            assertEquals(List.of("bad", "blocks.png", "none"),
                    files.map(file -> file.getFileName().toString()).sorted().toList());
        }
    }

    @Test
    void helpNamesEveryOption() {
        Outcome outcome = run("build", "--help-all");
        for (String option : List.of("--output", "--imgsz", "--bits", "--data", "--images", "--batch", "--first-last",
                "--threads",
                "--no-tune", "--kernel", "--no-progress", "--quiet")) {
            assertTrue(outcome.out().contains(option), option + " is not in " + outcome.out());
        }
        assertTrue(run("help").out().contains("  build  "));
    }
}
