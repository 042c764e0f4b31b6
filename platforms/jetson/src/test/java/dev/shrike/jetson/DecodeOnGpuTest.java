package dev.shrike.jetson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.DetectorsOn;
import dev.shrike.DeviceException;
import dev.shrike.Frame;
import dev.shrike.ModelException;
import dev.shrike.ShrikeException;
import dev.shrike.graph.Graph;
import dev.shrike.heads.HeadDecoder;
import dev.shrike.heads.ScoreFilter;
import dev.shrike.jetson.binding.TensorRt.Calibration;
import dev.shrike.jetson.engine.EngineOptions;
import dev.shrike.jetson.engine.EngineOptions.Decode;
import dev.shrike.jetson.engine.EngineOptions.Precision;
import dev.shrike.jetson.execution.DecodeChoice;
import dev.shrike.spi.CandidateExecutor;
import dev.shrike.spi.CandidateQuery;
import dev.shrike.spi.CandidateSink;
import dev.shrike.spi.ExecutorOptions;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where detectors find their candidates, and that it makes no difference, on the fake GPU. */
class DecodeOnGpuTest {
    private static final CandidateSink NOWHERE = (_, _, _, _, _, _) -> {};
    private static final int HEAD_BYTES = 4 * 64 * 7;

    @TempDir
    private Path folder;

    private final HostGpu gpu = new HostGpu();
    private final FakeTensorRt tensorRt = new FakeTensorRt(gpu);

    @BeforeEach
    void requireCompiler() {
        assumeTrue(HostKernel.canCompile(), "no g++ here to compile the kernels with");
    }

    private TensorRtEngines engines(Decode decode, int capacity) {
        EngineOptions options = new EngineOptions(Precision.FP16, Calibration.ENTROPY, Optional.empty(), 1, -1, 0,
                folder.resolve("cache"), false, decode, Optional.empty());
        return new TensorRtEngines(gpu, tensorRt, options, new DecodeChoice(decode, capacity, gpu::clock));
    }

    private Detector open(Graph network, DetectorOptions options, Decode decode, int capacity) {
        return DetectorsOn.open(network, options, new EnginesBackend(engines(decode, capacity)));
    }

    private Detector open(Graph network, Decode decode) {
        return open(network, DetectorOptions.DEFAULT, decode, 1000);
    }

    private CandidateExecutor executor(Decode decode) {
        return (CandidateExecutor) engines(decode, 10).open(SmallYolo.v5(1), ExecutorOptions.DEFAULT, null);
    }

    private static CandidateQuery query(CandidateExecutor executor) {
        return HeadDecoder.of(executor.outputs(), SmallYolo.SIDE, SmallYolo.SIDE, Map.of("names", "['a', 'b']"))
                .query(new ScoreFilter(0.25f, false, null)).orElseThrow();
    }

    private static Frame noise(Random random) {
        Frame frame = Frame.allocate(20 + random.nextInt(100), 20 + random.nextInt(100));
        byte[] bytes = new byte[3 * frame.width() * frame.height()];
        random.nextBytes(bytes);
        MemorySegment.copy(bytes, 0, frame.pixels(), ValueLayout.JAVA_BYTE, 0, bytes.length);
        return frame;
    }

    private static Frame white() {
        Frame frame = Frame.allocate(64, 64);
        frame.pixels().fill((byte) 255);
        return frame;
    }

    /** Detections of both ways over several frames are equal, to the last bit. */
    private void assertSameEitherWay(Graph network, DetectorOptions options, int capacity) {
        Random random = new Random(8);
        int seen = 0;
        try (Detector onGpu = open(network, options, Decode.GPU, capacity);
                Detector onHost = open(network, options, Decode.CPU, capacity)) {
            for (int i = 0; i < 10; i++) {
                Frame frame = noise(random);
                assertEquals(onHost.detect(frame).list(), onGpu.detect(frame).list());
                seen += onGpu.detect(frame).size();
            }
        }
        assertTrue(seen > 20, seen + " objects");
        assertEquals(0, gpu.open());
        assertEquals(0, tensorRt.open);
    }

    @Test
    void bothWaysSeeTheSame() {
        DetectorOptions low = DetectorOptions.DEFAULT.withThresholds(0.001f, 0.6f);
        for (Graph network : List.of(SmallYolo.v5(1), SmallYolo.v8(1))) {
            assertSameEitherWay(network, DetectorOptions.DEFAULT, 1000);
            assertSameEitherWay(network, low.withMultiLabel(true), 1000);
            assertSameEitherWay(network, low.withClasses(Set.of(1)).withAgnostic(true).withMaxDetections(9), 1000);
        }
    }

