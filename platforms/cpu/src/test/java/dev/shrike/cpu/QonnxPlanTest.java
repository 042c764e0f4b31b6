package dev.shrike.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.spi.StepTime;
import dev.shrike.testing.SharedFolder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Networks in QONNX form through the engine: from built files, on every tier and number of threads, in integers. */
class QonnxPlanTest {
    private static final Pattern SHAPE = Pattern.compile("'descr': '<f4'.*'shape': \\(([^)]*)\\)");
    private static final int GRAPHS = Integer.getInteger("shrike.qonnx.graphs", 100);

    @TempDir
    private Path folder;

    /**
     * Trained networks of other people against what the reference evaluator of ONNX gave.
     *
     * @param integers how many products are computed with codes
     * @param floats how many with floats: those that read an input that is not quantised
     * @param largest largest difference, in floats
     * @param off how many of the results may differ by more than float noise
     */
    @ParameterizedTest
    @CsvSource({
            "zoo_TFC_1W1A, 4, 0, 0, 0",
            "zoo_TFC_2W2A, 4, 0, 0, 0",
            "zoo_kwsmlp_w3a3, 4, 0, 1e-6, 0",
            // One of 196608 pixels lies between two codes, and is one code off.
            "qonnx_bsd300x3-espcn_nn_resize_quant_model, 4, 0, 0.00393, 1",
            // The input is real, so the first sums are float ones; see below.
            "qonnx_bsd300x3-espcn_subpixel_quant_model, 3, 1, 0.0158, 250",
    })
    void equalsTheReference(String name, int integers, int floats, double largest, int off) throws IOException {
        Graph graph = OnnxModels.read(SharedFolder.file("models/" + name + ".onnx"));
        Tensor input = read(SharedFolder.file("reference/qonnx/" + name + "-in.npy"));
        float[] expected = read(SharedFolder.file("reference/qonnx/" + name + "-out.npy")).toFloats();
        String x = graph.inputs().getFirst().name();
        String y = graph.outputs().getFirst().name();
        Graph asReference = BatchStatistics.mixed(graph, Map.of(x, input));
        Graph built = built(GraphPasses.forInference(asReference, Map.of(x, input.shape())));
        assertSteps(built, integers, floats, name);
        Rest rest = Rest.of(built, input, floats > 0);
        for (EngineBits.Way way : EngineBits.tiersAndThreads()) {
            float[] found = EngineBits.run(built, input.toFloats(), Set.of(), way).get(y);
            rest.assertBits(way);
            assertClose(expected, found, largest, off, name + " " + way);
        }
    }

    /**
     * What of a network computes with codes, and what the evaluation gives for it. Float sums round differently by
     * tier, and codes rounded from them may then be other ones, where they lie between two. All that comes behind is
     * held against the evaluation of these very codes, bit for bit.
     */
    private static final class Rest {
        private final Graph whole;
        private final float[] input;
        private final String first;
        private final Tensor exact;
        private float[] given;
        private Map<String, Tensor> expected;

        private Rest(Graph whole, float[] input, String first) {
            this.whole = whole;
            this.input = input;
            this.first = first;
            this.exact = EngineBits.evaluate(whole, input, Set.of(first)).get(first);
        }

        static Rest of(Graph graph, Tensor input, boolean realFirst) {
            String first = realFirst ? graph.nodes().getFirst().output() : graph.inputs().getFirst().name();
            return new Rest(graph, input.toFloats(), first);
        }

        void assertBits(EngineBits.Way way) {
            boolean realFirst = !first.equals(whole.inputs().getFirst().name());
            Map<String, float[]> found = EngineBits.run(whole, input, realFirst ? Set.of(first) : Set.of(), way);
            float[] codes = realFirst ? found.get(first) : input;
            if (realFirst) {
                assertAlmostAll(codes, way);
            }
            if (!Arrays.equals(codes, given)) {
                given = codes;
                expected = EngineBits.evaluate(behind(), codes, EngineBits.outputs(whole));
            }
            EngineBits.assertBits(expected, found, whole.name() + " " + way);
        }

        private Graph behind() {
            List<Node> nodes = whole.nodes().stream().filter(node -> !node.outputs().contains(first)).toList();
            return new Graph(whole.name(), List.of(new ValueInfo(first, exact.type(), exact.shape())),
                    whole.outputs(), nodes, whole.constants(), whole.quantization(), Map.of());
        }

        private void assertAlmostAll(float[] codes, EngineBits.Way way) {
            float scale = whole.quantization().get(first).scale().floatAt(0);
            int off = 0;
            for (int i = 0; i < codes.length; i++) {
                double steps = Math.abs(exact.floatAt(i) - codes[i]) / scale;
                assertTrue(steps < 1.001, way + ": " + steps + " codes off");
                off += steps > 0.5 ? 1 : 0;
            }
            System.out.println(way + ": " + off + " of " + codes.length + " codes of float sums differ");
            assertTrue(off * 10_000L <= codes.length, way + ": " + off + " codes differ");
        }
    }

