package dev.shrike.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.cpu.binding.CpuFeatures;
import dev.shrike.cpu.binding.NativeLoader;
import dev.shrike.cpu.plan.Plan;
import dev.shrike.cpu.plan.PlanBuilder;
import dev.shrike.cpu.steps.ConvKernel;
import dev.shrike.cpu.steps.CpuSettings;
import dev.shrike.cpu.steps.KernelChoice;
import dev.shrike.graph.Graph;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Whatever kernel runs a layer, codes are the same bits and floats the same within rounding. */
class KernelCandidatesTest {
    private static final int NETWORKS = Integer.getInteger("shrike.candidates", 60);

    private final Map<ConvKernel, Integer> ran = new EnumMap<>(ConvKernel.class);

    private Map<String, float[]> run(Graph graph, ConvKernel kernel, int threads, float[] pixels) {
        CpuSettings settings =
                new CpuSettings(EngineBits.FEATURES, CpuSettings.Convolution.AUTO, CpuSettings.CodeKernel.AUTO);
        try (Plan plan = PlanBuilder.build(CpuBackend.library(), graph, ExecutorOptions.DEFAULT.withThreads(threads),
                settings, KernelChoice.everywhere(kernel))) {
            FloatBench.fill(plan.inputs().getFirst(), pixels);
            plan.run();
            plan.run();
            plan.layers().forEach(layer -> ran.merge(layer.kernel(), 1, Integer::sum));
            Map<String, float[]> values = new HashMap<>();
            for (Binding output : plan.outputs()) {
                values.put(output.name(), FloatBench.read(output));
            }
            return values;
        }
    }

    private static float[] pixels(Graph graph, Random random) {
        float[] pixels = new float[(int) graph.inputs().getFirst().shape().elements()];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = 4 * random.nextFloat() - 2;
        }
        return pixels;
    }

    @Test
    void codesAreTheSameBits() {
        long first = Long.getLong("shrike.seed", System.nanoTime() & 0xffffff);
        for (int i = 0; i < NETWORKS; i++) {
            String hint = "shrike.seed " + (first + i);
            Random random = new Random(first + i);
            Graph graph = SmallNetworks.quantized(random, SmallNetworks.Sizes.random(random), 1 + random.nextInt(8),
                    1 + random.nextInt(8));
            float[] pixels = pixels(graph, random);
            Map<String, float[]> reference = run(graph, ConvKernel.REFERENCE, 1, pixels);
            for (ConvKernel kernel : List.of(ConvKernel.INT8, ConvKernel.BITSERIAL, ConvKernel.ONEDNN)) {
                Map<String, float[]> result = run(graph, kernel, 1 + random.nextInt(2), pixels);
                reference.forEach((name, values) -> assertArrayEquals(values, result.get(name),
                        hint + ": " + kernel + ", " + name));
            }
        }
        assertTrue(ran.getOrDefault(ConvKernel.BITSERIAL, 0) > 0, ran.toString());
        assertOneDnnRan(CpuFeatures.AVX512VNNI.mask());
    }

    /** Sums beyond 2^24, which no float holds: whoever leaves int32 too early is found out. */
    @Test
    void largeSumsAreExact() {
        for (int seed = 0; seed < 3; seed++) {
            Random random = new Random(seed);
            Graph graph = SmallNetworks.quantized(random, new SmallNetworks.Sizes(512, 384, 40, 9, 3, 1), 8, 8);
            float[] pixels = pixels(graph, random);
            Map<String, float[]> reference = run(graph, ConvKernel.REFERENCE, 2, pixels);
            for (ConvKernel kernel : List.of(ConvKernel.INT8, ConvKernel.ONEDNN)) {
                Map<String, float[]> result = run(graph, kernel, 1, pixels);
                reference.forEach((name, values) -> assertArrayEquals(values, result.get(name), kernel + " " + name));
            }
        }
        assertOneDnnRan(CpuFeatures.AVX512VNNI.mask());
    }

    @Test
    void realsAgree() {
        for (int seed = 0; seed < NETWORKS; seed++) {
            Random random = new Random(seed);
            Graph graph = SmallNetworks.real(random, SmallNetworks.Sizes.random(random));
            float[] pixels = pixels(graph, random);
            Map<String, float[]> ours = run(graph, ConvKernel.NATIVE, 1, pixels);
            Map<String, float[]> theirs = run(graph, ConvKernel.ONEDNN, 1, pixels);
            for (String name : ours.keySet()) {
                // Sums round by what their terms weigh.
                float largest = 1;
                for (float value : ours.get(name)) {
                    largest = Math.max(largest, Math.abs(value));
                }
                assertArrayEquals(ours.get(name), theirs.get(name), 2e-5f * largest, "seed " + seed + ", " + name);
            }
        }
        assertOneDnnRan(0);
    }

    /** Where oneDNN is on the class path and the CPU has what it takes, it was really compared. */
    private void assertOneDnnRan(long needed) {
        boolean able = NativeLoader.platform().equals("linux-x86_64")
                && (CpuBackend.library().features() & EngineBits.FEATURES & needed) == needed;
        assertEquals(able, ran.getOrDefault(ConvKernel.ONEDNN, 0) > 0, ran.toString());
    }
}
