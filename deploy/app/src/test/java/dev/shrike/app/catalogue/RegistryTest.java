package dev.shrike.app.catalogue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.onnxruntime.OrtException;
import dev.shrike.graph.Graph;
import dev.shrike.onnx.OnnxModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * What the real registry serves. Runs on what the user's cache holds already, and fetches what it lacks only if
 * {@code SHRIKE_TEST_NPM=1}: a build must not need a network.
 */
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
