package dev.shrike.cpu;

import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPasses;
import dev.shrike.graph.MinMaxQuantizer;
import dev.shrike.graph.Shape;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Quantises a float network from the smallest and largest values that some inputs give. */
final class QuantizedModels {
    private QuantizedModels() {}

    static Graph quantize(Graph graph, Shape shape, List<float[]> inputs, int weightBits, int activationBits) {
        Map<String, Shape> shapes = Map.of(graph.inputs().getFirst().name(), shape);
        Graph prepared = MinMaxQuantizer.prepare(GraphPasses.forInference(graph, shapes));
        MinMaxQuantizer.Options options = MinMaxQuantizer.Options.of(weightBits, activationBits);
        Map<String, float[]> ranges = new HashMap<>();
        ExecutorOptions tapped =
                ExecutorOptions.DEFAULT.withTaps(MinMaxQuantizer.rangesNeeded(prepared, options));
        try (GraphExecutor executor = new CpuBackend().open(prepared, tapped)) {
            for (float[] input : inputs) {
                FloatBench.fill(executor.inputs().getFirst(), input);
                executor.run();
                for (Binding tap : executor.taps()) {
                    float[] range = ranges.computeIfAbsent(tap.name(),
                            _ -> new float[] {Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY});
                    for (float value : FloatBench.read(tap)) {
                        range[0] = Math.min(range[0], value);
                        range[1] = Math.max(range[1], value);
                    }
                }
            }
        }
        return MinMaxQuantizer.quantize(prepared, ranges, options);
    }
}
