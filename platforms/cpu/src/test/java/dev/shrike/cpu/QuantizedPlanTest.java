package dev.shrike.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.cpu.steps.CpuSettings;
import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.graph.quantization.IntegerWeights;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongToIntFunction;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Quantised networks through the whole engine equal the scalar integer evaluation, bit for bit: every kernel, every
 * tier of the CPU and one or two threads in turn.
 */
class QuantizedPlanTest {
    private static final int GRAPHS = Integer.getInteger("shrike.plan.graphs", 150);

    @ParameterizedTest
    @EnumSource(CpuSettings.CodeKernel.class)
    void randomQuantizedNetworksEqualTheEvaluatorBitForBit(CpuSettings.CodeKernel kernel) {
        int compared = overSeeds(seed -> compare(seed, kernel));
        assertTrue(compared > GRAPHS, "only " + compared + " outputs");
    }

    private static int overSeeds(LongToIntFunction compare) {
        long first = Long.getLong("shrike.seed", System.nanoTime() & 0xffffff);
        return LongStream.range(first, first + GRAPHS).mapToInt(compare).sum();
    }

    private static EngineBits.Way way(long seed, CpuSettings.CodeKernel kernel, Random random) {
        long tier = EngineBits.TIERS.get((int) (seed % EngineBits.TIERS.size()));
        return new EngineBits.Way(tier, kernel, 1 + random.nextInt(2));
    }

    /** The number of outputs of the network of a seed, all of which are right. */
    static int compare(long seed, CpuSettings.CodeKernel kernel) {
        Random random = new Random(seed);
        Graph graph = RandomQuantization.network(random);
        float[] input = RandomQuantization.input(graph, random);
        EngineBits.Way way = way(seed, kernel, random);
        return EngineBits.assertOutputs(graph, input, way, way + ": shrike.seed " + seed);
    }

    @ParameterizedTest
    @EnumSource(CpuSettings.CodeKernel.class)
    void networksRoundedByTheirOwnRangesEqualTheEvaluatorBitForBit(CpuSettings.CodeKernel kernel) {
        int compared = overSeeds(seed -> compareDynamic(seed, kernel));
        assertTrue(compared > GRAPHS, "only " + compared + " values");
    }

    /** The number of values between of the network of a seed, all of which have the right bits. */
    static int compareDynamic(long seed, CpuSettings.CodeKernel kernel) {
        Random random = new Random(seed);
        Graph graph = RandomQuantization.dynamicNetwork(random);
        float[] input = RandomQuantization.input(graph, random);
        EngineBits.Way way = way(seed, kernel, random);
        String hint = way + ": shrike.seed " + seed;
        EngineBits.assertOutputs(graph, input, way, hint);
        Set<String> products = new TreeSet<>();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.DynamicQuant || node.op() instanceof Op.Conv
                    && IntegerWeights.isMeasured(graph, node.input(0))) {
                products.add(node.output());
            }
        }
        // Read, a value is what it would be unread: its convolution then gives it as it stands.
        EngineBits.assertBits(EngineBits.evaluate(graph, input, products),
                EngineBits.run(graph, input, products, way), hint);
        return products.size();
    }

    /** One step makes the codes for all convolutions that read them; floats are made where somebody reads those. */
    @Test
    void aValueIsRoundedOnceForAllThatReadIt() {
        Quantization how = new Quantization(Tensor.ofFloats(Shape.of(4), 0.1f, 0.2f, 0.3f, 0.4f),
                Tensor.of(DataType.INT32, Shape.of(4), 0, 0, 0, 0), 8, true, false, 0);
        long[] codes = new Random(3).longs(4 * 2 * 9, -128, 128).toArray();
        Op conv = new Op.Conv(Window.square(3, 1, 1), 1, Activation.SILU);
        Op multiply = new Op.Binary(Op.Binary.Kind.MUL);
        List<Node> nodes = new ArrayList<>(List.of(new Node("r", new Op.DynamicQuant(), List.of("x"), List.of("r")),
                new Node("a", conv, List.of("r", "w"), List.of("a")),
                new Node("b", conv, List.of("r", "w"), List.of("b")),
                new Node("y", multiply, List.of("a", "b"), List.of("y"))));
        assertEquals(List.of("quantize_dynamic_f32_u8", "conv2d_q", "conv2d_q", "binary_f32"),
                kernels(nodes, how, codes));
        nodes.add(new Node("z", multiply, List.of("r", "x"), List.of("z")));
        assertEquals(List.of("quantize_dynamic_f32_u8", "conv2d_q", "conv2d_q", "binary_f32", "dequantize_u8_f32",
                "binary_f32"), kernels(nodes, how, codes));
    }

    private static List<String> kernels(List<Node> nodes, Quantization how, long[] codes) {
        List<ValueInfo> outputs = new ArrayList<>();
        outputs.add(new ValueInfo("y", DataType.FLOAT32, Shape.of(1, 4, 5, 5)));
        if (nodes.getLast().name().equals("z")) {
            outputs.add(new ValueInfo("z", DataType.FLOAT32, Shape.of(1, 2, 5, 5)));
        }
        Graph graph = new Graph("shared", List.of(new ValueInfo("x", DataType.FLOAT32, Shape.of(1, 2, 5, 5))), outputs,
                nodes, Map.of("w", Tensor.of(DataType.INT8, Shape.of(4, 2, 3, 3), codes)), Map.of("w", how), Map.of());
        float[] input = RandomQuantization.input(graph, new Random(4));
        EngineBits.assertBits(EngineBits.evaluate(graph, input, EngineBits.outputs(graph)),
                EngineBits.run(graph, input, Set.of(), EngineBits.Way.USUAL), "shared");
        try (GraphExecutor executor = new CpuBackend().open(graph, ExecutorOptions.DEFAULT.withThreads(1))) {
            executor.run();
            return executor.times().stream().map(step -> step.kernel().replaceAll("^(conv2d_q|binary_f32).*", "$1"))
                    .toList();
        }
    }

    /** By way of an ONNX file, as QuantizeLinear and DequantizeLinear or QONNX nodes. */
    @Test
    void networksWrittenAndReadBackGiveTheSameBits() {
        long first = Long.getLong("shrike.seed", System.nanoTime() & 0xffffff);
        for (int i = 0; i < GRAPHS; i++) {
            String hint = "shrike.seed " + (first + i);
            Random random = new Random(first + i);
            Graph graph = RandomQuantization.network(random);
            float[] input = RandomQuantization.input(graph, random);
            Graph back = GraphPasses.forInference(OnnxModels.read(OnnxModels.toBytes(graph), hint, null), Map.of());
            Map<String, float[]> expected = EngineBits.run(graph, input, Set.of(), EngineBits.Way.USUAL);
            EngineBits.run(back, input, Set.of(), EngineBits.Way.USUAL)
                    .forEach((name, values) -> assertArrayEquals(expected.get(name), values, hint + " " + name));
        }
    }

    @Test
    void stepsNameTheirKernels() {
        Random random = new Random(5);
        Graph graph = RandomQuantization.quantize(RandomGraphs.make(random, 20), random);
        try (GraphExecutor executor = new CpuBackend().open(graph, ExecutorOptions.DEFAULT)) {
            executor.run();
            assertTrue(executor.times().stream().anyMatch(step -> step.kernel().contains("conv2d_")),
                    executor.times().toString());
        }
    }
}
