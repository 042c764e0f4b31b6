package dev.shrike.jetson;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Detection;
import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.DetectorsOn;
import dev.shrike.DeviceException;
import dev.shrike.Frame;
import dev.shrike.SourceException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.jetson.binding.TensorRt.Calibration;
import dev.shrike.jetson.engine.EngineFile;
import dev.shrike.jetson.engine.EngineOptions;
import dev.shrike.jetson.engine.EngineOptions.Decode;
import dev.shrike.jetson.engine.EngineOptions.Precision;
import dev.shrike.spi.BatchProfile;
import dev.shrike.spi.Binding;
import dev.shrike.spi.CandidateExecutor;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.vision.Images;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Engines for batches of several sizes, from building and calibration to detectors, on the fake GPU. */
class DynamicBatchDetectorTest {
    private static final BatchProfile TO_FOUR = new BatchProfile(1, 2, 4);

    @TempDir
    private Path folder;

    private final HostGpu gpu = new HostGpu();
    private final FakeTensorRt tensorRt = new FakeTensorRt(gpu);

    private TensorRtEngines engines(Precision precision, Path images, int dla, Decode decode, BatchProfile batches) {
        return new TensorRtEngines(gpu, tensorRt, new EngineOptions(precision, Calibration.ENTROPY,
                Optional.ofNullable(images), 500, dla, 0, folder.resolve("cache"), false, decode,
                Optional.ofNullable(batches)));
    }

    private TensorRtEngines engines(BatchProfile batches) {
        return engines(Precision.FP16, null, -1, Decode.CPU, batches);
    }

    private Detector open(Graph network, Decode decode, BatchProfile batches) {
        return DetectorsOn.open(network, DetectorOptions.DEFAULT,
                new EnginesBackend(engines(Precision.FP16, null, -1, decode, batches)));
    }

    @Test
    void eachRunHasAsManyImagesAsThereAreFrames() {
        List<Frame> frames = Batched.frames(7);
        for (Decode decode : HostKernel.canCompile() ? Decode.values() : new Decode[] {Decode.CPU}) {
            for (boolean v8 : new boolean[] {false, true}) {
                Graph single = v8 ? SmallYolo.v8(1) : SmallYolo.v5(1);
                Graph network = v8 ? SmallYolo.v8(-1) : SmallYolo.v5(-1);
                List<List<Detection>> expected;
                try (Detector alone = open(single, Decode.CPU, null)) {
                    expected = Batched.lists(alone.detectAll(frames));
                }
                assertTrue(expected.stream().mapToInt(List::size).sum() > 50, expected.toString());
                try (Detector detector = open(network, decode, TO_FOUR)) {
                    assertEquals(4, detector.batch());
                    // Sizes that take turns, sizes that stay, one frame.
                    for (int round = 0; round < 2; round++) {
                        assertEquals(expected, Batched.lists(detector.detectAll(frames)));
                    }
                    for (int round = 0; round < 4; round++) {
                        assertEquals(expected.subList(0, 4), Batched.lists(detector.detectAll(frames.subList(0, 4))));
                    }
                    for (int round = 0; round < 4; round++) {
                        assertEquals(expected.get(2), detector.detect(frames.get(2)).list());
                    }
                }
                assertEquals(0, gpu.open());
                assertEquals(0, tensorRt.open);
            }
        }
    }

    /** What comes back is as much as the run had images. */
    @Test
    void oneFrameMovesTheOutputOfOne() {
        try (Detector detector = open(SmallYolo.v5(-1), Decode.CPU, TO_FOUR)) {
            List<Frame> frames = Batched.frames(4);
            long before = gpu.bytesOut();
            detector.detectAll(frames);
            assertEquals(4 * 4 * 64 * 7, gpu.bytesOut() - before);
            before = gpu.bytesOut();
            detector.detect(frames.getFirst());
            assertEquals(4 * 64 * 7, gpu.bytesOut() - before);
        }
    }

