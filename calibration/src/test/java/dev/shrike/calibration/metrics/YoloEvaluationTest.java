package dev.shrike.calibration.metrics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.shrike.calibration.data.Prediction;
import dev.shrike.calibration.data.GroundTruth;
import java.util.List;
import org.junit.jupiter.api.Test;

class YoloEvaluationTest {
    private static final double EXACT = 1e-12;

    private static GroundTruth object(int classId, int place) {
        return GroundTruth.of(classId, 100 * place, 0, 50, 50);
    }

    private static Prediction found(int classId, int place, double score) {
        return new Prediction(classId, score, 100 * place, 0, 50, 50);
    }

    private static YoloMetrics measure(int classes, List<GroundTruth> truth, Prediction... found) {
        return YoloEvaluation.of(List.of(new ImageResult(truth, List.of(found))), classes);
    }

    @Test
    void theAreaBelowTheInterpolatedEnvelope() {
        // Right, wrong, right of two objects. Envelope: (0, 1) (0.5, 1) (0.5, 2/3) (1, 2/3), and 0 at recall 1 itself.
        // At recall 0.5 the last point counts: 49 whole steps, one down to 2/3, 49 at 2/3, one down to 0.
        YoloMetrics figures = measure(
                1, List.of(object(0, 0), object(0, 1)), found(0, 0, 0.9), found(0, 5, 0.8), found(0, 1, 0.7));
        double third = 2.0 / 3;
        double expected = (49 + (1 + third) / 2 + 49 * third + third / 2) / 100;
        assertEquals(expected, figures.map50(), 1e-9);
        assertEquals(expected, figures.map(), 1e-9);
        assertEquals(2, figures.objects());
    }

    @Test
    void precisionAndRecallAreThoseAtTheBestF1() {
        // Above 0.7: one right of two (F1 1/2 at most between); from 0.7 down: three, two of them right.
        YoloMetrics figures = measure(
                1, List.of(object(0, 0), object(0, 1)), found(0, 0, 0.9), found(0, 5, 0.2), found(0, 1, 0.7));
        assertEquals(1, figures.recall(), 1e-9);
        // Between two scores the curve is interpolated; at the threshold chosen only right ones are above it.
        assertEquals(true, figures.confidence() > 0.2 && figures.confidence() < 0.75, "" + figures.confidence());
        assertEquals(true, figures.precision() > 0.8, "" + figures.precision());
    }

    @Test
    void ofSeveralDetectionsTheBestScoredIsRight() {
        // The weaker one overlaps fully, the better one at IoU 0.8: at 0.50 … 0.80 the better one wins.
        Prediction loose = new Prediction(0, 0.9, 0, 0, 50, 40);
        YoloMetrics figures = measure(1, List.of(object(0, 0)), found(0, 0, 0.5), loose);
        assertEquals(0.995, figures.map50(), 1e-9);
        // Above, the loose one is wrong and the other one right: precision 1/2, interpolated from (0, 1/2).
        assertEquals((7 * 0.995 + 3 * 0.4975) / 10, figures.map(), 1e-9);
    }

    @Test
    void aDetectionIsForTheObjectOfItsClassThatItOverlapsMost() {
        GroundTruth near = GroundTruth.of(0, 10, 0, 50, 50);
        YoloMetrics figures = measure(2, List.of(near, object(0, 0), object(1, 0)), found(0, 0, 0.9), found(0, 0, 0.8));
        // The second one is for the same object, though the near one at IoU 2/3 is free.
        assertEquals(1, figures.classes().getFirst().objects() - 1);
        assertEquals(0.5, figures.classes().getFirst().recall(), 1e-9);
    }

    @Test
    void classesWithoutFindsCountAsZeroAndOnesWithoutObjectsNotAtAll() {
        YoloMetrics figures = measure(3, List.of(object(0, 0), object(2, 1)), found(0, 0, 0.9), found(1, 3, 0.99));
        assertEquals(0.995 / 2, figures.map50(), 1e-9);
        assertEquals(0.5, figures.recall(), 1e-9);
        assertEquals(List.of(0, 2), figures.classes().stream().map(YoloMetrics.OfClass::classId).toList());
        assertNull(figures.classes().get(1).curves());
    }

    @Test
    void crowdsAreLeftOut() {
        GroundTruth crowd = new GroundTruth(0, 500, 500, 200, 200, 40_000, true);
        YoloMetrics figures = measure(1, List.of(crowd, object(0, 0)), found(0, 0, 0.9));
        assertEquals(1, figures.objects());
        assertEquals(0.995, figures.map(), 1e-9);
    }

    @Test
    void nothingToFindGivesZeros() {
        YoloMetrics figures = measure(2, List.of(), found(0, 0, 0.9));
        assertEquals(0, figures.map());
        assertEquals(List.of(), figures.classes());
        assertEquals(0, YoloEvaluation.of(List.of(), 2).images());
    }

    @Test
    void interpolationAndSmoothing() {
        double[] xs = {0, 0.5, 0.5, 1};
        double[] ys = {1, 1, 0.5, 0};
        assertEquals(0.25, Interpolation.at(0.75, xs, ys, 7), EXACT);
        assertEquals(0.5, Interpolation.at(0.5, xs, ys, 7), EXACT);
        assertEquals(1, Interpolation.at(0.49, xs, ys, 7), EXACT);
        assertEquals(7, Interpolation.at(-0.1, xs, ys, 7), EXACT);
        assertEquals(0, Interpolation.at(2, xs, ys, 7), EXACT);
        assertArrayEquals(new double[] {1, 2, 4, 5}, Interpolation.smooth(new double[] {0, 3, 3, 6}, 3), EXACT);
    }

    @Test
    void theMatrixPairsRegardlessOfClassAndNamesTheBackground() {
        List<GroundTruth> truth = List.of(object(0, 0), object(0, 1), object(1, 2), object(1, 3));
        List<Prediction> found = List.of(
                found(0, 0, 0.9),
                found(1, 1, 0.9),
                new Prediction(0, 0.8, 200, 0, 50, 40),
                found(1, 2, 0.3),
                found(1, 8, 0.9),
                found(1, 3, 0.25));
        int[][] counts = ConfusionMatrix.of(List.of(new ImageResult(truth, found)), 2).counts();
        // Object 2 goes to the detection that overlaps it most; its rival and the one at place 8 are on background.
        assertArrayEquals(new int[] {1, 0, 1}, counts[0]);
        assertArrayEquals(new int[] {1, 1, 1}, counts[1]);
        // The last object was found with a score of no more than 0.25, so it counts as missed.
        assertArrayEquals(new int[] {0, 1, 0}, counts[2]);
        int[][] alone = ConfusionMatrix.of(List.of(new ImageResult(List.of(), List.of(found(1, 0, 0.5)))), 2).counts();
        assertEquals(1, alone[1][2]);
    }
}