    private static void assertClose(float[] expected, float[] found, double largest, int off, String what) {
        double worst = 0;
        int differ = 0;
        int equal = 0;
        assertEquals(expected.length, found.length, what);
        for (int i = 0; i < expected.length; i++) {
            double difference = Math.abs(expected[i] - found[i]);
            worst = Math.max(worst, difference);
            differ += difference > 1e-6 ? 1 : 0;
            equal += expected[i] == found[i] ? 1 : 0;
        }
        String result = what + ": largest difference " + worst + ", " + equal + " of " + expected.length + " the same"
                + " bits, " + differ + " off by more than 1e-6";
        System.out.println(result);
        assertTrue(worst <= largest && differ <= off, result);
    }

    /** The graph after being written to a file for the engine and read again. */
    private Graph built(Graph graph) {
        Path file = folder.resolve("model.shrike");
        CpuBackend backend = new CpuBackend();
        backend.build(graph, file);
        return backend.load(file);
    }

    private static void assertSteps(Graph graph, int integers, int floats, String what) {
        try (GraphExecutor executor = new CpuBackend().open(graph, ExecutorOptions.DEFAULT.withThreads(2))) {
            executor.run();
            List<String> kernels = executor.times().stream().map(StepTime::kernel).toList();
            assertEquals(integers, count(kernels, "conv2d_q_") + count(kernels, "conv2d_bitserial_"), what + kernels);
            assertEquals(floats, count(kernels, "conv2d_f32") + count(kernels, "matmul_f32") + count(kernels, "dnnl"),
                    what + kernels);
        }
    }

    private static long count(List<String> kernels, String prefix) {
        return kernels.stream().filter(kernel -> kernel.startsWith(prefix)).count();
    }

    /** Random networks by way of an ONNX file: all products in integers, the results those of the evaluation. */
    @Test
    void generatedNetworksEqualTheEvaluatorBitForBit() {
        long first = Long.getLong("shrike.seed", System.nanoTime() & 0xffffff);
        int outputs = 0;
        int products = 0;
        int off = 0;
        FakeQuantization.Report report = new FakeQuantization.Report(0, 0, 0);
        for (int i = 0; i < GRAPHS; i++) {
            String hint = "shrike.seed " + (first + i);
            Random random = new Random(first + i);
            Graph file = OnnxModels.read(OnnxModels.toBytes(RandomQonnx.make(random)), hint, null);
            Graph graph = built(GraphPasses.forInference(file, Map.of()));
            int count = Integer.parseInt(file.metadata().get("products"));
            assertSteps(graph, count, 0, hint);
            float[] input = RandomQuantization.input(graph, random);
            String y = graph.outputs().getFirst().name();
            Map<String, Tensor> expected = EngineBits.evaluate(graph, input, Set.of(y));
            for (EngineBits.Way way : EngineBits.tiersAndThreads()) {
                EngineBits.assertBits(expected, EngineBits.run(graph, input, Set.of(), way), hint + " " + way);
            }
            products += count;
            outputs++;
            report = report.plus(FakeQuantization.compare(graph, input));
            off += isFar(expected.get(y), asNodes(file, input, y)) ? 1 : 0;
        }
        System.out.println(outputs + " networks, " + products + " products, all in integers; " + off
                + " end otherwise than the nodes' own arithmetic; node by node: " + report);
        assertTrue(report.farthest() < FakeQuantization.FLOAT_NOISE, report.toString());
        assertTrue(off * 5 <= outputs, off + " of " + outputs + " are not what the nodes of the file say");
    }

    /** What the quantisers of the file give one by one, in floats. */
    private static Tensor asNodes(Graph file, float[] input, String y) {
        ValueInfo x = file.inputs().getFirst();
        assertTrue(file.nodes().stream().anyMatch(node -> node.op() instanceof Op.Quant
                || node.op() instanceof Op.BipolarQuant));
        return ReferenceEvaluator.run(file, Map.of(x.name(), Tensor.ofFloats(x.shape(), input)), Set.of(y)).get(y);
    }

    private static boolean isFar(Tensor a, Tensor b) {
        double largest = 1e-9;
        double worst = 0;
        for (long i = 0; i < a.elements(); i++) {
            largest = Math.max(largest, Math.abs(b.doubleAt(i)));
            worst = Math.max(worst, Math.abs(a.doubleAt(i) - b.doubleAt(i)));
        }
        return worst > 1e-5 * largest;
    }

    /** A float32 array as NumPy saves it: magic, version, length of the header, header, data. */
    private static Tensor read(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        int headerLength = bytes.getShort(8);
        Matcher matcher = SHAPE.matcher(new String(bytes.array(), 10, headerLength, StandardCharsets.US_ASCII));
        assertTrue(matcher.find(), file.toString());
        long[] dims = Arrays.stream(matcher.group(1).split(",")).map(String::strip).filter(s -> !s.isEmpty())
                .mapToLong(Long::parseLong).toArray();
        bytes.position(10 + headerLength);
        float[] values = new float[bytes.remaining() / 4];
        bytes.slice().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
        return Tensor.ofFloats(Shape.of(dims), values);
    }
}
