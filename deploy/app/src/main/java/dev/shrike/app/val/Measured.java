package dev.shrike.app.val;

import dev.shrike.StageTimes;
import dev.shrike.calibration.Evaluation;
import dev.shrike.calibration.data.Census;
import dev.shrike.calibration.metrics.CocoMetrics;
import dev.shrike.calibration.metrics.YoloMetrics;
import java.nio.file.Path;
import java.util.List;

/**
 * What one run measured.
 *
 * @param source the model or results file
 * @param data file of the data set
 * @param engine what ran the model; empty if none ran
 * @param width width of the network's input in pixels, 0 if none ran
 * @param height height of the network's input in pixels, 0 if none ran
 * @param names names of the classes, by class id
 * @param yolo YOLOv5's figures
 * @param coco COCO's figures
 * @param times mean times of the stages per image
 * @param census what the data set consists of, with what was left out
 */
record Measured(
        Path source,
        Path data,
        String engine,
        int width,
        int height,
        List<String> names,
        YoloMetrics yolo,
        CocoMetrics coco,
        StageTimes times,
        Census census) {

    static Measured of(Path source, String engine, int width, int height, Evaluation evaluation) {
        return new Measured(
                source,
                evaluation.data().file(),
                engine,
                width,
                height,
                evaluation.data().names(),
                evaluation.yolo(),
                evaluation.coco(),
                evaluation.times(),
                evaluation.data().census());
    }

    /** Whether a model ran, so that there are times. */
    boolean ran() {
        return !engine.isEmpty();
    }
}
