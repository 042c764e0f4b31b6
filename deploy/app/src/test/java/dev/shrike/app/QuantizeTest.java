package dev.shrike.app;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.calibration.quantize.MemoryNeed;
import dev.shrike.graph.Activation;
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

/** {@code shrike calibrate} and {@code shrike quantize} from arguments to files that the other commands run. */
class QuantizeTest {
    @TempDir
    private static Path models;

    private static Path model;

    @TempDir
    private Path folder;

    private Path images;
    private Path quantized;

    private record Outcome(int exit, String out, String err) {}

    @BeforeAll
    static void makeModel() {
        model = ToyModel.write(models.resolve("toy.onnx"));
    }

    @BeforeEach
    void makeImages() throws IOException {
        images = Files.createDirectories(folder.resolve("pictures"));
        ToyModel.redAndBlue(images.resolve("blocks.png"));
        for (int i = 0; i < 7; i++) {
            ToyModel.image(images.resolve("p" + i + ".png"), i, i / 2, 7 - i, i);
        }
        quantized = folder.resolve("out.onnx");
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

    private Outcome quantize(Object... more) {
        List<Object> args = new ArrayList<>(
                List.of("quantize", model, "--data", images, "-o", quantized, "--threads", "1", "--crop", "0"));
        args.addAll(List.of(more));
        return run(args.toArray());
    }

    private static void assertFindsTheBlocks(Path file, Path image) {
        Outcome found = run("detect", "--weights", file, "--nosave", "--threads", "1", image);
        assertEquals(0, found.exit(), found.err());
        assertTrue(found.out().contains(": 64x64 1 red block, 1 blue block"), found.out());
    }

    @Test
    void aQuantisedModelFindsTheSameAndCanBeBuilt() {
        Outcome outcome = quantize("--scheme", "w4a8");
        assertEquals(0, outcome.exit(), outcome.err());
        assertTrue(outcome.err().matches("warning: only 8 images to calibrate with: .*\nmeasured \\d+ values on 8"
                + " images\n"), outcome.err());
        List<String> lines = outcome.out().lines().toList();
        assertTrue(lines.get(0).matches(".*out\\.onnx: \\S+ MB, \\S+ % of toy\\.onnx"), lines.get(0));
        // The only layer is the first and the last one.
        assertEquals("layers: 1 w8a8", lines.get(1));
        assertFindsTheBlocks(quantized, images.resolve("blocks.png"));
        Path built = folder.resolve("out.shrike");
        assertEquals(0, run("build", quantized, "-o", built, "--threads", "1").exit());
        assertFindsTheBlocks(built, images.resolve("blocks.png"));
    }

    @Test
    void eightBitsAreTheUsualScheme() throws IOException {
        assertEquals(0, quantize("--scheme", "w8a8", "--quiet").exit());
        byte[] bytes = Files.readAllBytes(quantized);
        for (String[] scheme : new String[][] {{}, {"--scheme", "int8"}, {"--scheme", "INT8"}}) {
            Files.delete(quantized);
            Outcome outcome = quantize((Object[]) scheme);
            assertEquals(0, outcome.exit(), outcome.err());
            assertEquals("layers: 1 w8a8", outcome.out().lines().toList().get(1));
            assertArrayEquals(bytes, Files.readAllBytes(quantized));
        }
    }

    @Test
    void plansAreWrittenEditedAndApplied() throws IOException {
        Path plan = folder.resolve("plan.yaml");
        assertEquals(0, quantize("--scheme", "w8a8", "--save-plan", plan, "--quiet").exit());
        String text = Files.readString(plan);
        assertTrue(text.contains("\"blocks\": w8a8"), text);
        Files.writeString(plan, text.replace("w8a8", "w5a7"));
        Outcome outcome = quantize("--plan", plan);
        assertEquals(0, outcome.exit(), outcome.err());
        assertTrue(outcome.out().contains("layers: 1 w5a7\n"), outcome.out());
        Files.writeString(plan, text.replace("\"blocks\"", "\"other\""));
        Outcome wrong = quantize("--plan", plan);
        assertEquals(1, wrong.exit());
        assertTrue(wrong.err().contains("leaves out the layer 'blocks'"), wrong.err());
    }

    @Test
    void latenciesAreMeasuredOnceAndThenRead() throws IOException {
        Path table = folder.resolve("latencies.yaml");
        Outcome first = quantize("--scheme", "auto", "--latency", "1000", "--latencies", table);
        assertEquals(0, first.exit(), first.err());
        assertTrue(first.out().contains("ms with 8 bits a weight"), first.out());
        String text = Files.readString(table);
        assertTrue(text.contains("\"blocks\": {8: "), text);
        Files.writeString(table, text.replaceAll("\\{8: \\d+}", "{8: 5000000}"));
        Outcome again = quantize("--scheme", "auto", "--latency", "1000", "--latencies", table);
        assertTrue(again.out().contains("with the widths chosen 5.00 ms"), again.out());
        Outcome tight = quantize("--scheme", "auto", "--latency", "1", "--latencies", table);
        assertEquals(1, tight.exit());
        assertTrue(tight.err().contains("no choice of widths keeps the budget"), tight.err());
        Files.writeString(table, "layers");
        Outcome damaged = quantize("--scheme", "auto", "--latency", "1", "--latencies", table);
        assertEquals(1, damaged.exit());
        assertTrue(damaged.err().contains(table + ": is no table of latencies"), damaged.err());
    }

    @Test
    void aCacheIsTakenOnlyForWhatItIsAbout() throws IOException {
        Path cache = folder.resolve("cache.json");
        Path tensorRt = folder.resolve("calib.cache");
        Outcome first = run("calibrate", model, "--data", images, "-o", cache, "--tensorrt", tensorRt, "--threads",
                "1", "--ranges", "min-max");
        assertEquals(0, first.exit(), first.err());
        List<String> lines = Files.readAllLines(tensorRt);
        assertEquals("TRT-8400-MinMaxCalibration", lines.getFirst());
        assertTrue(lines.contains("images: 3c010204"), lines.toString());
        assertTrue(lines.stream().anyMatch(line -> line.matches("grid: [0-9a-f]{8}")), lines.toString());
        Outcome again = quantize("--scheme", "w8a8", "--cache", cache);
        assertEquals(0, again.exit(), again.err());
        assertTrue(again.err().endsWith("\ntook 8 of 8 images from " + cache + "\n"), again.err());
        assertFindsTheBlocks(quantized, images.resolve("blocks.png"));
        Outcome other = quantize("--scheme", "w8a8", "--cache", cache, "--images", "3");
        assertEquals(1, other.exit());
        assertTrue(other.err().contains("is about another model, other images"), other.err());
        Files.writeString(cache, "{");
        Outcome damaged = quantize("--scheme", "w8a8", "--cache", cache);
        assertEquals(1, damaged.exit());
        assertTrue(damaged.err().contains(cache + ": is damaged"), damaged.err());
    }

    @Test
    void aCacheOutlivesAImage() throws IOException {
        Path cache = folder.resolve("cache.json");
        assertEquals(0, run("calibrate", model, "--data", images, "-o", cache, "--threads", "1").exit());
        Files.delete(images.resolve("p3.png"));
        Outcome fewer = quantize("--scheme", "w8a8", "--cache", cache);
        assertEquals(0, fewer.exit(), fewer.err());
        assertTrue(fewer.err().endsWith("took 8 of 8 images from " + cache + ", 1 of which is no longer there\n"),
                fewer.err());
        // One that can no longer be read is as good as gone, and a new one is measured.
        Files.writeString(images.resolve("p4.png"), "broken");
        ToyModel.image(images.resolve("q.png"), 3, 3);
        Outcome another = quantize("--scheme", "w8a8", "--cache", cache);
        assertEquals(0, another.exit(), another.err());
        assertTrue(another.err().contains("took 8 of 9 images from " + cache + ", 2 of which are no longer there\n"),
                another.err());
        assertTrue(another.err().contains(" values on 1 image\n"), another.err());
        assertFindsTheBlocks(quantized, images.resolve("blocks.png"));
    }

    @Test
    void whatCannotBeReadIsLeftOutAndListed() throws IOException {
        Files.writeString(images.resolve("p1.png"), "broken");
        Files.write(images.resolve("p2.png"), new byte[0]);
        Files.write(images.resolve("._p3.png"), new byte[] {0, 5, 22, 7});
        for (String command : List.of("calibrate", "quantize", "build")) {
            Path output = folder.resolve(command.equals("calibrate") ? "c.json"
                    : command.equals("build") ? "b.shrike" : "q.onnx");
            List<Object> args = new ArrayList<>(List.of(command, model, "--data", images, "-o", output, "--threads",
                    "1"));
            args.addAll(command.equals("quantize") ? List.of("--scheme", "w8a8")
                    : command.equals("build") ? List.of("--bits", "w8a8", "--no-tune") : List.of());
            args.add("--strict");
            Outcome strict = run(args.toArray());
            assertEquals(1, strict.exit(), strict.err());
            assertTrue(strict.err().contains("p1.png: is not a JPEG") && strict.err().contains("p2.png: is empty")
                    && strict.err().contains("shrike: " + images + ": 2 problems, listed above"), strict.err());
            assertFalse(Files.exists(output));
            args.removeLast();
            Outcome outcome = run(args.toArray());
            assertEquals(0, outcome.exit(), outcome.err());
            assertTrue(outcome.err().contains(" on 6 images\n"), outcome.err());
            assertTrue(outcome.err().contains("\nleft out:\n2 x unreadable image:\n  " + images.resolve("p1.png")),
                    outcome.err());
            assertTrue(Files.exists(output));
        }
        try (var files = Files.list(images)) {
            for (Path file : files.toList()) {
                Files.writeString(file, "broken");
            }
        }
        Outcome none = quantize("--scheme", "w8a8");
        assertEquals(1, none.exit());
        assertTrue(none.err().startsWith("shrike: none of the 8 images can be read"), none.err());
    }

    @Test
    void imagesMayBeThoseOfADataSetOrAList() throws IOException {
        Path yaml = Files.writeString(folder.resolve("data.yaml"), "train: pictures\nval: nowhere\nnames: [a]\n");
        Path list = Files.writeString(folder.resolve("list.txt"), "\uFEFFpictures/p1.png\r\n./pictures/p2.png\r\n");
        for (Path data : List.of(yaml, folder, list)) {
            Outcome outcome = run("quantize", model, "--data", data, "-o", quantized, "--threads", "1", "--scheme",
                    "w8a8");
            assertEquals(0, outcome.exit(), outcome.err());
            assertTrue(outcome.err().contains(" on " + (data == list ? 2 : 8) + " images\n"), outcome.err());
        }
    }

    @Test
    void nothingIsWrittenOverWhatIsRead() throws IOException {
        Path own = Files.copy(model, folder.resolve("own.onnx"));
        Path link = Files.createSymbolicLink(folder.resolve("link.onnx"), own);
        byte[] before = Files.readAllBytes(own);
        for (Path output : List.of(own, link, images.resolve("../own.onnx"))) {
            Outcome outcome = run("quantize", own, "--data", images, "-o", output, "--scheme", "w8a8");
            assertEquals(2, outcome.exit(), outcome.err());
            assertTrue(outcome.err().startsWith("shrike: -o " + output + " is the file that is read, " + own),
                    outcome.err());
        }
        // It is no cache either, which is told first.
        assertEquals(1, run("calibrate", own, "--data", images, "-o", own).exit());
        assertArrayEquals(before, Files.readAllBytes(own));
        Outcome image = run("calibrate", own, "--data", images, "-o", folder.resolve("c.json"), "--tensorrt",
                images.resolve("p1.png"));
        assertEquals(2, image.exit(), image.err());
        assertTrue(image.err().contains("--tensorrt " + images.resolve("p1.png") + " is the file that is read"),
                image.err());
        Outcome built = run("build", own, "-o", images.resolve("../own.onnx"), "--quiet");
        assertEquals(2, built.exit(), "not the ending of a built model");
        assertArrayEquals(before, Files.readAllBytes(own));
    }

    @Test
    void theLimitOfPixelsIsAnOption() {
        Outcome outcome = quantize("--scheme", "w8a8", "--max-pixels", "4095");
        assertEquals(1, outcome.exit());
        assertTrue(outcome.err().contains("the limit is 4095: make the image smaller, or raise the limit with"
                + " --max-pixels 4096"), outcome.err());
        assertEquals(0, quantize("--scheme", "w8a8", "--max-pixels", "4096").exit());
        assertEquals(null, System.getProperty("shrike.maxPixels"));
        Outcome none = quantize("--scheme", "w8a8", "--max-pixels", "0");
        assertEquals(2, none.exit());
        assertTrue(none.err().contains("--max-pixels 0 is not within 1 to 715827882"), none.err());
    }

    @Test
    void everyEffortRuns() {
        for (String effort : List.of("full", "single-rows", "even-places", "plain-errors", "no-descent", "no-fit",
                "scale-search", "bias", "nearest")) {
            Outcome outcome = quantize("--scheme", "w8a8", "--effort", effort, "--quiet");
            assertEquals(0, outcome.exit(), outcome.err());
            assertEquals("", outcome.out() + outcome.err());
            assertFindsTheBlocks(quantized, images.resolve("blocks.png"));
        }
    }

    @Test
    void tuningKeepsANetworkThatSees() throws IOException {
        Path many = manyImages();
        Outcome outcome = run("quantize", model, "--data", many, "-o", quantized, "--threads", "1", "--crop", "0",
                "--scheme", "w4a4", "--epochs", "2");
        assertEquals(0, outcome.exit(), outcome.err());
        assertTrue(outcome.out().contains("tuned: distance to the float network "), outcome.out());
        assertFindsTheBlocks(quantized, images.resolve("blocks.png"));
    }

    /** Windows are a sample of the images; the same one each time unless another is asked for. */
    @Test
    void aSeedChoosesTheWindows() throws IOException {
        Path wide = folder.resolve("wide.onnx");
        float[] weights = new float[4 * 3 * 3 * 3];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (i * 37 % 23 - 11) / 10f;
        }
        OnnxModels.write(new Graph("wide",
                List.of(new ValueInfo("images", DataType.FLOAT32, Shape.of(1, 3, 256, 256))),
                List.of(new ValueInfo("output", DataType.FLOAT32, Shape.of(1, 4, 128, 128))),
                List.of(new Node("layer", new Op.Conv(Window.square(3, 2, 1), 1, Activation.NONE),
                        List.of("images", "weights"), List.of("output"))),
                Map.of("weights", Tensor.ofFloats(Shape.of(4, 3, 3, 3), weights)), Map.of(), Map.of()), wide);
        List<byte[]> files = new ArrayList<>();
        for (String[] more : new String[][] {{}, {"--seed", "0"}, {"--seed", "1"}, {"--seed", "1"}}) {
            List<Object> args = new ArrayList<>(List.of("quantize", wide, "--data", images, "-o", quantized,
                    "--threads", "1", "--crop", "64", "--scheme", "w8a8", "--quiet"));
            args.addAll(List.of(more));
            Outcome outcome = run(args.toArray());
            assertEquals(0, outcome.exit(), outcome.err());
            files.add(Files.readAllBytes(quantized));
        }
        assertArrayEquals(files.get(0), files.get(1));
        assertArrayEquals(files.get(2), files.get(3));
        assertFalse(Arrays.equals(files.get(0), files.get(2)), "another seed, the same windows");
        assertEquals(2, quantize("--scheme", "w8a8", "--seed", "x").exit());
    }

