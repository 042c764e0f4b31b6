package dev.shrike.app.catalogue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.onnxruntime.OrtException;
import dev.shrike.graph.Graph;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.testing.SharedFolder;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the real registry serves. Runs on what the user's cache holds already, and fetches what it lacks only if
 * {@code SHRIKE_TEST_NPM=1}: a build must not need a network.
 */
@Tag("any-processor")
class RegistryTest {
    private final Catalogue catalogue = Catalogue.open();

    @Test
    void yolov5sRunsAtTwoSizes() throws IOException, OrtException {
        needs(CatalogueEntry.YOLOV5S);
        try (OrtSession session = new OrtSession(catalogue.model("yolov5s", ProgressListener.NONE))) {
            assertEquals(25_200, session.run(640, 1).length);
            assertTrue(session.names().startsWith("['person', 'bicycle', "), session.names());
        }
        try (OrtSession session = new OrtSession(catalogue.model("yolov5s", 320, ProgressListener.NONE))) {
            float[][] boxes = session.run(320, 1);
            assertEquals(6_300, boxes.length);
            assertEquals(85, boxes[0].length);
        }
    }

    @Test
    void yolov5sEqualsTheReferenceWeightByWeightAndInItsOutput() throws IOException, OrtException {
        needs(CatalogueEntry.YOLOV5S);
        Path reference = SharedFolder.file("models/yolov5s-640.onnx");
        Path ours = catalogue.model("yolov5s", ProgressListener.NONE);
        Graph expected = OnnxModels.read(reference);
        Graph actual = OnnxModels.read(ours);
        List<Yolov5Weights.Slot> slots = Yolov5Weights.slots(Yolov5Architecture.SMALL);
        assertEquals(60, slots.size());
        for (Yolov5Weights.Slot slot : slots) {
            for (String name : List.of(slot.name() + ".weight", slot.name() + ".bias")) {
                assertEquals(-1, expected.constants().get(name).data().mismatch(actual.constants().get(name).data()),
                        name);
            }
        }
        try (OrtSession theirs = new OrtSession(reference); OrtSession own = new OrtSession(ours)) {
            assertEquals(theirs.names(), own.names());
            float[][] boxes = theirs.run(640, 2);
            float[][] ownBoxes = own.run(640, 2);
            assertEquals(boxes.length, ownBoxes.length);
            for (int i = 0; i < boxes.length; i++) {
                // ONNX Runtime may order its work otherwise from one session to the next.
                assertArrayEquals(boxes[i], ownBoxes[i], 1e-3f, "box " + i);
            }
        }
    }

    @Test
    void yolov8nRuns() throws IOException, OrtException {
        needs(CatalogueEntry.YOLOV8N);
        try (OrtSession session = new OrtSession(catalogue.model("yolov8n", ProgressListener.NONE))) {
            float[][] output = session.run(640, 1);
            assertEquals(84, output.length);
            assertEquals(8_400, output[0].length);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"yolov5s", "yolov8n"})
    void theCpuEngineAgreesWithOnnxRuntime(String name) throws IOException, OrtException {
        needs(name.equals("yolov5s") ? CatalogueEntry.YOLOV5S : CatalogueEntry.YOLOV8N);
        Path model = catalogue.model(name, ProgressListener.NONE);
        float[][] expected;
        try (OrtSession session = new OrtSession(model)) {
            expected = session.run(640, 5);
        }
        Backend cpu = ServiceLoader.load(Backend.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(backend -> backend.name().equals("cpu"))
                .findFirst()
                .orElseThrow();
        try (GraphExecutor executor = cpu.open(OnnxModels.read(model), ExecutorOptions.DEFAULT)) {
            writeNoise(executor.inputs().getFirst(), 5);
            executor.run();
            Binding output = executor.outputs().getFirst();
            boolean rows = name.equals("yolov5s");
            for (int i = 0; i < expected.length; i++) {
                for (int j = 0; j < expected[i].length; j++) {
                    boolean box = (rows ? j : i) < 4;
                    long at = (long) i * output.strides().get(1) + (long) j * output.strides().get(2);
                    assertEquals(expected[i][j], output.memory().getAtIndex(ValueLayout.JAVA_FLOAT, at),
                            box ? 0.02f : 1e-4f, name + " [" + i + "][" + j + "]");
                }
            }
        }
    }

    /** The same noise as {@link OrtSession#run}. */
    private static void writeNoise(Binding input, long seed) {
        Random random = new Random(seed);
        for (int c = 0; c < input.dims().get(1); c++) {
            for (int y = 0; y < input.dims().get(2); y++) {
                for (int x = 0; x < input.dims().get(3); x++) {
                    long at = (long) c * input.strides().get(1) + (long) y * input.strides().get(2)
                            + (long) x * input.strides().get(3);
                    input.memory().setAtIndex(ValueLayout.JAVA_FLOAT, at, random.nextFloat());
                }
            }
        }
    }

    @Test
    void samplesArePhotographs() throws IOException {
        needs(CatalogueEntry.SAMPLES);
        List<Path> samples = catalogue.samples(ProgressListener.NONE);
        assertEquals(6, samples.size());
        long bytes = 0;
        for (Path sample : samples) {
            byte[] content = Files.readAllBytes(sample);
            assertEquals(0xffd8, (content[0] & 0xff) << 8 | content[1] & 0xff, sample + " is a JPEG");
            bytes += content.length;
        }
        assertEquals(CatalogueEntry.SAMPLES.bytes(), bytes);
    }

    private void needs(CatalogueEntry entry) {
        boolean fetch = "1".equals(System.getenv("SHRIKE_TEST_NPM"));
        assumeTrue(fetch || catalogue.receipt(entry).isPresent(),
                "skipped: " + entry.name() + " is not in the cache (SHRIKE_TEST_NPM=1 fetches it)");
    }
}
