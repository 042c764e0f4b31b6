package dev.shrike.jetson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Detection;
import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.DetectorsOn;
import dev.shrike.DeviceException;
import dev.shrike.Frame;
import dev.shrike.ModelException;
import dev.shrike.graph.Graph;
import dev.shrike.jetson.binding.TensorRt.Calibration;
import dev.shrike.jetson.engine.EngineOptions;
import dev.shrike.jetson.engine.EngineOptions.Decode;
import dev.shrike.jetson.engine.EngineOptions.Precision;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several frames in one run of an engine that was built for a batch, on the fake GPU. */
class BatchDetectorTest {
    @TempDir
    private Path folder;

    private final HostGpu gpu = new HostGpu();
    private final FakeTensorRt tensorRt = new FakeTensorRt(gpu);

    private Detector open(Graph network, Decode decode) {
        EngineOptions options = new EngineOptions(Precision.FP16, Calibration.ENTROPY, Optional.empty(), 1, -1, 0,
                folder.resolve("cache"), false, decode, Optional.empty());
        return DetectorsOn.open(network, DetectorOptions.DEFAULT,
                new EnginesBackend(new TensorRtEngines(gpu, tensorRt, options)));
    }

    private void assertSameAsAlone(Graph single, Graph batched, int batch, Decode decode) {
        List<Frame> frames = Batched.frames(7);
        List<List<Detection>> expected;
        try (Detector alone = open(single, Decode.CPU)) {
            expected = Batched.lists(alone.detectAll(frames));
        }
        assertTrue(expected.stream().mapToInt(List::size).sum() > 50, expected.toString());
        try (Detector detector = open(batched, decode)) {
            assertEquals(batch, detector.batch());
            int before = tensorRt.runs;
            assertEquals(expected, Batched.lists(detector.detectAll(frames)));
            assertEquals(Math.ceilDiv(7, batch), tensorRt.runs - before);
            assertEquals(expected.get(2), detector.detect(frames.get(2)).list());
        }
        assertEquals(0, gpu.open());
        assertEquals(0, tensorRt.open);
    }

    @Test
    void eachFrameSeesWhatItSeesAlone() {
        for (int batch : new int[] {2, 3, 8}) {
            for (Decode decode : HostKernel.canCompile() ? Decode.values() : new Decode[] {Decode.CPU}) {
                assertSameAsAlone(SmallYolo.v5(1), SmallYolo.v5(batch), batch, decode);
                assertSameAsAlone(SmallYolo.v8(1), SmallYolo.v8(batch), batch, decode);
            }
        }
    }

    /** What the GPU suite makes of networks that were exported for one image. */
    @Test
    void aNetworkForOneImageBecomesOneForABatch() {
        assertSameAsAlone(SmallYolo.v5(1), BatchedNetwork.of(SmallYolo.v5(1), 3), 3, Decode.CPU);
        assertSameAsAlone(SmallYolo.v8(1), BatchedNetwork.of(SmallYolo.v8(1), 2), 2, Decode.CPU);
    }

    @Test
    void withoutACompilerTheProcessorResizesAndDecodes() {
        gpu.compilesNothing();
        assertSameAsAlone(SmallYolo.v5(1), SmallYolo.v5(3), 3, Decode.AUTO);
    }

    /** What an earlier frame left in the rest of a batch must not fail the frames that are there. */
    @Test
    void aBrokenImageInTheRestOfTheBatchDoesNotMatter() {
        Frame white = Frame.allocate(64, 64);
        white.pixels().fill((byte) 255);
        Frame black = Frame.allocate(64, 64);
        for (Decode decode : HostKernel.canCompile() ? Decode.values() : new Decode[] {Decode.CPU}) {
            try (Detector detector = open(SmallYolo.overflowing(2), decode)) {
                List<Detection> expected = detector.detect(black).list();
                String message = assertThrows(ModelException.class, () -> detector.detectAll(List.of(black, white)))
                        .getMessage();
                assertTrue(message.contains("NaN or infinity"), message);
                assertEquals(expected, detector.detect(black).list(), "the white one is still in the batch");
            }
        }
    }

    @Test
    void aFailingRunFailsForAllFrames() {
        List<Frame> frames = Batched.frames(3);
        gpu.failAt(-1);
        int calls;
        try (Detector detector = open(SmallYolo.v5(2), Decode.CPU)) {
            gpu.failAt(-1);
            detector.detectAll(frames);
            calls = gpu.calls();
        }
        for (int call = 0; call < calls; call++) {
            try (Detector detector = open(SmallYolo.v5(2), Decode.CPU)) {
                gpu.failAt(call);
                assertThrows(DeviceException.class, () -> detector.detectAll(frames), "call " + call);
            }
            assertEquals(0, gpu.open(), "call " + call);
        }
    }
}
