package dev.shrike.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.shrike.cpu.plan.PlanBuilder;
import dev.shrike.cpu.steps.CpuSettings;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.evaluation.IntegerEvaluator;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Runs graphs of one input through the engine and compares with the scalar integer evaluation. */
public final class EngineBits {
    /** What kernels may use in tests: all that the CPU has, or less where {@code shrike.cpu.features} says so. */
    public static final long FEATURES = CpuSettings.fromSystemProperties().featureMask();

    /** What kernels may use: all of it, no more than AVX2, nothing but portable C. */
    static final List<Long> TIERS = Stream.of(FEATURES, FEATURES & 0x1fL, 0L).distinct().toList();

    private EngineBits() {}

    /** A way to run. */
    record Way(long features, CpuSettings.CodeKernel kernel, int threads) {
        static final Way USUAL = new Way(FEATURES, CpuSettings.CodeKernel.AUTO, 1);

        public CpuSettings settings() {
            return new CpuSettings(features, CpuSettings.Convolution.NATIVE, kernel);
        }
    }

    /** All tiers on one thread and on two. */
    static List<Way> tiersAndThreads() {
        List<Way> ways = new ArrayList<>();
        for (long tier : TIERS) {
            for (int threads = 1; threads <= 2; threads++) {
                ways.add(new Way(tier, CpuSettings.CodeKernel.AUTO, threads));
            }
        }
        return ways;
    }

    /** Outputs and tapped values by name, row-major. */
    public static Map<String, float[]> run(Graph graph, float[] input, Set<String> taps, Way way) {
        ExecutorOptions options = ExecutorOptions.DEFAULT.withThreads(way.threads()).withTaps(taps);
        try (GraphExecutor executor = PlanBuilder.build(CpuBackend.library(), graph, options, way.settings())) {
            FloatBench.fill(executor.inputs().getFirst(), input);
            executor.run();
            Map<String, float[]> values = new LinkedHashMap<>();
            for (Binding output : executor.outputs()) {
                values.put(output.name(), FloatBench.read(output));
            }
            for (Binding tap : executor.taps()) {
                values.put(tap.name(), FloatBench.read(tap));
            }
            return values;
        }
    }

    /** What the scalar evaluation gives, as floats. */
    static Map<String, Tensor> evaluate(Graph graph, float[] input, Set<String> wanted) {
        ValueInfo x = graph.inputs().getFirst();
        return IntegerEvaluator.run(graph, Map.of(x.name(), Tensor.ofFloats(x.shape(), input)), wanted).floats();
    }

    public static Set<String> outputs(Graph graph) {
        return graph.outputs().stream().map(ValueInfo::name).collect(Collectors.toSet());
    }

    /**
     * Holds every output of the engine against the evaluation: codes with tolerance 0, real ones up to the last bits of
     * the float sums that they may be. Returns how many outputs there are.
     */
    static int assertOutputs(Graph graph, float[] input, Way way, String hint) {
        Map<String, Tensor> expected = evaluate(graph, input, outputs(graph));
        Map<String, float[]> found;
        try {
            found = run(graph, input, Set.of(), way);
        } catch (RuntimeException e) {
            throw new AssertionError(hint, e);
        }
        found.forEach((name, ours) -> {
            float[] right = expected.get(name).toFloats();
            // Real sums round by what their terms weigh, not by what is left of them.
            float largest = 10;
            for (float value : right) {
                largest = Math.max(largest, Math.abs(value));
            }
            float bound = graph.quantization().containsKey(name) ? 0 : 2e-5f * largest;
            assertEquals(right.length, ours.length, hint + " output " + name);
            for (int i = 0; i < right.length; i++) {
                assertEquals(right[i], ours[i], bound, hint + " output " + name + "[" + i + "]");
            }
        });
        return found.size();
    }

    /** Holds the engine against values of the evaluation, bit for bit. */
    static void assertBits(Map<String, Tensor> expected, Map<String, float[]> found, String hint) {
        expected.forEach((name, tensor) -> assertEquals(-1,
                Arrays.mismatch(tensor.toFloats(), found.getOrDefault(name, new float[0])), hint + ": " + name));
    }
}
