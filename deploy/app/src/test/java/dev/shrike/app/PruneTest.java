package dev.shrike.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.calibration.prune.LayerCost;
import dev.shrike.graph.Activation;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code shrike prune} from arguments to files that the other commands run. */
class PruneTest {
    private static final int WIDE = 12;

    @TempDir
    private static Path shared;
    private static Path model;
    private static Path images;

    @TempDir
    private Path folder;

    private record Outcome(int exit, String out, String err) {}

    @BeforeAll
    static void makeModel() throws IOException {
        model = shared.resolve("wide.onnx");
        OnnxModels.write(wide(OnnxModels.read(ToyModel.write(shared.resolve("toy.onnx")))), model);
        images = Files.createDirectories(shared.resolve("pictures"));
        ToyModel.redAndBlue(images.resolve("blocks.png"));
        for (int i = 0; i < 7; i++) {
            ToyModel.image(images.resolve("p" + i + ".png"), i, i / 2, 7 - i, i);
        }
    }

    /** The toy behind twelve channels, of which the last nine are mixtures that nothing needs. */
    private static Graph wide(Graph toy) {
        Random random = new Random(1);
        float[] mix = new float[WIDE * 3];
        for (int i = 0; i < mix.length; i++) {
            mix[i] = i < 9 ? (i % 4 == 0 ? 1 : 0) : random.nextFloat();
        }
        float[] narrow = toy.constants().get("weight").toFloats();
        int area = narrow.length / 7 / 3;
        float[] weight = new float[7 * WIDE * area];
        for (int output = 0; output < 7; output++) {
            for (int i = 0; i < WIDE * area; i++) {
                weight[output * WIDE * area + i] = i < 3 * area ? narrow[output * 3 * area + i]
                        : (float) (1e-4 * random.nextGaussian());
            }
        }
        Map<String, Tensor> constants = new HashMap<>(toy.constants());
        constants.put("mix", Tensor.ofFloats(Shape.of(WIDE, 3, 1, 1), mix));
        constants.put("weight", Tensor.ofFloats(Shape.of(7, WIDE, 8, 8), weight));
        List<Node> nodes = new ArrayList<>(List.of(
                new Node("mixed", new Op.Conv(Window.square(1, 1, 0), 1, Activation.NONE), List.of("images", "mix"),
                        List.of("mixtures")),
                new Node("kept", Op.Unary.of(Op.Unary.Kind.RELU), List.of("mixtures"), List.of("channels"))));
        for (Node node : toy.nodes()) {
            nodes.add(node.name().equals("blocks") ? node.withInputs(List.of("channels", "weight", "bias")) : node);
        }
        return toy.withNodes(nodes, constants);
    }

