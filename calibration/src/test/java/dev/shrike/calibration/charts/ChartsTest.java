package dev.shrike.calibration.charts;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Frame;
import dev.shrike.calibration.data.Prediction;
import dev.shrike.calibration.data.GroundTruth;
import dev.shrike.calibration.metrics.ConfusionMatrix;
import dev.shrike.calibration.metrics.ImageResult;
import dev.shrike.calibration.metrics.YoloEvaluation;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("any-processor")
class ChartsTest {
    private static final int RED = 0xd00000;

    private static int pixel(Frame frame, int x, int y) {
        int colour = 0;
        for (int channel = 2; channel >= 0; channel--) {
            colour = colour << 8
                    | frame.pixels().get(ValueLayout.JAVA_BYTE, 3L * (y * frame.width() + x) + channel) & 255;
        }
        return colour;
    }

    private static int count(Frame frame, int colour) {
        int count = 0;
        for (int y = 0; y < frame.height(); y++) {
            for (int x = 0; x < frame.width(); x++) {
                count += pixel(frame, x, y) == colour ? 1 : 0;
            }
        }
        return count;
    }

    @Test
    void aCurveRunsWhereItsValuesAre() {
        Frame frame = CurveChart.draw("Title", "x", "y", List.of(new Series("one", new double[] {0.25, 0.25}, RED, 3)));
        // The area of the curves is 860 pixels high and wide, from (110, 70) on; a quarter up is 645 down.
        for (int x = 120; x < 960; x += 20) {
            assertEquals(RED, pixel(frame, x, 70 + 645), "at " + x);
        }
        int unnamed =
                count(CurveChart.draw("", "", "", List.of(new Series("", new double[] {0.25, 0.25}, RED, 3))), RED);
        assertTrue(unnamed >= 3 * 850, "only " + unnamed);
        assertTrue(count(frame, RED) > unnamed + 50, "the legend has no line");
        assertThrows(IllegalArgumentException.class, () -> new Series("", new double[1], RED, 1));
    }

    @Test
    void aFrontRunsThroughItsPoints() {
        int line = 0x1f77b4;
        Frame frame = FrontChart.draw("Title", "MACs", "mAP",
                List.of(new FrontChart.Point(0.5, 0.2), new FrontChart.Point(1, 0.4)));
        // The area is 700 pixels high and wide, from (120, 70) on; the highest point is at its top.
        assertEquals(line, pixel(frame, 120 + 350, 70 + 350));
        assertEquals(line, pixel(frame, 120 + 525, 70 + 175));
        assertEquals(line, pixel(frame, 120 + 699, 70 + 1));
        assertEquals(0, count(FrontChart.draw("", "", "", List.of()), line));
        assertTrue(count(FrontChart.draw("", "", "", List.of(new FrontChart.Point(0, 0))), line) > 10);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 20, 80, 300})
    void anyNumberOfClassesFits(int classes) {
        List<GroundTruth> truth = new ArrayList<>();
        List<Prediction> found = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (int c = 0; c < classes; c++) {
            names.add("a rather long name of class " + c);
            truth.add(GroundTruth.of(c, 100 * c, 0, 50, 50));
            found.add(new Prediction(c, 0.3 + 0.5 * c / classes, 100 * c, 0, 50, 30 + 20.0 * c / classes));
        }
        List<ImageResult> scenes = List.of(new ImageResult(truth, found));
        EvaluationCharts charts = new EvaluationCharts(YoloEvaluation.of(scenes, classes), names);
        for (Frame chart : List.of(charts.precisionRecall(), charts.f1(), charts.precision(), charts.recall(),
                charts.confusion(ConfusionMatrix.of(scenes, classes)))) {
            assertTrue(chart.width() > 300 && chart.width() < 8000, "width " + chart.width());
            assertTrue(count(chart, 0x202020) > 200, "no text and axes");
        }
    }

    @Test
    void nothingToMeasureStillGivesCharts() {
        EvaluationCharts charts = new EvaluationCharts(YoloEvaluation.of(List.of(), 1), List.of("a"));
        assertTrue(charts.precisionRecall().width() > 900);
        assertTrue(charts.confusion(ConfusionMatrix.of(List.of(), 1)).width() > 300);
    }

    @Test
    void cellsAreAsDarkAsTheirShare() {
        Frame frame = MatrixChart.draw(new int[][] {{3, 0}, {1, 0}}, List.of("a"));
        // 3/4 of the way from white to dark blue, then 1/4.
        assertTrue(count(frame, 0x466490) > 2000, "no cell of 0.75");
        assertTrue(count(frame, 0xc1cbda) > 2000, "no cell of 0.25");
        assertThrows(IllegalArgumentException.class, () -> MatrixChart.draw(new int[2][2], List.of()));
    }
}
