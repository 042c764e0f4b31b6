package dev.shrike.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPasses;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.util.Map;
import java.util.Random;
import java.util.Set;
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
        long first = Long.getLong("shrike.seed", System.nanoTime() & 0xffffff);
        int compared = 0;
        for (int i = 0; i < GRAPHS; i++) {
            compared += compare(first + i, kernel);
        }
        assertTrue(compared > GRAPHS, "only " + compared + " outputs");
    }

    /** The number of outputs of the network of a seed, all of which are right. */
    static int compare(long seed, CpuSettings.CodeKernel kernel) {
        Random random = new Random(seed);
        Graph graph = RandomQuantization.network(random);
        float[] input = RandomQuantization.input(graph, random);
        long tier = EngineBits.TIERS.get((int) (seed % EngineBits.TIERS.size()));
        EngineBits.Way way = new EngineBits.Way(tier, kernel, 1 + random.nextInt(2));
        return EngineBits.assertOutputs(graph, input, way, way + ": shrike.seed " + seed);
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
