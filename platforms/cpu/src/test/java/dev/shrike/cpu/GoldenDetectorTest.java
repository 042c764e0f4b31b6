package dev.shrike.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.Detectors;
import dev.shrike.golden.Golden;
import dev.shrike.golden.Golden.Box;
import dev.shrike.onnx.OnnxModels;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole detection, from an ONNX file and an image, against boxes that something else has computed. */
class GoldenDetectorTest {
    @TempDir
    private Path folder;

    @Test
    void detectionsOfTheSmallDetector() {
        Golden.Detection golden = Golden.detection();
        Path model = folder.resolve("golden.onnx");
        OnnxModels.write(golden.graph(), model);
        List<Box> expected = Golden.boxes("detector.txt").kept();
        try (Detector detector = Detectors.open(model, DetectorOptions.DEFAULT.withEngine("cpu").withThreads(1))) {
            Detections found = detector.detect(golden.image());
            assertEquals(expected.size(), found.size(), found.toString());
            for (int i = 0; i < expected.size(); i++) {
                Detection one = found.list().get(i);
                Box box = new Box(one.classId(), one.score(), one.x1(), one.y1(), one.x2(), one.y2());
                assertTrue(box.distance(expected.get(i)) < 5e-3, box + " is not " + expected.get(i));
            }
        }
    }
}
