package dev.shrike.jetson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.shrike.DeviceException;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.jetson.kernels.KernelSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The steps of the CUDA suite on a GPU that the processor plays: they pass there, and find what is wrong. */
class CudaSuiteTest {
    @TempDir
    private static Path shared;

    private static CudaSuiteFolder folder;

    @TempDir
    private Path own;

    @BeforeAll
    static void pack() throws IOException {
        folder = new CudaSuiteFolder(shared);
        folder.writeDigests();
    }

    private static List<String> run(CudaSuite.Step step, Gpu gpu) throws IOException, InterruptedException {
        List<String> said = new ArrayList<>();
        CudaSuite.run(step, gpu, folder, said::add);
        return said;
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "COMPILER")
    void passesOnWhatWorks(CudaSuite.Step step) throws IOException, InterruptedException {
        assumeTrue(HostKernel.canCompile(), "no g++ here to compile the kernels with");
        HostGpu gpu = new HostGpu();
        assertFalse(run(step, gpu).isEmpty());
        // The GPU that the processor plays counts for one thread.
        if (step != CudaSuite.Step.THREADS) {
            assertEquals(0, gpu.open(), "what was opened is closed");
        }
    }

    @Test
    void saysWhatItCannotRun() {
        assertThrows(CudaSuite.SkippedException.class, () -> run(CudaSuite.Step.COMPILER, new HostGpu()));
    }

    @Test
    void casesHaveNamesOfTheirOwn() {
        Set<String> names = new HashSet<>();
        LetterboxCase.all().forEach(each -> assertTrue(names.add(each.name()), each.name()));
        assertTrue(names.size() > 400, names.size() + " cases");
    }

    /** A GPU with kernels that compute something else. */
    private record Changed(HostGpu gpu, String kernel, String from, String to) implements Gpu {
        @Override
        public Device device() {
            return gpu.device();
        }

        @Override
        public Optional<String> lost() {
            return gpu.lost();
        }

        @Override
        public long freeBytes() {
            return gpu.freeBytes();
        }

        @Override
        public DeviceMemory allocate(long bytes) {
            return gpu.allocate(bytes);
        }

        @Override
        public HostMemory allocateHost(long bytes) {
            return gpu.allocateHost(bytes);
        }

        @Override
        public Stream stream() {
            return gpu.stream();
        }

        @Override
        public Event event() {
            return gpu.event();
        }

        @Override
        public Kernel compile(String source, String name) {
            String changed = name.equals(kernel) ? source.replace(from, to) : source;
            assertTrue(!name.equals(kernel) || !changed.equals(source), "nothing of the kernel is changed");
            return gpu.compile(changed, name);
        }
    }

    @Test
    void findsLetterboxesThatRoundOtherwise() {
        assumeTrue(HostKernel.canCompile(), "no g++ here to compile the kernels with");
        Gpu gpu = new Changed(new HostGpu(), "letterbox", "+ 2) >> 2", "+ 1) >> 2");
        for (CudaSuite.Step step : List.of(CudaSuite.Step.LETTERBOX, CudaSuite.Step.THREADS)) {
            String said = assertThrows(IOException.class, () -> run(step, gpu)).getMessage();
            assertTrue(said.contains("differ"), said);
        }
    }

    @Test
    void findsCandidatesThatAreMissing() {
        assumeTrue(HostKernel.canCompile(), "no g++ here to compile the kernels with");
        Gpu gpu = new Changed(new HostGpu(), "candidates", ">= boxes", ">= boxes - 1");
        String said = assertThrows(IOException.class, () -> run(CudaSuite.Step.CANDIDATES, gpu)).getMessage();
        assertTrue(said.contains("candidates"), said);
    }

    @Test
    void findsErrorsThatPassInsteadOfLasting() {
        HostGpu gpu = new HostGpu();
        String said = assertThrows(IOException.class, () -> new CudaErrorSteps(gpu, _ -> {}).sticky(() -> {
            throw new DeviceException("cudaStreamSynchronize failed with CUDA error 1: invalid argument");
        })).getMessage();
        assertTrue(said.contains("invalid argument"), said);
    }

    @Test
    void findsKernelsThatAreNone() {
        HostGpu gpu = new HostGpu();
        assumeTrue(HostKernel.canCompile(), "no g++ here to compile the kernels with");
        assertThrows(IOException.class, () -> new CudaErrorSteps(gpu, _ -> {})
                .brokenKernel(() -> KernelSource.LETTERBOX.compile(gpu)));
    }

    @Test
    void digestsAreOfWhatWasPacked() throws IOException {
        CudaSuiteFolder other = new CudaSuiteFolder(own);
        Files.writeString(own.resolve("letterbox.txt"), "BGR-1x1 00\n");
        IOException e = assertThrows(IOException.class,
                () -> new CudaKernelSteps(new HostGpu(), other, _ -> {}).letterbox());
        assertTrue(e.getMessage().contains("differ"), e.getMessage());
    }

    @Test
    void kernelsAreOfTheNewestAssemblyThatTheDeviceTakes() throws IOException {
        CudaSuiteFolder packed = new CudaSuiteFolder(own);
        Files.createDirectories(own.resolve("ptx"));
        Files.writeString(own.resolve("ptx/letterbox-72.ptx"), "new");
        Files.writeString(own.resolve("ptx/letterbox-52.ptx"), "old");
        assertEquals("new", packed.ptx("letterbox", device(9, 0)));
        assertEquals("new", packed.ptx("letterbox", device(7, 2)));
        assertEquals("old", packed.ptx("letterbox", device(7, 0)));
        assertEquals("old", packed.ptx("letterbox", device(5, 2)));
        assertThrows(IOException.class, () -> packed.ptx("letterbox", device(5, 0)));
    }

    private static Gpu.Device device(int major, int minor) {
        return new Gpu.Device("GPU", major, minor, 1L << 30, false, 12_000, 11_080, 1);
    }
}
