package dev.shrike.calibration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.Detector;
import dev.shrike.Detectors;
import dev.shrike.Frame;
import dev.shrike.StageTimes;
import dev.shrike.calibration.data.DataSet;
import dev.shrike.calibration.data.DataSetException;
import dev.shrike.calibration.data.DataSets;
import dev.shrike.calibration.data.Prediction;
import dev.shrike.calibration.data.Problem;
import dev.shrike.calibration.data.ResultsFile;
import dev.shrike.testing.SharedFolder;
import dev.shrike.vision.Images;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluationTest {
    @TempDir
    private Path folder;

    /** A detector that finds the whole frame, as a thing of a class that the data lacks and one that it has. */
    private record WholeFrame(List<String> labels) implements Detector {
        @Override
        public Detections detect(Frame frame) {
            List<Detection> found = new ArrayList<>();
            for (int c = 0; c < labels.size(); c++) {
                found.add(new Detection(c, labels.get(c), 0.9f - 0.1f * c, 0, 0, frame.width(), frame.height()));
            }
            return new Detections(frame.width(), frame.height(), frame.captured(), new StageTimes(10, 200, 30), found);
        }

        @Override
        public String engine() {
            return "test";
        }

        @Override
        public int inputWidth() {
            return 32;
        }

        @Override
        public int inputHeight() {
            return 32;
        }

        @Override
        public void close() {}
    }

    private DataSet data() throws IOException {
        Images.write(Frame.allocate(40, 20), folder.resolve("a.png"));
        Images.write(Frame.allocate(20, 30), folder.resolve("b.png"));
        Files.writeString(folder.resolve("a.txt"), "0 0.5 0.5 1 1\n");
        Files.writeString(folder.resolve("b.txt"), "1 0.5 0.5 1 1\n");
        Files.writeString(folder.resolve("data.yaml"), "val: [a.png, b.png]\nnames: [cat, owl]\n");
        return DataSets.open(folder);
    }

    @Test
    void everyImageIsShownAndMeasuredByTheClassesOfTheData() throws IOException {
        List<String> heard = new ArrayList<>();
        DataSet data = data();
        Evaluation evaluation = Evaluation.of(
                data, new WholeFrame(List.of("dog", "owl", "cat")),
                (image, done, total) -> heard.add(image + " " + done + "/" + total));
        assertEquals(List.of("a.png 0/2", "b.png 1/2"), heard);
        assertEquals(new StageTimes(10, 200, 30), evaluation.times());
        assertEquals(
                List.of(new Prediction(1, 0.8, 0, 0, 40, 20), new Prediction(0, 0.7, 0, 0, 40, 20)),
                evaluation.found().getFirst());
        // Each class is found right once and wrong once, all with one score: cat is right first, owl wrong first.
        assertEquals((1 + 0.5) / 2, evaluation.coco().ap(), 1e-12);
        assertEquals(1, evaluation.yolo().recall(), 1e-9);
        assertEquals(evaluation.coco(), Evaluation.of(data, evaluation.found()).coco());
        assertThrows(IllegalArgumentException.class, () -> Evaluation.of(data, List.of()));
        assertThrows(DataSetException.class, () -> Evaluation.of(data, new WholeFrame(List.of("cat", "dog", "cow"))));
    }

    /** What cannot be read is left out, and the rest measures as it does alone. */
    @Test
    void imagesThatCannotBeReadAreLeftOut() throws IOException {
        DataSet sound = data();
        Evaluation alone = Evaluation.of(sound, new WholeFrame(List.of("cat", "owl")));
        Files.writeString(folder.resolve("c.png"), "no image");
        Files.writeString(folder.resolve("c.txt"), "1 0.5 0.5 1 1\n");
        Files.writeString(folder.resolve("data.yaml"), "val: [c.png, a.png, b.png]\nnames: [cat, owl]\n");
        DataSet data = DataSets.open(folder);
        Evaluation evaluation = Evaluation.of(data, new WholeFrame(List.of("cat", "owl")));
        assertEquals(alone.coco(), evaluation.coco());
        assertEquals(alone.yolo().map(), evaluation.yolo().map());
        assertEquals(2, evaluation.found().size());
        assertEquals(2, evaluation.data().samples().size());
        assertEquals(List.of(Problem.Kind.UNREADABLE_IMAGE),
                evaluation.data().problems().stream().map(Problem::kind).toList());
        assertEquals(alone.coco(), Evaluation.of(evaluation.data(), evaluation.found()).coco());
        for (String name : List.of("a.png", "b.png")) {
            Files.writeString(folder.resolve(name), "");
        }
        String message = assertThrows(DataSetException.class,
                () -> Evaluation.of(data, new WholeFrame(List.of("cat", "owl")))).getMessage();
        assertTrue(message.contains("none of the 3 images can be used, the first because of "), message);
    }

    /** A real network on real images, engine and all, against detections that another runtime made. */
    @Test
    void aRealNetworkMeasuresAsItsReferenceDetectionsDo() {
        DataSet all = DataSets.open(SharedFolder.file("data/coco/validation"));
        Path model = SharedFolder.file("models/yolov5n-640.onnx");
        List<List<Prediction>> reference = ResultsFile
                .read(SharedFolder.file("reference/coco/yolov5n-640-validation-detections.json.gz"), all).found();
        int images = 16;
        DataSet some = new DataSet(all.file(), all.categories(), all.samples().subList(0, images));
        // The reference was cut off at a score of 0.005.
        try (Detector detector = Detectors.open(model, Evaluation.DETECTOR_OPTIONS.withThresholds(0.005f, 0.6f))) {
            Evaluation measured = Evaluation.of(some, detector);
            Evaluation expected = Evaluation.of(some, reference.subList(0, images));
            assertEquals(expected.coco().ap(), measured.coco().ap(), 0.001);
            assertEquals(expected.coco().ap50(), measured.coco().ap50(), 0.001);
            assertEquals(expected.yolo().map(), measured.yolo().map(), 0.001);
        }
    }
}
