package dev.shrike.app;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.Detector;
import dev.shrike.Detectors;
import dev.shrike.Frame;
import java.io.IOException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** From an image file to boxes through the real engine, against detections recorded with other software. */
class DetectionAgreementTest {
    @ParameterizedTest
    @CsvSource({"yolov5n-640, bus", "yolov5n-640, zidane", "yolov5s-640, bus", "yolov5s-640, zidane"})
    void detectionsEqualTheRecordedOnes(String model, String image) throws IOException {
        JsonNode expected = new ObjectMapper()
                .readTree(Repository.shared().resolve("reference/" + model + "-" + image + "-det.json").toFile())
                .get("detections");
        Frame frame = Frame.read(Repository.shared().resolve("reference/" + image + ".jpg"));
        try (Detector detector = Detectors.open(Repository.shared().resolve("models/" + model + ".onnx"))) {
            Detections found = detector.detect(frame);
            assertEquals(expected.size(), found.size(), found.toString());
            for (int i = 0; i < found.size(); i++) {
                assertSame(expected.get(i), found.list().get(i));
            }
        }
    }

    private static void assertSame(JsonNode expected, Detection found) {
        assertEquals(expected.get("cls").asInt(), found.classId());
        assertEquals(expected.get("name").asText(), found.label());
        assertEquals(expected.get("conf").asDouble(), found.score(), 1e-3);
        JsonNode box = expected.get("xyxy_image");
        float[] corners = {found.x1(), found.y1(), found.x2(), found.y2()};
        for (int i = 0; i < 4; i++) {
            assertEquals(box.get(i).asDouble(), corners[i], 0.1);
        }
    }
}