    @Test
    void fewerFramesThanTheLeastRunTheLeast() {
        List<Frame> frames = Batched.frames(5);
        List<List<Detection>> expected;
        try (Detector alone = open(SmallYolo.v5(1), Decode.CPU, null)) {
            expected = Batched.lists(alone.detectAll(frames));
        }
        try (Detector detector = open(SmallYolo.v5(-1), Decode.CPU, new BatchProfile(3, 3, 4))) {
            assertEquals(expected, Batched.lists(detector.detectAll(frames)));
            assertEquals(expected.getFirst(), detector.detect(frames.getFirst()).list());
        }
    }

    /** Two detectors cannot share an engine of an open batch, which has room for one context. */
    @Test
    void twoDetectorsRunSideBySide() {
        try (Detector first = open(SmallYolo.v5(-1), Decode.CPU, TO_FOUR);
                Detector second = open(SmallYolo.v5(-1), Decode.CPU, TO_FOUR)) {
            List<Frame> frames = Batched.frames(3);
            assertEquals(Batched.lists(first.detectAll(frames)), Batched.lists(second.detectAll(frames)));
        }
        assertEquals(1, tensorRt.builds, "from the cache");
        assertEquals(2, tensorRt.loads);
        assertEquals(0, tensorRt.open);
    }

    @Test
    void otherSizesAreOtherEngines() {
        engines(TO_FOUR).engine(SmallYolo.v5(-1));
        engines(TO_FOUR).engine(SmallYolo.v5(-1));
        assertEquals(1, tensorRt.builds);
        engines(new BatchProfile(1, 4, 4)).engine(SmallYolo.v5(-1));
        engines(new BatchProfile(4, 4, 4)).engine(SmallYolo.v5(-1));
        engines(null).engine(SmallYolo.v5(-1));
        assertEquals(4, tensorRt.builds);
    }

    @Test
    void calibratesWithTheBestBatch() throws IOException {
        Path images = Files.createDirectories(folder.resolve("pictures"));
        for (int i = 0; i < 5; i++) {
            Images.write(Batched.frames(1).getFirst(), images.resolve("p" + i + ".png"));
        }
        engines(Precision.INT8, images, -1, Decode.CPU, TO_FOUR).engine(SmallDetector.make(1, -1));
        assertEquals(3, tensorRt.calibrated.size());
        assertEquals(TO_FOUR.best() * 3 * 32 * 32, tensorRt.calibrated.getFirst().length);
        engines(Precision.INT8, images, -1, Decode.CPU, new BatchProfile(2, 2, 4)).engine(SmallDetector.make(1, -1));
        assertEquals(3, tensorRt.calibrated.size(), "the same best batch: from the cache");
        engines(Precision.INT8, images, -1, Decode.CPU, new BatchProfile(2, 4, 4)).engine(SmallDetector.make(1, -1));
        assertEquals(5, tensorRt.calibrated.size(), "another one gives other ranges");
        assertEquals(0, gpu.open());
    }

    @Test
    void aDlaRunsOneSize() {
        tensorRt.cores = 2;
        String message = assertThrows(SourceException.class, () -> engines(Precision.FP16, null, 0, Decode.CPU, TO_FOUR)
                .engine(SmallDetector.make(1, -1))).getMessage();
        assertTrue(message.contains("a DLA runs batches of one size, not of 1 to 4"), message);
        engines(Precision.FP16, null, 0, Decode.CPU, new BatchProfile(4, 4, 4)).engine(SmallDetector.make(1, -1));
        assertEquals(0, tensorRt.open);
    }

