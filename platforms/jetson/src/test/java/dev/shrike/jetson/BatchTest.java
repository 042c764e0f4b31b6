package dev.shrike.jetson;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Frame;
import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.jetson.binding.TensorRt.Calibration;
import dev.shrike.jetson.engine.CalibrationImages;
import dev.shrike.jetson.engine.EngineOptions;
import dev.shrike.jetson.engine.EngineOptions.Decode;
import dev.shrike.jetson.engine.EngineOptions.Precision;
import dev.shrike.jetson.engine.NetworkSource;
import dev.shrike.spi.Binding;
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

/** Networks of a fixed batch through builder, calibration and executor, on the fake GPU. */
class BatchTest {
    private static final int IMAGE = 3 * 32 * 32;
    private static final int RESULT = 8 * 16 * 16;

    @TempDir
    private Path folder;

    private final HostGpu gpu = new HostGpu();
    private final FakeTensorRt tensorRt = new FakeTensorRt(gpu);

    private TensorRtEngines engines(Precision precision, Path images) {
        return new TensorRtEngines(gpu, tensorRt, new EngineOptions(precision, Calibration.ENTROPY,
                Optional.ofNullable(images), 500, -1, 0, folder.resolve("cache"), false, Decode.AUTO,
                Optional.empty()));
    }

    private static float[] run(GraphExecutor executor, float[] images) {
        Binding input = executor.inputs().getFirst();
        MemorySegment.copy(images, 0, input.memory(), ValueLayout.JAVA_FLOAT, 0, images.length);
        executor.run();
        Binding output = executor.outputs().getFirst();
        return output.memory().asSlice(0, 4L * output.elements()).toArray(ValueLayout.JAVA_FLOAT);
    }

    private static float[] randomImages(int count) {
        Random random = new Random(7);
        float[] images = new float[count * IMAGE];
        for (int i = 0; i < images.length; i++) {
            images[i] = random.nextFloat();
        }
        return images;
    }

    private void assertEachAsAlone(GraphExecutor batched, int batch) {
        float[] images = randomImages(batch);
        float[] results = run(batched, images);
        assertEquals(batch * RESULT, results.length);
        try (GraphExecutor alone = engines(Precision.FP16, null).open(SmallDetector.make(1), ExecutorOptions.DEFAULT,
                null)) {
            for (int i = 0; i < batch; i++) {
                assertArrayEquals(run(alone, Arrays.copyOfRange(images, i * IMAGE, (i + 1) * IMAGE)),
                        Arrays.copyOfRange(results, i * RESULT, (i + 1) * RESULT), "image " + i);
            }
        }
    }

    @Test
    void eachImageGivesWhatItGivesAlone() {
        try (GraphExecutor batched = engines(Precision.FP16, null).open(SmallDetector.make(1, 3),
                ExecutorOptions.DEFAULT, null)) {
            assertEquals(List.of(3, 3, 32, 32), batched.inputs().getFirst().dims());
            assertEachAsAlone(batched, 3);
        }
        assertEquals(2, tensorRt.builds, "batches have engines of their own");
        assertEquals(0, gpu.open());
    }

    @Test
    void anOpenBatchIsFixedByTheCaller() {
        ExecutorOptions four = ExecutorOptions.DEFAULT.withInputShapes(Map.of("images", Shape.of(4, 3, 32, 32)));
        try (GraphExecutor batched = engines(Precision.FP16, null).open(SmallDetector.make(1, -1), four, null)) {
            assertEachAsAlone(batched, 4);
        }
    }

    @Test
    void aFileOfAnotherBatchIsRefused() {
        Graph graph = SmallDetector.make(1, 2);
        Path file = folder.resolve("two.engine");
        engines(Precision.FP16, null).engine(NetworkSource.of(graph, Map.of())).write(file);
        ExecutorOptions three = ExecutorOptions.DEFAULT.withInputShapes(Map.of("images", Shape.of(3, 3, 32, 32)));
        String message = assertThrows(UnsupportedModelException.class,
                () -> engines(Precision.FP16, null).open(graph, three, file)).getMessage();
        assertTrue(message.contains("[2, 3, 32, 32], [3, 3, 32, 32] was asked for"), message);
        assertEquals(0, gpu.open());
        assertEquals(0, tensorRt.open);
    }

    @Test
    void calibrationGetsWholeBatchesOfAllImages() throws IOException {
        Path images = Files.createDirectories(folder.resolve("pictures"));
        for (int i = 0; i < 5; i++) {
            Frame frame = Frame.allocate(32, 32);
            frame.pixels().fill((byte) (10 * (i + 1)));
            Images.write(frame, images.resolve("p" + i + ".png"));
        }
        Files.writeString(images.resolve("p1.png"), "no image");
        engines(Precision.INT8, images).engine(NetworkSource.of(SmallDetector.make(1, 3), Map.of()));
        assertEquals(2, tensorRt.calibrated.size());
        List<Integer> order = CalibrationImages.list(images, 5).stream()
                .map(file -> 10 * (file.getFileName().toString().charAt(1) - '0' + 1)).filter(grey -> grey != 20)
                .toList();
        assertBatch(tensorRt.calibrated.get(0), order.get(0), order.get(1), order.get(2));
        assertBatch(tensorRt.calibrated.get(1), order.get(3), order.get(0), order.get(1));
        assertEquals(0, gpu.open());
    }

    /** One image in the folder fills a batch alone. */
    @Test
    void fewerImagesThanABatchAreRepeated() throws IOException {
        Path images = Files.createDirectories(folder.resolve("pictures"));
        Frame frame = Frame.allocate(32, 32);
        frame.pixels().fill((byte) 70);
        Images.write(frame, images.resolve("only.png"));
        engines(Precision.INT8, images).engine(NetworkSource.of(SmallDetector.make(1, 4), Map.of()));
        assertEquals(1, tensorRt.calibrated.size());
        assertBatch(tensorRt.calibrated.getFirst(), 70, 70, 70, 70);
    }

    private static void assertBatch(float[] batch, int... greys) {
        assertEquals(greys.length * IMAGE, batch.length);
        for (int i = 0; i < greys.length; i++) {
            assertEquals(greys[i] / 255f, batch[i * IMAGE], 1e-6f, "first value of image " + i);
            assertEquals(greys[i] / 255f, batch[(i + 1) * IMAGE - 1], 1e-6f, "last value of image " + i);
        }
    }
}