    /** Enough of them to tune with. */
    private Path manyImages() throws IOException {
        Path many = Files.createDirectory(folder.resolve("many"));
        for (int i = 0; i < 64; i++) {
            Files.copy(images.resolve("blocks.png"), many.resolve(i + ".png"));
        }
        return many;
    }

    /** Writes the plan, and a network that finds its objects; the only layer is one that a scheme leaves at 8 bits. */
    private Outcome quantizeByPlan(Path plan, String widths) throws IOException {
        assertEquals(0, quantize("--scheme", "w8a8", "--save-plan", plan, "--quiet").exit());
        Files.writeString(plan, Files.readString(plan).replace("w8a8", widths));
        Outcome outcome = quantize("--plan", plan, "--save-plan", folder.resolve("again.yaml"));
        assertEquals(0, outcome.exit(), outcome.err());
        assertEquals(Files.readString(plan), Files.readString(folder.resolve("again.yaml")));
        assertFindsTheBlocks(quantized, images.resolve("blocks.png"));
        return outcome;
    }

    @Test
    void weightsCanBePowersOfTwo() throws IOException {
        Path plan = folder.resolve("plan.yaml");
        Outcome outcome = quantizeByPlan(plan, "w5a8 power-of-two");
        assertTrue(outcome.out().contains("layers: 1 w5a8 power-of-two\n"), outcome.out());
        Path many = manyImages();
        Outcome tuned = run("quantize", model, "--data", many, "-o", quantized, "--plan", plan, "--epochs", "1");
        assertEquals(2, tuned.exit());
        assertTrue(tuned.err().contains("--epochs tunes uniform weight codes"), tuned.err());
        Outcome scheme = quantize("--scheme", "w4a8 power-of-two");
        assertEquals(2, scheme.exit());
        assertTrue(scheme.err().contains("give --weight-codes power-of-two"), scheme.err());
    }

