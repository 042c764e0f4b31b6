package dev.shrike.cpu;

import dev.shrike.cpu.file.ShrikeFile;
import dev.shrike.graph.Graph;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.testing.MinMaxQuantizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Time to load a built model against the time to build it from ONNX, and the sizes of both files.
 *
 * <p>{@code LoadBench [--rounds N] MODEL.onnx …}; prints a row for each model and width. Building is reading the ONNX
 * file, the passes, rounding the weights and writing the file; measuring ranges on images, which takes far longer, is
 * left out. The first row of a model is its first round, in a JVM that knows nothing yet, the others are medians.
 */
public final class LoadBench {
    private LoadBench() {}

    public static void main(String[] args) throws IOException {
        int rounds = 7;
        Path file = Files.createTempFile("bench", ".shrike");
        System.out.printf("%-22s %-6s %9s %7s %10s %10s %7s%n", "model", "bits", "bytes", "share", "build ms",
                "load ms", "ratio");
        try {
            for (int i = 0; i < args.length; i++) {
                if (args[i].equals("--rounds")) {
                    rounds = Integer.parseInt(args[++i]);
                    continue;
                }
                for (int[] bits : new int[][] {null, {8, 8}, {4, 8}, {2, 2}, {1, 1}}) {
                    measure(Path.of(args[i]), bits, rounds, file);
                }
            }
        } finally {
            Files.delete(file);
        }
    }

    private static void measure(Path model, int[] bits, int rounds, Path file) throws IOException {
        double[] build = new double[rounds];
        double[] load = new double[rounds];
        for (int round = 0; round < rounds; round++) {
            long start = System.nanoTime();
            Graph ready = GraphPasses.forInference(OnnxModels.read(model), Map.of());
            new ShrikeFile(bits == null ? ready : quantized(ready, bits), Map.of()).write(file);
            long written = System.nanoTime();
            ShrikeFile.read(file);
            load[round] = (System.nanoTime() - written) / 1e6;
            build[round] = (written - start) / 1e6;
        }
        String what = bits == null ? "float" : "w" + bits[0] + "a" + bits[1];
        if (bits == null) {
            print(model, "first", file, build[0], load[0]);
        }
        print(model, what, file, median(build), median(load));
    }

    private static void print(Path model, String what, Path file, double build, double load) throws IOException {
        long bytes = Files.size(file);
        System.out.printf(Locale.ROOT, "%-22s %-6s %9d %7.4f %10.1f %10.1f %7.3f%n", model.getFileName(), what, bytes,
                (double) bytes / Files.size(model), build, load, load / build);
    }

    /** The ranges do not matter for times and sizes. */
    private static Graph quantized(Graph ready, int[] bits) {
        Graph prepared = MinMaxQuantizer.prepare(ready);
        Map<String, float[]> ranges = new HashMap<>();
        for (ValueInfo value : ShapeInference.infer(prepared).values()) {
            ranges.put(value.name(), new float[] {-1, 6});
        }
        MinMaxQuantizer.Options options = MinMaxQuantizer.Options.of(bits[0], bits[1]);
        return GraphPasses.forInference(MinMaxQuantizer.quantize(prepared, ranges, options), Map.of());
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
