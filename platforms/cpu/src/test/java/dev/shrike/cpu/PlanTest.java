package dev.shrike.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.cpu.plan.PlanBuilder;
import dev.shrike.cpu.steps.CpuSettings;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class PlanTest {
    private static final int GRAPHS = Integer.getInteger("shrike.plan.graphs", 300);

    @Test
    void randomNetworksEqualTheReference() {
        long first = Long.getLong("shrike.seed", System.nanoTime() & 0xffffff);
        int values = 0;
        for (int i = 0; i < GRAPHS; i++) {
            long seed = first + i;
            Random random = new Random(seed);
            Graph graph = RandomGraphs.make(random, 4 + random.nextInt(16));
            values += compare(graph, random, 1 + random.nextInt(3), "shrike.seed " + seed);
        }
        assertTrue(values > GRAPHS, "only " + values + " outputs in " + GRAPHS + " networks");
    }

    private static int compare(Graph graph, Random random, int threads, String hint) {
        ValueInfo input = graph.inputs().getFirst();
        float[] pixels = new float[(int) input.shape().elements()];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = random.nextFloat() - 0.5f;
        }
        Set<String> wanted = graph.outputs().stream().map(ValueInfo::name).collect(Collectors.toSet());
        Map<String, Tensor> expected = ReferenceEvaluator.run(
                graph, Map.of(input.name(), Tensor.ofFloats(input.shape(), pixels)), wanted);
        try (GraphExecutor executor = new CpuBackend().open(graph, ExecutorOptions.DEFAULT.withThreads(threads))) {
            FloatBench.fill(executor.inputs().getFirst(), pixels);
            executor.run();
            for (Binding output : executor.outputs()) {
                float[] right = expected.get(output.name()).toFloats();
                float[] ours = FloatBench.read(output);
                assertEquals(right.length, ours.length, hint);
                for (int i = 0; i < right.length; i++) {
                    float bound = 2e-5f * Math.max(1, Math.abs(right[i]));
                    assertEquals(right[i], ours[i], bound, hint + " output " + output.name() + "[" + i + "]");
                }
            }
            return executor.outputs().size();
        } catch (RuntimeException e) {
            throw new AssertionError(hint, e);
        }
    }

    @Test
    void resultsAreTheSameBitsForAnyNumberOfThreads() {
        Random random = new Random(7);
        Graph graph = RandomGraphs.make(random, 30);
        float[] one = runOnce(graph, 1);
        for (int threads : new int[] {2, 3, 5}) {
            assertEquals(java.util.Arrays.hashCode(one), java.util.Arrays.hashCode(runOnce(graph, threads)));
        }
    }

    private static float[] runOnce(Graph graph, int threads) {
        CpuSettings settings =
                new CpuSettings(EngineBits.FEATURES, CpuSettings.Convolution.NATIVE, CpuSettings.CodeKernel.AUTO);
        ExecutorOptions options = ExecutorOptions.DEFAULT.withThreads(threads);
        try (GraphExecutor executor = PlanBuilder.build(CpuBackend.library(), graph, options, settings)) {
            Binding input = executor.inputs().getFirst();
            float[] pixels = new float[input.elements()];
            for (int i = 0; i < pixels.length; i++) {
                pixels[i] = (i * 37 % 101) / 101f - 0.5f;
            }
            FloatBench.fill(input, pixels);
            executor.run();
            return FloatBench.read(executor.outputs().getLast());
        }
    }

    @Test
    void closingTwiceIsFineAndUseAfterCloseIsToldSo() {
        Graph graph = RandomGraphs.make(new Random(3), 8);
        GraphExecutor executor = new CpuBackend().open(graph, ExecutorOptions.DEFAULT);
        executor.run();
        executor.close();
        executor.close();
        assertThrows(IllegalStateException.class, executor::run);
    }
}