    @Test
    void weightsCanDoWithoutZeroPoints() throws IOException {
        Path plan = folder.resolve("plan.yaml");
        Outcome outcome = quantizeByPlan(plan, "w4a8 symmetric");
        assertTrue(outcome.out().contains("layers: 1 w4a8 symmetric\n"), outcome.out());
        Outcome tuned = run("quantize", model, "--data", manyImages(), "-o", quantized, "--plan", plan, "--epochs",
                "1", "--threads", "1");
        assertEquals(0, tuned.exit(), tuned.err());
        List<Tensor> zeros = OnnxModels.read(quantized).constants().entrySet().stream()
                .filter(entry -> entry.getValue().type() == DataType.INT4 && entry.getKey().contains(".zero"))
                .map(Map.Entry::getValue).toList();
        assertEquals(1, zeros.size());
        assertArrayEquals(new long[(int) zeros.getFirst().elements()], zeros.getFirst().toLongs());
    }

    /** No zero points, no weights in integers; and what is written sees as much. */
    @Test
    void aFileCanBeForTensorRt() throws IOException {
        Path plan = folder.resolve("plan.yaml");
        Outcome outcome = quantize("--for", "tensorrt", "--save-plan", plan);
        assertEquals(0, outcome.exit(), outcome.err());
        assertFindsTheBlocks(quantized, images.resolve("blocks.png"));
        Graph file = OnnxModels.read(quantized);
        List<Tensor> codes = file.constants().values().stream().filter(tensor -> tensor.type().bits() <= 8).toList();
        assertTrue(codes.size() >= 2, "zero points of the input and of weights");
        for (Tensor zero : codes) {
            assertEquals(DataType.INT8, zero.type());
            assertArrayEquals(new long[(int) zero.elements()], zero.toLongs());
        }
        assertTrue(file.nodes().stream().anyMatch(node -> node.op() instanceof Op.QuantizeLinear
                && file.constants().get(node.input(0)) != null), "weights are rounded by a node");
        byte[] expected = Files.readAllBytes(quantized);
        assertEquals(0, quantize("--plan", plan, "--for", "tensorrt", "--quiet").exit());
        assertArrayEquals(expected, Files.readAllBytes(quantized));
        Files.writeString(plan, Files.readString(plan).replace("w8a8", "w4a8"));
        Outcome narrow = quantize("--plan", plan, "--for", "tensorrt");
        assertEquals(1, narrow.exit());
        assertTrue(narrow.err().contains("has w4a8, but TensorRT runs codes of 8 bits only"), narrow.err());
    }

