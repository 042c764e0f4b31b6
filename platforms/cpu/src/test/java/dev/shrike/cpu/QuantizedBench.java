package dev.shrike.cpu;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Latency of whole quantised networks against ONNX Runtime, all taken in turn in one run.
 *
 * <p>{@code QuantizedBench [--rounds N] [--threads N] [--bits 8x8,2x2] [--tiers best,avx2] [--layers] MODEL.onnx}:
 * our networks run on each tier (best, avxvnni, avx2, or the features of a hexadecimal mask), and the rivals are ONNX
 * Runtime in float and, with every activation of the float network quantised to 8 bits in the way of its own static
 * quantiser (QDQ, a scale per output channel, Detect head in float), in int8. Each row is the median of a contestant
 * with its 10th to 90th percentile and the medians of its ratios to both rivals, round by round.
 */
public final class QuantizedBench {
    private interface Contestant {
        void run() throws OrtException;
    }

    private QuantizedBench() {}

    public static void main(String[] args) throws OrtException, IOException {
        int rounds = 15;
        int threads = 1;
        boolean layers = false;
        List<int[]> widths = List.of(new int[] {8, 8}, new int[] {4, 8}, new int[] {2, 2}, new int[] {1, 1});
        List<String> tiers = List.of("best");
        Path model = null;
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--rounds" -> rounds = Integer.parseInt(args[++i]);
                case "--threads" -> threads = Integer.parseInt(args[++i]);
                case "--layers" -> layers = true;
                case "--tiers" -> tiers = List.of(args[++i].split(","));
                case "--bits" ->
                    widths = Arrays.stream(args[++i].split(","))
                            .map(w -> Arrays.stream(w.split("x")).mapToInt(Integer::parseInt).toArray())
                            .toList();
                default -> model = Path.of(args[i]);
            }
        }
        if (model == null) {
            System.err.println("usage: QuantizedBench [--rounds N] [--threads N] [--bits 8x8,2x2] [--tiers best,avx2]"
                    + " [--layers] MODEL.onnx");
            System.exit(2);
        }
        compare(model, widths, tiers, rounds, threads, layers);
    }

    private static void compare(
            Path model, List<int[]> widths, List<String> tiers, int rounds, int threads, boolean layers)
            throws OrtException, IOException {
        Graph graph = OnnxModels.read(model);
        Shape shape = graph.inputs().getFirst().shape();
        float[] pixels = new float[(int) shape.elements()];
        Random random = new Random(1);
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = random.nextInt(256) / 255f;
        }
        Path qdq = Files.createTempFile("qdq", ".onnx");
        Map<String, Contestant> contestants = new LinkedHashMap<>();
        List<GraphExecutor> opened = new ArrayList<>();
        try (OrtEnvironment environment = OrtEnvironment.getEnvironment()) {
            contestants.put("ORT fp32", session(environment, model, threads, pixels, shape));
            OnnxModels.write(everyActivationQuantized(graph, pixels), qdq);
            contestants.put("ORT QDQ int8", session(environment, qdq, threads, pixels, shape));
            contestants.put("shrike fp32", ours(graph, threads, pixels, opened));
            for (int[] width : widths) {
                Graph quantized = QuantizedModels.quantize(graph, shape, List.of(pixels), width[0], width[1]);
                for (String tier : tiers) {
                    String name = "w" + width[0] + "a" + width[1] + (tier.equals("best") ? "" : " " + tier);
                    contestants.put("shrike " + name, onTier(tier, () -> ours(quantized, threads, pixels, opened)));
                }
            }
            measure(contestants, rounds, model.getFileName() + ", " + threads + " threads");
            if (layers) {
                opened.forEach(FloatBench::printLayers);
            }
        } finally {
            Files.deleteIfExists(qdq);
            opened.forEach(GraphExecutor::close);
        }
    }

    /** Opens a network with the features of a tier only. */
    private static Contestant onTier(String tier, Supplier<Contestant> open) {
        long avx512 = CpuFeatures.AVX512F.mask();
        long mask = switch (tier) {
            case "best" -> -1;
            case "avxvnni" -> ~avx512;
            case "avx2" -> ~(avx512 | CpuFeatures.AVXVNNI.mask());
            default -> Long.parseUnsignedLong(tier, 16);
        };
        System.setProperty("shrike.cpu.features", Long.toHexString(mask));
        try {
            return open.get();
        } finally {
            System.clearProperty("shrike.cpu.features");
        }
    }

    private static Contestant ours(Graph graph, int threads, float[] pixels, List<GraphExecutor> opened) {
        GraphExecutor executor = new CpuBackend().open(graph, ExecutorOptions.DEFAULT.withThreads(threads));
        opened.add(executor);
        FloatBench.fill(executor.inputs().getFirst(), pixels);
        return executor::run;
    }

    private static Contestant session(
            OrtEnvironment environment, Path model, int threads, float[] pixels, Shape shape) throws OrtException {
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        options.setIntraOpNumThreads(threads);
        options.setInterOpNumThreads(1);
        options.addConfigEntry("session.force_spinning_stop", "1");
        OrtSession session = environment.createSession(model.toString(), options);
        FloatBuffer buffer = FloatBench.direct(pixels);
        OnnxTensor tensor = OnnxTensor.createTensor(environment, buffer, shape.toArray());
        Map<String, OnnxTensor> feed = Map.of(session.getInputNames().iterator().next(), tensor);
        return () -> session.run(feed).close();
    }

    private static void measure(Map<String, Contestant> contestants, int rounds, String title) throws OrtException {
        Map<String, double[]> times = new LinkedHashMap<>();
        contestants.keySet().forEach(name -> times.put(name, new double[rounds]));
        for (int round = -3; round < rounds; round++) {
            for (Map.Entry<String, Contestant> entry : contestants.entrySet()) {
                long start = System.nanoTime();
                entry.getValue().run();
                if (round >= 0) {
                    times.get(entry.getKey())[round] = (System.nanoTime() - start) / 1e6;
                }
            }
        }
        System.out.println(title);
        System.out.printf("%-20s %10s %18s %12s %12s%n", "", "median ms", "p10-p90", "/ORT fp32", "/ORT int8");
        double[] real = times.get("ORT fp32");
        double[] int8 = times.get("ORT QDQ int8");
        times.forEach((name, values) -> System.out.printf(Locale.ROOT, "%-20s %10.2f %8.2f-%9.2f %12.2f %12.2f%n", name,
                FloatBench.at(values, 0.5), FloatBench.at(values, 0.1), FloatBench.at(values, 0.9),
                ratio(values, real), ratio(values, int8)));
    }

    private static double ratio(double[] a, double[] b) {
        double[] ratios = new double[a.length];
        Arrays.setAll(ratios, i -> a[i] / b[i]);
        return FloatBench.at(ratios, 0.5);
    }

    // --- the int8 rival's network ----------------------------------------------------------------------------------

    /**
     * The float network as its file has it, with 8-bit codes for the weights of every convolution and for every
     * activation up to the Detect head's convolutions.
     */
    private static Graph everyActivationQuantized(Graph graph, float[] pixels) {
        Set<String> values = bodyValues(graph);
        Map<String, Quantization> quantization = new HashMap<>();
        ranges(graph, pixels, values).forEach((name, range) -> quantization.put(name, codes(range)));
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            if (!(node.op() instanceof Op.Conv) || !quantization.containsKey(node.input(0))) {
                nodes.add(node);
                continue;
            }
            String name = node.input(1) + "/codes";
            quantizeWeights(name, graph.constants().get(node.input(1)), constants, quantization);
            List<String> inputs = new ArrayList<>(node.inputs());
            inputs.set(1, name);
            constants.remove(node.input(1));
            nodes.add(node.withInputs(inputs));
        }
        return new Graph(graph.name(), graph.inputs(), graph.outputs(), nodes, constants, quantization,
                graph.metadata());
    }

    /** The input and every activation that a convolution comes behind. */
    private static Set<String> bodyValues(Graph graph) {
        Set<String> body = new HashSet<>();
        for (Node node : graph.nodes().reversed()) {
            boolean before = node.op() instanceof Op.Conv || node.outputs().stream().anyMatch(body::contains);
            if (before) {
                node.inputs().stream()
                        .filter(name -> !name.isEmpty() && !graph.constants().containsKey(name))
                        .forEach(body::add);
            }
        }
        return body;
    }

    private static Map<String, float[]> ranges(Graph graph, float[] pixels, Set<String> values) {
        Map<String, float[]> ranges = new HashMap<>();
        try (GraphExecutor executor = new CpuBackend().open(graph, ExecutorOptions.DEFAULT.withTaps(values))) {
            FloatBench.fill(executor.inputs().getFirst(), pixels);
            executor.run();
            for (Binding tap : executor.taps()) {
                float low = 0;
                float high = 0;
                for (float value : FloatBench.read(tap)) {
                    low = Math.min(low, value);
                    high = Math.max(high, value);
                }
                ranges.put(tap.name(), new float[] {low, high});
            }
        }
        return ranges;
    }

    private static Quantization codes(float[] range) {
        float scale = Math.max((range[1] - range[0]) / 255, 1e-8f);
        return Quantization.perTensor(scale, Math.round(-range[0] / scale), 8, false);
    }

    private static void quantizeWeights(
            String name, Tensor weights, Map<String, Tensor> constants, Map<String, Quantization> quantization) {
        int rows = (int) weights.shape().dim(0);
        int depth = (int) (weights.elements() / rows);
        float[] scales = new float[rows];
        long[] codes = new long[rows * depth];
        for (int row = 0; row < rows; row++) {
            float largest = 1e-8f;
            for (int i = 0; i < depth; i++) {
                largest = Math.max(largest, Math.abs(weights.floatAt((long) row * depth + i)));
            }
            scales[row] = largest / 127;
            for (int i = 0; i < depth; i++) {
                codes[row * depth + i] = Math.round(weights.floatAt((long) row * depth + i) / scales[row]);
            }
        }
        constants.put(name, Tensor.of(DataType.INT8, weights.shape(), codes));
        Tensor zeros = Tensor.of(DataType.INT8, Shape.of(rows), new long[rows]);
        quantization.put(name, new Quantization(Tensor.ofFloats(Shape.of(rows), scales), zeros, 8, true, false, 0));
    }
}
