package dev.shrike.jetson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.shrike.DeviceException;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.jetson.engine.EngineOptions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What {@code shrike doctor} tells of the engine. */
class EngineReportTest {
    private final HostGpu gpu = new HostGpu();

    private List<String> lines(Map<String, String> properties) {
        return new EngineReport(gpu, () -> EngineOptions.from(properties::get, "/caches", "/home/robot")).lines();
    }

    private String decoding(String decode) {
        return lines(Map.of("shrike.tensorrt.decode", decode)).get(1);
    }

    @Test
    void tellsWhereCandidatesAreFound() {
        assumeTrue(HostKernel.canCompile(), "no g++ here to compile the kernels with");
        assertEquals("candidates are found on the GPU or on the processor: a trial when a detector opens decides,"
                + " -Dshrike.tensorrt.decode=gpu or cpu does without", decoding("auto"));
        assertEquals("candidates are found on the GPU, as -Dshrike.tensorrt.decode=gpu says; those of raw heads on the"
                + " processor", decoding("gpu"));
        assertEquals("candidates are found on the processor, as -Dshrike.tensorrt.decode=cpu says", decoding("CPU"));
        assertEquals("images are resized on the GPU", lines(Map.of()).get(2));
        assertEquals(0, gpu.open(), "what was compiled to know is closed");
    }

    /** What the report says of a GPU without a compiler is what detectors do there (DecodeOnGpuTest). */
    @Test
    void withoutACompilerItTellsWhatThatMeans() {
        gpu.compilesNothing();
        assertEquals("candidates are found on the processor, since the GPU cannot: nvrtcCompileProgram failed: no"
                + " compiler", decoding("auto"));
        assertEquals("no detector opens: -Dshrike.tensorrt.decode=gpu wants candidates found on the GPU, which cannot:"
                + " nvrtcCompileProgram failed: no compiler; leave the property out", decoding("gpu"));
        assertEquals("candidates are found on the processor, as -Dshrike.tensorrt.decode=cpu says", decoding("cpu"));
        assertTrue(lines(Map.of()).get(2).startsWith("images are resized on the processor: nvrtc"));
    }

    @Test
    void tellsMemoryAndHowEnginesAreBuilt() {
        assertEquals("8192 MiB of memory shared with the processor, 4096 MiB free", lines(Map.of()).getFirst());
        assertEquals("engines have precision auto and are kept in /caches/shrike/engines", lines(Map.of()).getLast());
        assertEquals("engines have precision int8, minmax calibration with images of /photos, DLA 1 and are kept in"
                + " /engines",
                lines(Map.of("shrike.tensorrt.precision", "int8", "shrike.tensorrt.calibration", "minmax",
                        "shrike.tensorrt.data", "/photos", "shrike.tensorrt.dla", "1", "shrike.tensorrt.cache",
                        "/engines")).getLast());
        gpu.become("a card");
        assertTrue(lines(Map.of()).getFirst().startsWith("8192 MiB of memory, "), "not shared");
    }

    @Test
    void wrongOptionsAreTold() {
        assertEquals("no detector opens: property shrike.tensorrt.decode: 'dla' is not one of [auto, gpu, cpu]",
                decoding("dla"));
    }

    @Test
    void aGpuThatFailsIsTold() {
        Gpu broken = new BrokenGpu();
        assertEquals(List.of("the GPU does not answer: cudaMemGetInfo failed with CUDA error 999"),
                new EngineReport(broken, () -> EngineOptions.from(_ -> null, null, "")).lines());
    }

    /** A GPU that is there and fails at every call. */
    private static final class BrokenGpu implements Gpu {
        @Override
        public Device device() {
            return new Device("Xavier", 7, 2, 8L << 30, true, 11040, 11040, 6);
        }

        private static DeviceException failure() {
            return new DeviceException("cudaMemGetInfo failed with CUDA error 999");
        }

        @Override
        public Optional<String> lost() {
            return Optional.empty();
        }

        @Override
        public long freeBytes() {
            throw failure();
        }

        @Override
        public DeviceMemory allocate(long bytes) {
            throw failure();
        }

        @Override
        public HostMemory allocateHost(long bytes) {
            throw failure();
        }

        @Override
        public Stream stream() {
            throw failure();
        }

        @Override
        public Event event() {
            throw failure();
        }

        @Override
        public Kernel compile(String source, String name) {
            throw failure();
        }
    }
}