    @Test
    void preActivationsCanHaveCodes() throws IOException {
        Path plan = folder.resolve("plan.yaml");
        assertEquals(0, quantize("--scheme", "w8a8").exit());
        byte[] real = Files.readAllBytes(quantized);
        assertEquals(0, quantize("--scheme", "w8a8", "--pre-activations", "8", "--save-plan", plan).exit());
        assertFindsTheBlocks(quantized, images.resolve("blocks.png"));
        byte[] expected = Files.readAllBytes(quantized);
        assertTrue(Files.readString(plan).contains("\npre-activations: 8\n"), Files.readString(plan));
        assertEquals(0, quantize("--plan", plan, "--quiet").exit());
        assertArrayEquals(expected, Files.readAllBytes(quantized));
        assertEquals(0, quantize("--plan", plan, "--quiet", "--pre-activations", "float").exit());
        assertArrayEquals(real, Files.readAllBytes(quantized));
    }

    @Test
    void activationRangesCanBeThoseOfEachImage() throws IOException {
        Path plan = folder.resolve("plan.yaml");
        Outcome outcome = quantize("--scheme", "w4a8", "--activation-ranges", "dynamic", "--save-plan", plan);
        assertEquals(0, outcome.exit(), outcome.err());
        assertFalse(outcome.err().contains("measured"), "nothing is measured beforehand");
        assertTrue(outcome.out().contains("layers: 1 w8a8, activation ranges of each image\n"), outcome.out());
        assertTrue(Files.readString(plan).contains("\nactivation-ranges: dynamic\n"), Files.readString(plan));
        byte[] expected = Files.readAllBytes(quantized);
        assertFindsTheBlocks(quantized, images.resolve("blocks.png"));
        Path built = folder.resolve("out.shrike");
        Outcome build = run("build", quantized, "-o", built, "--threads", "1");
        assertEquals(0, build.exit(), build.err());
        assertTrue(build.out().contains("layers: 1 w8a8 dynamic\n"), build.out());
        assertFindsTheBlocks(built, images.resolve("blocks.png"));
        assertEquals(0, quantize("--plan", plan, "--quiet").exit());
        assertArrayEquals(expected, Files.readAllBytes(quantized));
        Outcome tuned = quantize("--plan", plan, "--epochs", "1");
        assertEquals(2, tuned.exit());
        assertTrue(tuned.err().contains("--epochs tunes networks with static activation ranges"), tuned.err());
        Outcome fixed = quantize("--plan", plan, "--activation-ranges", "static");
        assertEquals(0, fixed.exit(), fixed.err());
        assertTrue(fixed.out().contains("layers: 1 w8a8\n"), fixed.out());
        Files.writeString(plan, Files.readString(plan).replace("w8a8", "w8a6").replace("dynamic", "static"));
        Outcome wide = quantize("--plan", plan, "--activation-ranges", "dynamic");
        assertEquals(2, wide.exit());
        assertTrue(wide.err().contains("layer 'blocks' has w8a6"), wide.err());
    }