    @Test
    void aBuiltFileKeepsItsSizesAlsoOnAnotherGpu() {
        Path file = folder.resolve("open.engine");
        EngineFile built = engines(TO_FOUR).engine(SmallYolo.v5(-1));
        assertEquals(TO_FOUR, built.record().batches());
        assertTrue(built.record().describe().getFirst().contains("batches of 1 to 4 images, best at 2"));
        built.write(file);
        Graph graph = new JetsonBackend().load(file);
        Map<String, Shape> shapes = Map.of("images", Shape.of(-1, 3, 64, 64));
        for (String name : List.of("HostGpu", "another")) {
            gpu.become(name);
            try (GraphExecutor executor = engines(null).open(graph, ExecutorOptions.DEFAULT.withInputShapes(shapes),
                    file)) {
                assertEquals(List.of(4, 3, 64, 64), executor.inputs().getFirst().dims());
                executor.run(3);
                assertThrows(IllegalArgumentException.class, () -> executor.run(5));
                assertThrows(IllegalArgumentException.class, () -> executor.run(0));
            }
        }
        ExecutorOptions two = ExecutorOptions.DEFAULT.withInputShapes(Map.of("images", Shape.of(2, 3, 64, 64)));
        assertThrows(UnsupportedModelException.class, () -> engines(null).open(graph, two, file));
        assertEquals(0, gpu.open());
        assertEquals(0, tensorRt.open);
    }

    /** A size is first run as it is, then recorded; what was recorded for another one is never submitted again. */
    @Test
    void recordingsFollowTheSize() {
        ExecutorOptions open = ExecutorOptions.DEFAULT.withInputShapes(Map.of("images", Shape.of(-1, 3, 64, 64)));
        try (CandidateExecutor executor = (CandidateExecutor) engines(TO_FOUR).open(SmallYolo.v5(-1), open, null)) {
            Binding input = executor.inputs().getFirst();
            Random random = new Random(4);
            int launches = 0;
            for (int count : new int[] {4, 4, 4, 1, 4, 1, 1, 1, 2, 3, 3, 4, 4}) {
                float[] images = new float[count * 3 * 64 * 64];
                for (int i = 0; i < images.length; i++) {
                    images[i] = random.nextFloat();
                }
                MemorySegment.copy(images, 0, input.memory(), ValueLayout.JAVA_FLOAT, 0, images.length);
                int before = gpu.launches();
                executor.run(count);
                launches += gpu.launches() - before;
                float[] found = output(executor, count);
                for (int i = 0; i < count; i++) {
                    float[] one = Arrays.copyOfRange(images, i * 3 * 64 * 64, (i + 1) * 3 * 64 * 64);
                    assertArrayEquals(alone(one), Arrays.copyOfRange(found, i * 448, (i + 1) * 448));
                }
            }
            assertEquals(7, launches, "the largest size is recorded at opening, others the second time in a row");
        }
        assertEquals(0, gpu.open());
    }

    private static float[] output(GraphExecutor executor, int images) {
        return executor.outputs().getFirst().memory().asSlice(0, 4L * images * 448).toArray(ValueLayout.JAVA_FLOAT);
    }

    private float[] alone(float[] image) {
        try (GraphExecutor executor = engines(null).open(SmallYolo.v5(1), ExecutorOptions.DEFAULT, null)) {
            MemorySegment.copy(image, 0, executor.inputs().getFirst().memory(), ValueLayout.JAVA_FLOAT, 0,
                    image.length);
            executor.run();
            return output(executor, 1);
        }
    }

    @Test
    void whateverFailsNothingStaysOpen() {
        List<Frame> frames = Batched.frames(6);
        gpu.failAt(-1);
        open(SmallYolo.v5(-1), Decode.CPU, TO_FOUR).close();
        gpu.failAt(-1);
        int calls;
        try (Detector detector = open(SmallYolo.v5(-1), Decode.CPU, TO_FOUR)) {
            detector.detectAll(frames);
            calls = gpu.calls();
        }
        for (int call = 0; call < calls; call++) {
            gpu.failAt(call);
            try (Detector detector = open(SmallYolo.v5(-1), Decode.CPU, TO_FOUR)) {
                detector.detectAll(frames);
            } catch (DeviceException e) {
                assertTrue(e.getMessage().contains("CUDA error 2"), e.getMessage());
            }
            assertEquals(0, gpu.open(), "after call " + call);
            assertEquals(0, tensorRt.open, "after call " + call);
        }
    }
}