    private static Outcome run(Object... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exit = Main.run(Arrays.stream(args).map(Object::toString).toArray(String[]::new),
                new PrintStream(out, true, StandardCharsets.UTF_8), new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Outcome(exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private Outcome prune(Object... more) {
        List<Object> args = new ArrayList<>(
                List.of("prune", model, "-o", folder.resolve("out.onnx"), "--threads", "1", "--crop", "0"));
        args.addAll(List.of(more));
        return run(args.toArray());
    }

    private static void assertFindsTheBlocks(Path file) {
        Outcome found = run("detect", "--weights", file, "--nosave", "--threads", "1", images.resolve("blocks.png"));
        assertEquals(0, found.exit(), found.err());
        assertTrue(found.out().contains(": 64x64 1 red block, 1 blue block"), found.out());
    }

    @ParameterizedTest
    @ValueSource(strings = {"obs", "fisher", "taylor", "hrank", "fpgm", "l1"})
    void aPrunedModelIsSmallerAndFindsTheSame(String criterion) throws IOException {
        Path report = folder.resolve("report.json");
        Path chart = folder.resolve("chart.png");
        Outcome outcome = prune("--criterion", criterion, "--sparsity", "0.5", "--data", images, "--report", report,
                "--chart", chart, "--verbose");
        assertEquals(0, outcome.exit(), outcome.err());
        Path out = folder.resolve("out.onnx");
        assertEquals(6, LayerCost.of(OnnxModels.read(out)).getFirst().outputs());
        assertTrue(outcome.out().contains("6/12"), outcome.out());
        if (criterion.equals("obs") || criterion.equals("fisher")) {
            assertFindsTheBlocks(out);
        }
        assertEquals(List.of(), JsonSchema.read(Repository.root().resolve("docs/prune.schema.json"))
                .violations(Files.readString(report)));
        assertTrue(Files.size(chart) > 1000);
    }

    private static long parameters(Path file) {
        return LayerCost.parameters(LayerCost.of(OnnxModels.read(file)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"uniform", "saliency", "spdy", "nsga2"})
    void everySearchMeetsABudgetOfSizeAndFindsTheSame(String search) throws IOException {
        Path front = folder.resolve("front.json");
        Path chart = folder.resolve("front.png");
        List<Object> more = new ArrayList<>(List.of("--size", "0.7", "--search", search, "--data", images,
                "--weightings", "3", "--population", "4", "--generations", "2"));
        if (search.equals("nsga2")) {
            more.addAll(List.of("--front", front, "--front-chart", chart));
        }
        Outcome outcome = prune(more.toArray());
        assertEquals(0, outcome.exit(), outcome.err());
        Path out = folder.resolve("out.onnx");
        assertTrue(parameters(out) <= 0.7 * parameters(model), outcome.out());
        assertFindsTheBlocks(out);
        if (search.equals("nsga2")) {
            assertEquals(List.of(), JsonSchema.read(Repository.root().resolve("docs/prune-front.schema.json"))
                    .violations(Files.readString(front)));
            assertTrue(Files.size(chart) > 1000);
        }
    }

    @Test
    void aTableOfLatenciesIsMeasuredOnceAndRead() throws IOException {
        Path table = folder.resolve("latencies.yaml");
        // All of the latency, since what fewer channels of this toy would bring is a matter of microseconds.
        Outcome measured = prune("--latency", "1", "--latencies", table, "--no-repair");
        assertEquals(0, measured.exit(), measured.err());
        assertTrue(Files.readString(table).contains("\"mixed\": {inputs: [1, 2, 3], outputs: [3, 6, 9, 12]"));
        Files.writeString(table, """
                engine: mine
                layers:
                  mixed: {inputs: [3], outputs: [12], nanos: [[1200000]]}
                  blocks: {inputs: [12], outputs: [7], nanos: [[2400000]]}
                """);
        Outcome outcome = prune("--latency", "2.4ms", "--latencies", table, "--no-repair");
        assertEquals(0, outcome.exit(), outcome.err());
        // Both layers take their time by these channels: 12 to 3.6 ms, so 8 to 2.4 ms.
        assertEquals(8, LayerCost.of(OnnxModels.read(folder.resolve("out.onnx"))).getFirst().outputs());
        Files.writeString(table, "layers: {other: {inputs: [3], outputs: [12], nanos: [[1]]}}");
        Outcome other = prune("--latency", "0.5", "--latencies", table, "--no-repair");
        assertEquals(1, other.exit());
        assertTrue(other.err().contains("does not have the layer 'mixed'"), other.err());
    }

    @Test
    void aPrunedModelIsQuantisedAndBuilt() {
        assertEquals(0, prune("--macs", "0.6", "--data", images, "--quiet").exit());
        Path out = folder.resolve("out.onnx");
        Path quantised = folder.resolve("w8a8.onnx");
        Outcome outcome = run("quantize", out, "--scheme", "w8a8", "--data", images, "-o", quantised, "--crop", "0",
                "--threads", "1");
        assertEquals(0, outcome.exit(), outcome.err());
        Path built = folder.resolve("w8a8.shrike");
        assertEquals(0, run("build", quantised, "-o", built, "--threads", "1").exit());
        assertFindsTheBlocks(built);
    }

    @ParameterizedTest
    @CsvSource({"weight, 0.25", "kernel, 0.5"})
    void weightsBecomeZero(String granularity, double share) {
        Outcome outcome = prune("--granularity", granularity, "--sparsity", share, "--data", images);
        assertEquals(0, outcome.exit(), outcome.err());
        List<LayerCost> costs = LayerCost.of(OnnxModels.read(folder.resolve("out.onnx")));
        double weights = costs.stream().mapToLong(LayerCost::weights).sum();
        double zeros = costs.stream().mapToLong(LayerCost::zeros).sum();
        // Zeros that the toy had anyway go first, but are not counted twice where they are more than that.
        assertTrue(zeros / weights >= share - 1e-3, zeros + " of " + weights);
        assertTrue(zeros >= zeros(model) && zeros > 0);
        assertFindsTheBlocks(folder.resolve("out.onnx"));
    }

    private static long zeros(Path file) {
        return LayerCost.of(OnnxModels.read(file)).stream().mapToLong(LayerCost::zeros).sum();
    }

    @Test
    void halfOfEachFourStay() {
        Outcome outcome = prune("--granularity", "2:4", "--no-repair");
        assertEquals(0, outcome.exit(), outcome.err());
        assertTrue(outcome.out().contains("zero weights: 2"), outcome.out());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "--sparsity 0.5|name some with --data, or give --no-repair",
            "--sparsity 0.5 --no-repair --criterion obs|needs images",
            "--sparsity 1.5 --no-repair|is not between 0 and 1",
            "--macs 0.5 --sparsity 0.5 --no-repair|give one of --macs, --params, --size, --latency and --sparsity",
            "--no-repair|give one of --macs, --params, --size, --latency and --sparsity",
            "--granularity 4:2 --no-repair|is no pattern",
            "--granularity rows --sparsity 0.5 --no-repair|is none of channel",
            "--granularity weight --macs 0.5 --no-repair|goes with --sparsity",
            "--sparsity 0.5 --no-repair --criterion best|is no criterion; there are l1",
            "--sparsity 0.5 --no-repair --scope some|neither global nor layer",
            "--size 3 --no-repair|units are B, kB and MB",
            "--size 3ms --no-repair|units are B, kB and MB",
            "--latency 10MB --no-repair|units are us, ms and s",
            "--latency soon --no-repair|is neither a share nor a number",
            "--latency 0 --no-repair|no share between 0 and 1",
            "--macs 0.5 --size 0.5 --no-repair|give one of --macs, --params, --size, --latency and --sparsity",
            "--macs 0.5 --no-repair --latencies a.yaml|goes with --latency",
            "--macs 0.5 --no-repair --search best|is none of uniform, saliency, spdy and nsga2",
            "--macs 0.5 --no-repair --search spdy|judges by images",
            "--macs 0.5 --no-repair --search uniform --scope global|give one of them",
            "--macs 0.5 --no-repair --search uniform --front f.json|go with --search nsga2",
            "--macs 0.5 --no-repair --population 2|--population 4 to 1000",
            "--granularity weight --sparsity 0.5 --no-repair --search uniform|goes with --granularity channel",
            "--sparsity 0.5 --no-repair --keep 0|keep 0.0 of its channels",
            "--macs -1 --no-repair|no share between 0 and 1"
    })
    void whatMakesNoSenseIsUsage(String args, String message) {
        Outcome outcome = prune((Object[]) args.split(" "));
        assertEquals(2, outcome.exit(), outcome.err());
        assertTrue(outcome.err().contains(message), outcome.err());
        assertFalse(Files.exists(folder.resolve("out.onnx")));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "--macs 0.01 --no-repair|cannot be pruned to",
            "--granularity layer --sparsity 0.5 --no-repair|no residual branch"
    })
    void whatCannotBeDoneSaysWhy(String args, String message) {
        Outcome outcome = prune((Object[]) args.split(" "));
        assertEquals(1, outcome.exit(), outcome.err());
        assertTrue(outcome.err().contains(message) && outcome.err().contains("wide.onnx"), outcome.err());
        assertFalse(Files.exists(folder.resolve("out.onnx")));
    }

    @Test
    void theShortHelpLeavesOutWhatFewNeed() {
        String few = run("prune", "--help").out();
        String all = run("prune", "--help-all").out();
        assertTrue(few.contains("--criterion") && few.contains("--help-all") && !few.contains("--ridge"), few);
        assertTrue(all.contains("--criterion") && all.contains("--ridge"), all);
    }

    @Test
    void theModelItselfIsNotOverwritten() {
        Outcome outcome = run("prune", model, "-o", model, "--sparsity", "0.5", "--no-repair");
        assertEquals(2, outcome.exit(), outcome.err());
        assertTrue(outcome.err().contains("is the file that is read"), outcome.err());
    }
}
