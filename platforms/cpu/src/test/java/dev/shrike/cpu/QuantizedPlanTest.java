package dev.shrike.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.graph.Activation;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPasses;
import dev.shrike.graph.IntegerEvaluator;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Quantised networks through the whole engine equal the scalar integer evaluation, bit for bit. */
class QuantizedPlanTest {
    private static final int GRAPHS = Integer.getInteger("shrike.plan.graphs", 150);

    @ParameterizedTest
    @EnumSource(CpuSettings.CodeKernel.class)
    void randomQuantizedNetworksEqualTheEvaluatorBitForBit(CpuSettings.CodeKernel kernel) {
        long first = Long.getLong("shrike.seed", System.nanoTime() & 0xffffff);
        int compared = 0;
        for (int i = 0; i < GRAPHS; i++) {
            long seed = first + i;
            Random random = new Random(seed);
            Graph real = GraphPasses.forInference(RandomGraphs.make(random, 4 + random.nextInt(14)), Map.of());
            Graph graph = quantizeAtRandom(real, random);
            compared += compare(graph, random, kernel, kernel + ": shrike.seed " + seed);
        }
        assertTrue(compared > GRAPHS, "only " + compared + " outputs");
    }

    private static int compare(Graph graph, Random random, CpuSettings.CodeKernel kernel, String hint) {
        ValueInfo input = graph.inputs().getFirst();
        float[] pixels = new float[(int) input.shape().elements()];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = random.nextFloat() - 0.5f;
        }
        Set<String> wanted = graph.outputs().stream().map(ValueInfo::name).collect(Collectors.toSet());
        Map<String, Tensor> expected = IntegerEvaluator
                .run(graph, Map.of(input.name(), Tensor.ofFloats(input.shape(), pixels)), wanted)
                .reals();
        CpuSettings settings = new CpuSettings(-1, CpuSettings.Convolution.NATIVE, kernel);
        ExecutorOptions options = ExecutorOptions.DEFAULT.withThreads(1 + random.nextInt(2));
        try (GraphExecutor executor = PlanBuilder.build(CpuBackend.library(), graph, options, settings)) {
            FloatBench.fill(executor.inputs().getFirst(), pixels);
            executor.run();
            for (Binding output : executor.outputs()) {
                boolean codes = graph.quantization().containsKey(output.name());
                float[] right = expected.get(output.name()).toFloats();
                float[] ours = FloatBench.read(output);
                // Real sums round by what their terms weigh, not by what is left of them.
                float largest = 10;
                for (float value : right) {
                    largest = Math.max(largest, Math.abs(value));
                }
                for (int i = 0; i < right.length; i++) {
                    float bound = codes ? 0 : 2e-5f * largest;
                    assertEquals(right[i], ours[i], bound, hint + " output " + output.name() + "[" + i + "]");
                }
            }
            return executor.outputs().size();
        } catch (RuntimeException e) {
            throw new AssertionError(hint, e);
        }
    }

    /** Random widths and scales for most values, integer weights for most convolutions; real ops only before codes. */
    private static Graph quantizeAtRandom(Graph graph, Random random) {
        Map<String, Quantization> quantization = new HashMap<>();
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        boolean whole = random.nextBoolean();
        for (ValueInfo input : graph.inputs()) {
            quantization.put(input.name(), randomCodes(random));
        }
        Set<String> inexact = new HashSet<>();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Conv && (whole || random.nextInt(5) > 0)) {
                quantizeWeights(node.input(1), constants, quantization, random);
            }
            boolean exact = isExact(node, quantization) && node.inputs().stream().noneMatch(inexact::contains);
            for (String output : node.outputs()) {
                if (exact && (whole || random.nextInt(4) > 0)) {
                    quantization.put(output, randomCodes(random));
                } else if (!exact) {
                    inexact.add(output);
                }
            }
        }
        return new Graph(graph.name(), graph.inputs(), graph.outputs(), graph.nodes(), constants, quantization,
                graph.metadata());
    }

    /**
     * Whether engine and evaluator give the same bits: float sums and the functions of reals may differ in the last
     * one, and codes rounded from them by a whole code.
     */
    private static boolean isExact(Node node, Map<String, Quantization> quantization) {
        return switch (node.op()) {
            case Op.Conv conv ->
                quantization.containsKey(node.input(0)) && quantization.containsKey(node.input(1))
                        && conv.activation().kind() == Activation.Kind.NONE;
            case Op.Unary unary -> quantization.containsKey(node.input(0)) || unary.kind() == Op.Unary.Kind.RELU;
            default -> true;
        };
    }

    private static Quantization randomCodes(Random random) {
        int bits = 1 + random.nextInt(8);
        int zero = random.nextInt(1 << bits);
        return Quantization.perTensor(2.5f / (1 << bits) * (0.5f + random.nextFloat()), zero, bits, false);
    }

    private static void quantizeWeights(
            String name, Map<String, Tensor> constants, Map<String, Quantization> quantization, Random random) {
        Tensor weights = constants.get(name);
        int bits = 1 + random.nextInt(8);
        boolean bipolar = bits == 1 && random.nextBoolean();
        int low = bits == 1 ? 0 : -(1 << (bits - 1));
        int high = bits == 1 ? 1 : (1 << (bits - 1)) - 1;
        long[] codes = new long[(int) weights.elements()];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = bipolar ? 2 * random.nextInt(2) - 1 : low + random.nextInt(high - low + 1);
        }
        int rows = (int) weights.shape().dim(0);
        float[] scales = new float[rows];
        long[] zeros = new long[rows];
        for (int i = 0; i < rows; i++) {
            scales[i] = (0.2f + random.nextFloat()) / (1 << bits);
        }
        Tensor scale = Tensor.ofFloats(dev.shrike.graph.Shape.of(rows), scales);
        Tensor zero = Tensor.of(dev.shrike.graph.DataType.INT32, dev.shrike.graph.Shape.of(rows), zeros);
        constants.put(name, Tensor.of(dev.shrike.graph.DataType.INT8, weights.shape(), codes));
        quantization.put(name, bipolar
                ? Quantization.bipolar(scale, 0)
                : new Quantization(scale, zero, bits, bits > 1, false, 0));
    }

    @Test
    void stepsNameTheirKernels() {
        Random random = new Random(5);
        Graph real = GraphPasses.forInference(RandomGraphs.make(random, 20), Map.of());
        Graph graph = quantizeAtRandom(real, random);
        try (GraphExecutor executor = new CpuBackend().open(graph, ExecutorOptions.DEFAULT)) {
            executor.run();
            assertTrue(executor.times().stream().anyMatch(step -> step.kernel().contains("conv2d_q")),
                    executor.times().toString());
        }
    }
}