    @Test
    void weightsCanBeEntropyCoded() throws IOException {
        Outcome outcome = quantizeByPlan(folder.resolve("plan.yaml"), "w2.75a8 entropy-coded");
        assertTrue(outcome.out().contains("layers: 1 a8 entropy-coded\n"), outcome.out());
        assertTrue(outcome.out().matches("(?s).*\nentropy-coded: [1-3]\\.\\d\\d bits a weight on the average, .*"),
                outcome.out());
    }

    @Test
    void aLimitOfMemoryChangesNothingButWhereValuesAre() throws IOException {
        assertEquals(0, quantize("--scheme", "w8a8", "--quiet").exit());
        byte[] expected = Files.readAllBytes(quantized);
        Outcome little = quantize("--scheme", "w8a8", "--memory", "0.5");
        assertEquals(1, little.exit());
        assertTrue(little.err().contains("needs up to 0.62 GB whatever the images, more than --memory 0.50"),
                little.err());
        // Eight images have 400 kB of floats.
        double own = MemoryNeed.besidesActivations(OnnxModels.read(model)) / 1e9;
        Outcome limited = quantize("--scheme", "w8a8", "--memory", own + 1e-5);
        assertEquals(0, limited.exit(), limited.err());
        assertTrue(limited.out().matches("(?s).*\nof these on disk: \\d+ MB, as --memory 0.61 wants it\n"),
                limited.out());
        assertArrayEquals(expected, Files.readAllBytes(quantized));
        try (var files = Files.list(folder)) {
            assertEquals(List.of("out.onnx", "pictures"), files.map(file -> file.getFileName().toString()).sorted()
                    .toList());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --scheme w4a8 --plan x.yaml    | give one of --scheme and --plan
            --scheme w9a8                  | is not of the form w4a8
            --scheme w1a8                  | w1a8 is not within 2 to 8 bits each
            --scheme auto                  | needs one of --avg-bits, --size and --latency
            --scheme auto --avg-bits 9     | --avg-bits 9.0 is not within 2 to 8
            --scheme auto --size 0         | --size 0.0 is not positive
            --scheme w4a8 --avg-bits 4     | go with --scheme auto
            --scheme auto --size 1 --latency 1 | needs one of --avg-bits, --size and --latency
            --scheme auto --latency 1      | --latency and --latencies go together
            --scheme auto --latency -1 --latencies t.yaml | --latency -1.0 is not within
            --scheme w4a8 --ranges best    | --ranges: 'best' is none of
            --for openvino                 | --for 'openvino' is neither shrike nor tensorrt
            --for tensorrt --scheme w4a8   | --for tensorrt: it runs codes of 8 bits only
            --for tensorrt --scheme auto --size 1 | --for tensorrt: it runs codes of 8 bits only
            --for tensorrt --weight-codes entropy-coded | --for tensorrt: it runs codes of 8 bits only
            --for tensorrt --pre-activations 8 | --for tensorrt does not go with --pre-activations 8
            --for tensorrt --activation-ranges dynamic | --for tensorrt does not go with
            --for tensorrt --epochs 1      | --for tensorrt does not go with --epochs
            --scheme w4a8 --activation-ranges often | --activation-ranges 'often' is neither static nor dynamic
            --scheme w4a8 --activation-ranges dynamic --ranges mse | --ranges does not go with dynamic
            --scheme w4a8 --activation-ranges dynamic --wide-ranges mse | --wide-ranges does not go with dynamic
            --scheme w4a8 --activation-ranges dynamic --cache x | --cache does not go with dynamic
            --scheme w4a8 --activation-ranges dynamic --epochs 1 | --epochs tunes networks with static activation
            --scheme w4a8 --activation-ranges dynamic --pre-activations 8 | --pre-activations 8 does not go with
            --scheme w4a4 --activation-ranges dynamic | for activations of 8 bits, not 4; give --scheme w4a8
            --scheme auto --avg-bits 4 --activations 6 --activation-ranges dynamic | give --activations 8
            --scheme w4a8 --effort more    | --effort 'more' is none of
            --scheme w4a8 --images 0       | --images 0 is less than 1
            --scheme w4a8 --imgsz 3        | --imgsz 3 is not within 32 to 16384
            --scheme w4a8 --epochs=-1      | --epochs -1 is not within 0 to 1000
            --scheme w4a8 --epochs 2       | --epochs needs 64 images or more, not 8
            --scheme w4a8 --crop 100       | --crop 100 is neither 0 nor a multiple of 32
            --scheme w4a8 --threads 300    | number of threads 300 is not within
            --scheme w4a8 -o model.shrike  | does not end in .onnx
            --scheme w4a8 --memory much    | '--memory'
            --scheme w4a8 --memory 0       | --memory 0.0 is not within 0 and the
            --scheme w4a8 --memory NaN     | --memory NaN is not within 0 and the
            --scheme w4a8 --memory=-3      | --memory -3.0 is not within 0 and the
            --scheme w4a8 --memory 1e6     | --memory 1000000.0 is not within 0 and the
            --scheme w4a8 --weight-codes log | --weight-codes 'log' is none of uniform, symmetric, power-of-two,
            --scheme w4.5a8                | uniform weights of 4.5 bits; whole numbers are possible
            --scheme auto --latency 1 --latencies t.yaml --weight-codes entropy-coded | such layers take as long as
            --scheme w4a8 --pre-activations 16 | --pre-activations '16' is neither 8 nor float
            --plan x.yaml --weight-codes entropy-coded | in a plan write 'w4a8 entropy-coded'
            --scheme auto --size 1 --weight-codes entropy-coded --epochs 1 --images 1 | --epochs needs 64 images
            --scheme w6a8 --weight-codes power-of-two | power-of-two codes of 6 bits; 2 to 5 are possible
            --scheme auto --size 1 --weight-codes power-of-two | goes with --scheme wXaY
            --scheme auto --size 1 --weight-codes symmetric | goes with --scheme wXaY
            --plan x.yaml --weight-codes power-of-two | in a plan write 'w4a8 power-of-two'
            """)
    void senselessOptionsAreUsageErrors(String options, String message) {
        Outcome outcome = quantize(options == null ? new Object[0] : (Object[]) options.split(" "));
        assertEquals(2, outcome.exit(), outcome.err());
        assertTrue(outcome.err().startsWith("shrike: ") && outcome.err().contains(message), outcome.err());
        assertFalse(Files.exists(quantized));
    }

    @Test
    void whatCannotBeQuantisedIsNamed() throws IOException {
        assertEquals(0, quantize("--scheme", "w8a8", "--quiet").exit());
        Path done = Files.move(quantized, folder.resolve("done.onnx"));
        Outcome twice = run("quantize", done, "--data", images, "-o", quantized, "--scheme", "w8a8");
        assertEquals(1, twice.exit());
        assertTrue(twice.err().startsWith("shrike: " + done + ": is quantised already"), twice.err());
        Outcome nowhere = run("quantize", model, "--data", folder.resolve("no"), "-o", quantized, "--scheme", "w8a8");
        assertEquals(1, nowhere.exit());
        assertTrue(nowhere.err().contains("no such file or folder"), nowhere.err());
        assertFalse(Files.exists(quantized));
    }
}
