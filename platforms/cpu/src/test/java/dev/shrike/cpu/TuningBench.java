package dev.shrike.cpu;

import dev.shrike.cpu.binding.CpuModel;
import dev.shrike.cpu.binding.NativeLibrary;
import dev.shrike.cpu.plan.Plan;
import dev.shrike.cpu.plan.PlanBuilder;
import dev.shrike.cpu.plan.PlanMeter;
import dev.shrike.cpu.steps.ConvLayer;
import dev.shrike.cpu.steps.CpuSettings;
import dev.shrike.cpu.steps.KernelChoice;
import dev.shrike.cpu.tuning.Tuner;
import dev.shrike.cpu.tuning.Tuning;
import dev.shrike.cpu.tuning.TuningCache;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.BuildOptions;
import dev.shrike.spi.ExecutorOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/**
 * What tuning gains: whole networks as the engine chooses by itself and as tuned on this machine, taken in turn.
 *
 * <p>{@code TuningBench [--rounds N] [--threads 1,2] [--bits 8x8,2x2] [--layers] MODEL.onnx}: a row for each network
 * and number of threads with both medians and the median of their ratios; the tuner's cache is not read. {@code
 * --layers} adds the kernels of both, layer by layer.
 */
public final class TuningBench {
    private TuningBench() {}

    public static void main(String[] args) throws IOException {
        int rounds = 30;
        List<Integer> threads = List.of(1, 2);
        List<String> widths = List.of("8x8", "2x2");
        boolean layers = false;
        Path model = null;
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--rounds" -> rounds = Integer.parseInt(args[++i]);
                case "--threads" ->
                    threads = Arrays.stream(args[++i].split(",")).map(Integer::valueOf).toList();
                case "--bits" -> widths = List.of(args[++i].split(","));
                case "--layers" -> layers = true;
                default -> model = Path.of(args[i]);
            }
        }
        if (model == null) {
            System.err
                    .println("usage: TuningBench [--rounds N] [--threads 1,2] [--bits 8x8,2x2] [--layers] MODEL.onnx");
            System.exit(2);
        }
        System.out.printf("%-8s %7s | %11s %11s %6s | %s%n", "network", "threads", "untuned ms", "tuned ms", "ratio",
                "tuner");
        for (Map.Entry<String, Graph> network : networks(model, widths).entrySet()) {
            for (int count : threads) {
                compare(network.getKey(), network.getValue(), count, rounds, layers);
            }
        }
    }

    private static Map<String, Graph> networks(Path model, List<String> widths) {
        Graph real = OnnxModels.read(model);
        Shape shape = real.inputs().getFirst().shape();
        Random random = new Random(1);
        float[] pixels = new float[(int) shape.elements()];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = random.nextInt(256) / 255f;
        }
        Map<String, Graph> networks = new LinkedHashMap<>();
        networks.put("float", real);
        for (String width : widths) {
            QuantizedModels.Width bits = QuantizedModels.Width.of(width);
            networks.put(bits.toString(), QuantizedModels.quantize(real, shape, List.of(pixels), bits));
        }
        return networks;
    }

    private static void compare(String name, Graph graph, int threads, int rounds, boolean layers) throws IOException {
        NativeLibrary library = CpuBackend.library();
        CpuSettings settings = CpuSettings.fromSystemProperties();
        ExecutorOptions options = ExecutorOptions.DEFAULT.withThreads(threads);
        Path nowhere = Files.createTempDirectory("tuning");
        TuningCache cache = new TuningCache(nowhere.resolve("cache.json"));
        Tuning tuning = new Tuner(library, settings, CpuModel.here(), cache, PlanMeter.RUNNING)
                .tune(graph, options, BuildOptions.Progress.NONE);
        Files.delete(cache.file());
        Files.delete(nowhere);
        KernelChoice choice = KernelChoice.of(settings, tuning.choices().kernels());
        try (Plan untuned = PlanBuilder.build(library, graph, options, settings);
                Plan tuned = PlanBuilder.build(library, graph, options, settings, choice)) {
            double[] before = new double[rounds];
            double[] after = new double[rounds];
            for (int round = -3; round < rounds; round++) {
                long start = System.nanoTime();
                untuned.run();
                long middle = System.nanoTime();
                tuned.run();
                if (round >= 0) {
                    before[round] = (middle - start) / 1e6;
                    after[round] = (System.nanoTime() - middle) / 1e6;
                }
            }
            double[] ratio = new double[rounds];
            Arrays.setAll(ratio, i -> after[i] / before[i]);
            System.out.printf(Locale.ROOT, "%-8s %7d | %11.2f %11.2f %6.3f | %s%n", name, threads,
                    Contest.quantile(before, 0.5), Contest.quantile(after, 0.5), Contest.quantile(ratio, 0.5),
                    tuning.summary());
            if (layers) {
                printLayers(untuned, tuned);
            }
        }
    }

    private static void printLayers(Plan untuned, Plan tuned) {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < tuned.layers().size(); i++) {
            ConvLayer before = untuned.layers().get(i);
            ConvLayer after = tuned.layers().get(i);
            if (before.kernel() != after.kernel()) {
                lines.add("  " + before.kernel().label() + " -> " + after.kernel().label() + "  " + after.key());
            }
        }
        lines.forEach(System.out::println);
    }
}
