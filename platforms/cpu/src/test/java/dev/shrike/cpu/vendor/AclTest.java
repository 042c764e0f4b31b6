package dev.shrike.cpu.vendor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.shrike.BackendUnavailableException;
import dev.shrike.cpu.CpuBackend;
import dev.shrike.cpu.EngineBits;
import dev.shrike.cpu.FloatBench;
import dev.shrike.cpu.RandomGraphs;
import dev.shrike.cpu.plan.PlanBuilder;
import dev.shrike.cpu.steps.CpuSettings;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Where ARM Compute Library is missing, which is every machine but arm64 with Debian 13, the engine runs without. */
class AclTest {
    private static final CpuSettings ACL =
            new CpuSettings(EngineBits.FEATURES, CpuSettings.Convolution.ACL, CpuSettings.CodeKernel.AUTO);

    private static boolean isThere() {
        try {
            AclLibrary.load();
            return true;
        } catch (BackendUnavailableException e) {
            // A machine made for this test says that it has the library.
            assertFalse(Boolean.getBoolean("shrike.test.acl"), e::getMessage);
            return false;
        }
    }

    @Test
    void randomNetworksEqualTheReference() {
        boolean there = isThere();
        int graphs = there ? 40 : 10;
        long first = Long.getLong("shrike.seed", System.nanoTime() & 0xffffff);
        int withAcl = 0;
        for (int i = 0; i < graphs; i++) {
            Random random = new Random(first + i);
            Graph graph = RandomGraphs.make(random, 4 + random.nextInt(16));
            withAcl += compare(graph, random, 1 + random.nextInt(2), "shrike.seed " + (first + i)) ? 1 : 0;
        }
        if (there) {
            assertTrue(withAcl > graphs / 4, "only " + withAcl + " of " + graphs + " networks used the library");
        } else {
            assertEquals(0, withAcl);
        }
    }

    /** Whether ARM Compute Library took part. */
    private static boolean compare(Graph graph, Random random, int threads, String hint) {
        ValueInfo input = graph.inputs().getFirst();
        float[] pixels = new float[(int) input.shape().elements()];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = random.nextFloat() - 0.5f;
        }
        Set<String> wanted = graph.outputs().stream().map(ValueInfo::name).collect(Collectors.toSet());
        Map<String, Tensor> expected = ReferenceEvaluator.run(
                graph, Map.of(input.name(), Tensor.ofFloats(input.shape(), pixels)), wanted);
        ExecutorOptions options = ExecutorOptions.DEFAULT.withThreads(threads);
        try (GraphExecutor executor = PlanBuilder.build(CpuBackend.library(), graph, options, ACL)) {
            FloatBench.fill(executor.inputs().getFirst(), pixels);
            executor.run();
            executor.run();
            for (Binding output : executor.outputs()) {
                float[] right = expected.get(output.name()).toFloats();
                float[] ours = FloatBench.read(output);
                for (int i = 0; i < right.length; i++) {
                    // Winograd's transforms lose a digit more than sums of products do.
                    float bound = 2e-4f * Math.max(1, Math.abs(right[i]));
                    assertEquals(right[i], ours[i], bound, hint + " output " + output.name() + "[" + i + "]");
                }
            }
            assertEquals(executor.times().stream().anyMatch(step -> step.kernel().startsWith("conv_f32 acl/")),
                    executor.description().contains("ARM Compute Library"), executor.description());
            return executor.description().contains("ARM Compute Library");
        }
    }

    @Test
    void whoeverLacksItIsToldThePackage() {
        assumeTrue(!isThere(), "ARM Compute Library is there");
        Exception e = assertThrows(BackendUnavailableException.class, AclLibrary::load);
        assertTrue(e.getMessage().contains("libarm-compute43"), e.getMessage());
        assertTrue(e.getMessage().contains("libshrike_acl.so"), e.getMessage());
        assertTrue(e.getCause() instanceof BackendUnavailableException, "the cause is kept");
    }

    @Test
    void aLibraryWithoutItsFunctionsIsRefused() {
        Exception none = assertThrows(BackendUnavailableException.class, () -> AclLibrary.bind(_ -> Optional.empty()));
        assertTrue(none.getMessage().contains("shrike_acl_abi_version"), none.getMessage());
        Exception some = assertThrows(BackendUnavailableException.class,
                () -> AclLibrary.bind(name -> name.endsWith("_run") ? Optional.empty()
                        : Optional.of(MemorySegment.ofAddress(4096))));
        assertTrue(some.getMessage().contains("shrike_acl_conv2d_run"), some.getMessage());
    }
}
