package dev.shrike.calibration.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.shrike.calibration.Evaluation;
import dev.shrike.calibration.data.DataSet;
import dev.shrike.calibration.data.DataSets;
import dev.shrike.calibration.data.ResultsFile;
import dev.shrike.testing.SharedFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** The twelve figures of real detections against those that pycocotools computed. */
class CocoAgreementTest {
    private static final List<String> NAMES = List.of(
            "AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large", "AR1", "AR10", "AR100", "AR_small", "AR_medium",
            "AR_large");

    @Test
    void theTwelveFiguresAreThoseOfPycocotools() throws IOException {
        Path detections = SharedFolder.file("reference/coco/yolov5n-640-validation-detections.json.gz");
        JsonNode expected = new ObjectMapper()
                .readTree(SharedFolder.file("reference/coco/yolov5n-640-validation-stats.json").toFile());
        DataSet data = DataSets.open(SharedFolder.file("data/coco/instances_validation.json"));
        ResultsFile.Results results = ResultsFile.read(detections, data);
        assertEquals(0, results.ignored());
        double[] figures = Evaluation.of(data, results.found()).coco().all();
        List<String> wanted = new ArrayList<>();
        List<String> measured = new ArrayList<>();
        for (int i = 0; i < figures.length; i++) {
            wanted.add(NAMES.get(i) + String.format(Locale.ROOT, " %.6f", expected.get(NAMES.get(i)).doubleValue()));
            measured.add(NAMES.get(i) + String.format(Locale.ROOT, " %.6f", figures[i]));
        }
        assertEquals(wanted, measured);
    }
}