    @Test
    void whatDoesNotFitIsDecodedOnTheProcessor() {
        for (int capacity : new int[] {1, 5, 20}) {
            assertSameEitherWay(SmallYolo.v5(1), DetectorOptions.DEFAULT.withThresholds(0.01f, 0.45f), capacity);
        }
        Frame frame = noise(new Random(8));
        try (Detector detector = open(SmallYolo.v5(1), DetectorOptions.DEFAULT, Decode.GPU, 5)) {
            long before = gpu.bytesOut();
            detector.detect(frame);
            assertTrue(gpu.bytesOut() - before > HEAD_BYTES, "the whole output came after the list that was too short");
        }
        try (Detector detector = open(SmallYolo.v5(1), DetectorOptions.DEFAULT, Decode.GPU, 1000)) {
            long before = gpu.bytesOut();
            detector.detect(frame);
            assertEquals(8 + 64 * 28, gpu.bytesOut() - before, "the list alone, as long as it can become");
        }
    }

    @Test
    void theQuickerWayIsKept() {
        // The clock of this GPU counts a nanosecond a byte: 1792 for the output, 296 for a list of 10 and its zeros.
        gpu.kernelsTake(1_000_000);
        try (Detector detector = open(SmallYolo.v5(1), Decode.AUTO)) {
            assertTrue(detector.engine().endsWith(", decoding on the CPU)"), detector.engine());
            long before = gpu.bytesOut();
            detector.detect(noise(new Random(1)));
            assertEquals(HEAD_BYTES, gpu.bytesOut() - before);
        }
        gpu.kernelsTake(0);
        try (Detector detector =
                open(SmallYolo.v5(1), DetectorOptions.DEFAULT.withThresholds(0.9f, 0.45f), Decode.AUTO, 10)) {
            assertTrue(detector.engine().endsWith(", decoding on the GPU)"), detector.engine());
            long before = gpu.bytesOut();
            detector.detect(Frame.allocate(64, 64));
            assertEquals(8 + 10 * 28, gpu.bytesOut() - before);
        }
        assertEquals(0, gpu.open());
    }

    /** With a threshold of 0 every box is a candidate, so that a short list never suffices. */
    @Test
    void whatTheGpuLeavesOverCountsAgainstIt() {
        gpu.kernelsTake(0);
        try (Detector detector = open(SmallYolo.v5(1), DetectorOptions.DEFAULT.withThresholds(0, 0.45f), Decode.AUTO,
                10)) {
            assertTrue(detector.engine().endsWith(", decoding on the CPU)"), detector.engine());
        }
    }

    @Test
    void whatIsForcedIsNotTried() {
        gpu.kernelsTake(1_000_000);
        try (Detector detector = open(SmallYolo.v5(1), Decode.GPU)) {
            assertTrue(detector.engine().endsWith(", decoding on the GPU)"), detector.engine());
        }
        gpu.kernelsTake(0);
        try (Detector detector = open(SmallYolo.v5(1), DetectorOptions.DEFAULT, Decode.CPU, 10)) {
            assertTrue(detector.engine().endsWith(", decoding on the CPU)"), detector.engine());
        }
    }

    @Test
    void withoutACompilerTheProcessorDecodes() {
        gpu.compilesNothing();
        try (Detector detector = open(SmallYolo.v5(1), Decode.AUTO)) {
            assertTrue(detector.engine().endsWith(", decoding on the CPU)"), detector.engine());
            assertTrue(detector.detect(noise(new Random(1))).size() > 0);
        }
        String message = assertThrows(DeviceException.class, () -> open(SmallYolo.v5(1), Decode.GPU)).getMessage();
        assertTrue(message.contains("no compiler") && message.contains("shrike.tensorrt.decode"), message);
        assertEquals(0, gpu.open());
        assertEquals(0, tensorRt.open);
    }

    @Test
    void brokenOutputsGiveTheErrorOfTheProcessor() {
        String[] messages = new String[2];
        for (Decode decode : new Decode[] {Decode.CPU, Decode.GPU}) {
            try (Detector detector = open(SmallYolo.overflowing(1), decode)) {
                assertTrue(detector.detect(Frame.allocate(64, 64)).size() < 64);
                messages[decode == Decode.CPU ? 0 : 1] =
                        assertThrows(ModelException.class, () -> detector.detect(white())).getMessage();
                detector.detect(Frame.allocate(64, 64));
            }
        }
        assertTrue(messages[0].contains("NaN or infinity at box"), messages[0]);
        assertEquals(messages[0], messages[1]);
    }

