package dev.shrike.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.shrike.cpu.plan.PlanBuilder;
import dev.shrike.cpu.steps.CpuSettings;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Op;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A running plan makes no garbage and takes no more native memory. */
class SteadyStateTest {
    private static final int FRAMES = 1000;

    @ParameterizedTest
    @EnumSource(CpuSettings.Convolution.class)
    void aThousandFramesAllocateNothing(CpuSettings.Convolution convolution) throws IOException {
        assertAllocatesNothing(RandomGraphs.make(new Random(11), 40), convolution);
    }

    @Test
    void norDoRangesThatAreMeasured() throws IOException {
        Graph graph = IntStream.range(0, 100).mapToObj(seed -> RandomQuantization.dynamicNetwork(new Random(seed)))
                .filter(network -> network.nodes().stream().filter(n -> n.op() instanceof Op.DynamicQuant).count() > 1)
                .findFirst().orElseThrow();
        assertAllocatesNothing(graph, CpuSettings.Convolution.NATIVE);
    }

    private static void assertAllocatesNothing(Graph graph, CpuSettings.Convolution convolution) throws IOException {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long self = Thread.currentThread().threadId();
        CpuSettings settings = new CpuSettings(EngineBits.FEATURES, convolution, CpuSettings.CodeKernel.AUTO);
        ExecutorOptions options = ExecutorOptions.DEFAULT.withThreads(2);
        try (GraphExecutor executor = PlanBuilder.build(CpuBackend.library(), graph, options, settings)) {
            for (int i = 0; i < 2000; i++) {
                executor.run();
            }
            // The compiler may still swap code in one window; a frame that allocates shows in every one.
            long least = Long.MAX_VALUE;
            long residentBefore = residentBytes();
            for (int window = 0; window < 5 && least > 0; window++) {
                residentBefore = residentBytes();
                long before = threads.getThreadAllocatedBytes(self);
                for (int i = 0; i < FRAMES; i++) {
                    executor.run();
                }
                least = Math.min(least, threads.getThreadAllocatedBytes(self) - before);
            }
            long resident = residentBytes() - residentBefore;
            assertEquals(0, least, "bytes on the Java heap in " + FRAMES + " frames");
            assertTrue(resident < 4 << 20, "resident memory grew by " + resident + " bytes in " + FRAMES + " frames");
        }
    }

    private static long residentBytes() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) {
                return 1024 * Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        throw new IOException("no VmRSS in /proc/self/status");
    }
}
