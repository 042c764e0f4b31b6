package dev.shrike.cpu;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.testing.MinMaxQuantizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Quantises a float network from the smallest and largest values that some inputs give. */
final class QuantizedModels {
    private QuantizedModels() {}

    /**
     * Bits of weights and activations.
     *
     * @param floatPre whether what goes into an activation function, and what a residual is added to, stay float
     * @param dynamic whether only what convolutions read is rounded, by its own range
     */
    record Width(int weights, int activations, boolean floatPre, boolean dynamic) {
        /** Of {@code 4x8}, {@code 4x8f} for floats before activation functions, or {@code 4x8d} for dynamic ranges. */
        static Width of(String text) {
            String[] bits = text.replaceAll("[fd]", "").split("x");
            return new Width(Integer.parseInt(bits[0]), Integer.parseInt(bits[1]), text.endsWith("f"),
                    text.endsWith("d"));
        }

        static List<Width> list(String text) {
            return Arrays.stream(text.split(",")).map(Width::of).toList();
        }

        @Override
        public String toString() {
            return "w" + weights + "a" + activations + (floatPre ? "f" : dynamic ? "d" : "");
        }
    }

    static Graph quantize(Graph graph, Shape shape, List<float[]> inputs, Width width) {
        Map<String, Shape> shapes = Map.of(graph.inputs().getFirst().name(), shape);
        Graph prepared = MinMaxQuantizer.prepare(GraphPasses.forInference(graph, shapes));
        MinMaxQuantizer.Options options = MinMaxQuantizer.Options.of(width.weights(), width.activations());
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
        Graph quantized = MinMaxQuantizer.quantize(prepared, ranges, options);
        return width.dynamic() ? withDynamicRanges(quantized)
                : width.floatPre() ? withFloatPreActivations(quantized) : quantized;
    }

    private static Graph withDynamicRanges(Graph graph) {
        Map<String, Quantization> quantization = new HashMap<>(graph.quantization());
        quantization.keySet().retainAll(graph.constants().keySet());
        Set<String> rounded = new HashSet<>();
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            if (!(node.op() instanceof Op.Conv) || !quantization.containsKey(node.input(1))) {
                nodes.add(node);
                continue;
            }
            String name = node.input(0) + ".rounded";
            if (rounded.add(name)) {
                nodes.add(new Node(name, new Op.DynamicQuant(), List.of(node.input(0)), List.of(name)));
            }
            List<String> inputs = new ArrayList<>(node.inputs());
            inputs.set(0, name);
            nodes.add(node.withInputs(inputs));
        }
        return GraphPasses.forInference(new Graph(graph.name(), graph.inputs(), graph.outputs(), nodes,
                graph.constants(), quantization, graph.metadata()), Map.of());
    }

    private static Graph withFloatPreActivations(Graph graph) {
        Map<String, Quantization> quantization = new HashMap<>(graph.quantization());
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Unary) {
                quantization.remove(node.input(0));
            } else if (node.op() instanceof Op.Binary) {
                quantization.remove(node.input(0));
            }
        }
        Graph real = new Graph(graph.name(), graph.inputs(), graph.outputs(), graph.nodes(), graph.constants(),
                quantization, graph.metadata());
        return GraphPasses.forInference(real, Map.of());
    }
}