    @Test
    void whateverFailsWhileItIsTriedNothingStaysOpen() {
        gpu.kernelsTake(0);
        CandidateExecutor whole = executor(Decode.AUTO);
        gpu.failAt(-1);
        assertTrue(whole.pick(query(whole), () -> {}));
        int calls = gpu.calls();
        whole.close();
        assertTrue(calls > 100, calls + " calls");
        for (int call = 0; call < calls; call += call < 30 ? 1 : 17) {
            for (Decode decode : new Decode[] {Decode.AUTO, Decode.GPU}) {
                try (CandidateExecutor executor = executor(decode)) {
                    int before = gpu.open();
                    gpu.failAt(call);
                    try {
                        boolean picks = executor.pick(query(executor), () -> {});
                        assertEquals(executor.description().endsWith("GPU"), picks);
                        assertEquals(picks, gpu.open() > before, "after call " + call);
                    } catch (ShrikeException e) {
                        assertEquals(Decode.GPU, decode);
                        assertTrue(e.getMessage().contains("shrike.tensorrt.decode"), e.getMessage());
                        assertEquals(before, gpu.open(), "after call " + call);
                    }
                    gpu.failAt(-1);
                    executor.run();
                }
                assertEquals(0, gpu.open(), "after call " + call);
            }
        }
    }

    @Test
    void aFailingRunEndsTheDetector() {
        Frame frame = noise(new Random(3));
        gpu.failAt(-1);
        int calls;
        try (Detector detector = open(SmallYolo.v5(1), DetectorOptions.DEFAULT, Decode.GPU, 5)) {
            gpu.failAt(-1);
            detector.detect(frame);
            calls = gpu.calls();
        }
        for (int call = 0; call < calls; call++) {
            try (Detector detector = open(SmallYolo.v5(1), DetectorOptions.DEFAULT, Decode.GPU, 5)) {
                gpu.failAt(call);
                assertThrows(DeviceException.class, () -> detector.detect(frame), "call " + call);
            }
            assertEquals(0, gpu.open());
        }
        try (Detector detector = open(SmallYolo.v5(1), DetectorOptions.DEFAULT, Decode.GPU, 5)) {
            gpu.failAt(calls - 1);
            String message = assertThrows(DeviceException.class, () -> detector.detect(frame)).getMessage();
            assertTrue(message.endsWith("open the detector again"), message);
            assertThrows(DeviceException.class, () -> detector.detect(frame));
        }
    }

    @Test
    void misuseIsSaid() {
        CandidateExecutor executor = executor(Decode.GPU);
        assertThrows(IllegalStateException.class, () -> executor.candidates(0, NOWHERE), "before pick");
        assertTrue(executor.pick(query(executor), () -> {}));
        assertThrows(IllegalStateException.class, () -> executor.pick(query(executor), () -> {}), "twice");
        assertThrows(IllegalStateException.class, () -> executor.candidates(0, NOWHERE), "before a run");
        executor.run();
        executor.candidates(0, NOWHERE);
        assertThrows(IndexOutOfBoundsException.class, () -> executor.candidates(1, NOWHERE));
        assertEquals("candidates", executor.times().getLast().kernel());
        CandidateQuery asked = query(executor);
        executor.close();
        assertThrows(IllegalStateException.class, () -> executor.candidates(0, NOWHERE));
        assertThrows(IllegalStateException.class, () -> executor.pick(asked, () -> {}));
        try (CandidateExecutor other = executor(Decode.CPU)) {
            CandidateQuery strange = new CandidateQuery("nowhere", 64, 2, 7, 1, true, 0.25f, false, asked.wanted());
            assertThrows(IllegalArgumentException.class, () -> other.pick(strange, () -> {}));
            assertFalse(other.pick(asked, () -> {}));
            other.run();
            assertThrows(IllegalStateException.class, () -> other.candidates(0, NOWHERE), "it does not pick");
        }
        assertEquals(0, gpu.open());
    }

    @Test
    void anOutputThatCannotBeDecodedIsNotCompared() {
        try (CandidateExecutor executor = executor(Decode.AUTO)) {
            assertFalse(executor.pick(query(executor), () -> {
                throw new ModelException("NaN");
            }));
        }
        assertEquals(0, gpu.open());
    }
}
