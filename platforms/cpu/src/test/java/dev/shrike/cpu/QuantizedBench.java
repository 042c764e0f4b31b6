package dev.shrike.cpu;

import ai.onnxruntime.OrtException;
import dev.shrike.cpu.binding.CpuFeatures;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Latency of whole quantised networks against ONNX Runtime and OpenCV, all taken in turn in one run.
 *
 * <p>{@code QuantizedBench [--rounds N] [--threads 1,2] [--bits 8x8,8x8f,8x8d] [--tiers best,avx2] [--layers]
 * MODEL.onnx}: our networks run on each tier (best, avxvnni, avx2, or the features of a hexadecimal mask), and the
 * rivals are ONNX Runtime in float and, with every activation of the float network quantised to 8 bits in the way of
 * its own static quantiser (QDQ, a scale per output channel, Detect head in float), in int8; and OpenCV in float and,
 * where it can quantise the network, in int8. Prints a table for each number of threads (see {@link Contest}), the
 * scaling from one to the next and, if wanted, a row a layer and a column a width (see {@link LayerTable}).
 */
public final class QuantizedBench {
    private QuantizedBench() {}

    public static void main(String[] args) throws OrtException, IOException {
        int rounds = 15;
        List<Integer> threads = List.of(1, 2);
        boolean layers = false;
        List<QuantizedModels.Width> widths = QuantizedModels.Width.list("8x8,8x8f,4x8,2x2,1x1");
        List<String> tiers = List.of("best");
        Path model = null;
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--rounds" -> rounds = Integer.parseInt(args[++i]);
                case "--threads" ->
                    threads = Arrays.stream(args[++i].split(",")).map(Integer::valueOf).toList();
                case "--layers" -> layers = true;
                case "--tiers" -> tiers = List.of(args[++i].split(","));
                case "--bits" -> widths = QuantizedModels.Width.list(args[++i]);
                default -> model = Path.of(args[i]);
            }
        }
        if (model == null) {
            System.err
                    .println("usage: QuantizedBench [--rounds N] [--threads 1,2] [--bits 8x8,8x8f] [--tiers best,avx2]"
                            + " [--layers] MODEL.onnx");
            System.exit(2);
        }
        compare(model, widths, tiers, rounds, threads, layers);
    }

    private static void compare(
            Path model, List<QuantizedModels.Width> widths, List<String> tiers, int rounds, List<Integer> threads,
            boolean layers)
            throws OrtException, IOException {
        Graph graph = OnnxModels.read(model);
        Shape shape = graph.inputs().getFirst().shape();
        float[] pixels = FloatBench.noise(shape);
        Map<String, Graph> ours = new LinkedHashMap<>();
        ours.put("shrike fp32", graph);
        for (QuantizedModels.Width width : widths) {
            ours.put("shrike " + width, QuantizedModels.quantize(graph, shape, List.of(pixels), width));
        }
        Path qdq = Files.createTempFile("qdq", ".onnx");
        try {
            OnnxModels.write(everyActivationQuantized(graph, pixels), qdq);
            Map<String, Double> before = null;
            for (int i = 0; i < threads.size(); i++) {
                Map<String, Double> medians = round(
                        model, qdq, ours, tiers, pixels, shape, threads.get(i), rounds, layers);
                if (before != null) {
                    Contest.printScaling(threads.get(i - 1), before, threads.get(i), medians);
                }
                before = medians;
            }
        } finally {
            Files.deleteIfExists(qdq);
        }
    }

    private static Map<String, Double> round(
            Path model, Path qdq, Map<String, Graph> ours, List<String> tiers, float[] pixels, Shape shape, int threads,
            int rounds, boolean layers) throws OrtException {
        try (Contest contest = new Contest()) {
            contest.add("ORT fp32", Rivals.onnxRuntime(model, threads, pixels, shape));
            contest.add("ORT QDQ int8", Rivals.onnxRuntime(qdq, threads, pixels, shape));
            Rivals.addOpenCv(contest, model, threads, pixels, shape, true);
            Map<String, GraphExecutor> executors = new LinkedHashMap<>();
            for (String tier : tiers) {
                ours.forEach((width, graph) -> {
                    String name = width + (tier.equals("best") ? "" : " " + tier);
                    executors.put(name, onTier(tier, () -> FloatBench.enter(
                            contest, name, graph, ExecutorOptions.DEFAULT.withThreads(threads), pixels)));
                });
            }
            contest.measure(rounds);
            contest.print(FloatBench.title(model, shape.dim(3), threads), List.of("ORT fp32", "ORT QDQ int8"));
            if (layers) {
                LayerTable table = new LayerTable();
                executors.forEach(table::add);
                Map<String, Double> rivals = contest.medians();
                rivals.keySet().removeAll(executors.keySet());
                table.print(rivals);
            }
            return contest.medians();
        }
    }

    /** Opens a network with the features of a tier only. */
    private static GraphExecutor onTier(String tier, Supplier<GraphExecutor> open) {
        long avx512 = CpuFeatures.AVX512F.mask();
        String given = System.getProperty("shrike.cpu.features");
        long most = given == null ? -1 : Long.parseUnsignedLong(given, 16);
        long mask = most & switch (tier) {
            case "best" -> -1;
            case "avxvnni" -> ~avx512;
            case "avx2" -> ~(avx512 | CpuFeatures.AVXVNNI.mask());
            default -> Long.parseUnsignedLong(tier, 16);
        };
        System.setProperty("shrike.cpu.features", Long.toHexString(mask));
        try {
            return open.get();
        } finally {
            if (given == null) {
                System.clearProperty("shrike.cpu.features");
            } else {
                System.setProperty("shrike.cpu.features", given);
            }
        }
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
