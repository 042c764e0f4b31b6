package dev.shrike.calibration.metrics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.calibration.data.Prediction;
import dev.shrike.calibration.data.GroundTruth;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CocoEvaluationTest {
    private static final double EXACT = 1e-12;

    /** A box of 50x50 pixels, a medium one, at a place of its own. */
    private static GroundTruth object(int place) {
        return GroundTruth.of(0, 100 * place, 0, 50, 50);
    }

    private static Prediction found(int place, double score) {
        return new Prediction(0, score, 100 * place, 0, 50, 50);
    }

    private static CocoMetrics measure(List<GroundTruth> truth, Prediction... found) {
        return CocoEvaluation.of(List.of(new ImageResult(truth, List.of(found))), 1);
    }

    @Test
    void rightWrongRightGivesThePrecisionsOfTheDefinition() {
        // Right, wrong, right of two objects: precision 1 up to recall 0.5 (51 of 101 points), then 2/3.
        CocoMetrics figures = measure(List.of(object(0), object(1)), found(0, 0.9), found(5, 0.8), found(1, 0.7));
        double expected = (51 + 50 * 2.0 / 3) / 101;
        assertEquals(expected, figures.ap(), EXACT);
        assertEquals(expected, figures.ap50(), EXACT);
        assertEquals(0.5, figures.ar1(), EXACT);
        assertEquals(1, figures.ar100(), EXACT);
    }

    @Test
    void anObjectThatIsMissedEndsTheCurve() {
        CocoMetrics figures = measure(List.of(object(0), object(1), object(2), object(3)), found(2, 0.5));
        assertEquals(26.0 / 101, figures.ap(), EXACT);
        assertEquals(0.25, figures.ar100(), EXACT);
    }

    @Test
    void theOverlapDecidesAtWhichThresholdsADetectionIsRight() {
        // 50x50 against 50x40 of it: IoU 0.8, right at 0.50 … 0.80, that is 7 of 10 thresholds.
        CocoMetrics figures = measure(List.of(object(0)), new Prediction(0, 0.5, 0, 0, 50, 40));
        assertEquals(0.7, figures.ap(), EXACT);
        assertEquals(1, figures.ap75(), EXACT);
        assertEquals(0.7, figures.ar1(), EXACT);
        // IoU 0.5 exactly is enough.
        assertEquals(1, measure(List.of(object(0)), new Prediction(0, 0.5, 0, 0, 50, 25)).ap50(), EXACT);
        assertEquals(0, measure(List.of(object(0)), new Prediction(0, 0.5, 0, 0, 50, 24.99)).ap50(), EXACT);
    }

    @Test
    void aSecondDetectionOfOneObjectIsWrong() {
        // The better score takes the object even where the other one overlaps more.
        Prediction loose = new Prediction(0, 0.9, 0, 0, 50, 40);
        CocoMetrics figures = measure(List.of(object(0), object(1)), loose, found(0, 0.8), found(1, 0.7));
        assertEquals((51 + 50 * 2.0 / 3) / 101, figures.ap50(), EXACT);
    }

    @Test
    void whatIsFoundInACrowdCountsNeitherWay() {
        GroundTruth crowd = new GroundTruth(0, 500, 500, 200, 200, 40_000, true);
        Prediction inside = new Prediction(0, 0.95, 510, 510, 30, 30);
        Prediction insideToo = new Prediction(0, 0.94, 600, 600, 30, 30);
        CocoMetrics figures = measure(List.of(crowd, object(0)), inside, insideToo, found(0, 0.5));
        assertEquals(1, figures.ap(), EXACT);
        assertEquals(1, figures.ar100(), EXACT);
        // The best one only is in the crowd, and so is nothing.
        assertEquals(0, figures.ar1(), EXACT);
        // Half outside it is wrong from IoU 0.55 on.
        Prediction half = new Prediction(0, 0.95, 685, 510, 30, 30);
        CocoMetrics halves = measure(List.of(crowd, object(0)), half, found(0, 0.5));
        assertEquals(1, halves.ap50(), EXACT);
        assertEquals((1 + 9 * 0.5) / 10, halves.ap(), EXACT);
    }

    @Test
    void aRealObjectIsPreferredToACrowd() {
        GroundTruth crowd = new GroundTruth(0, 0, 0, 50, 50, 2500, true);
        Prediction loose = new Prediction(0, 0.9, 0, 0, 50, 40);
        assertEquals(1, measure(List.of(crowd, object(0)), loose).ap50(), EXACT);
        assertEquals(1, measure(List.of(crowd, object(0)), loose).ar1() / 0.7, EXACT);
    }

    @Test
    void objectsAndDetectionsOfAnotherSizeAreIgnored() {
        GroundTruth small = GroundTruth.of(0, 0, 0, 20, 20);
        GroundTruth large = GroundTruth.of(0, 300, 300, 100, 100);
        Prediction smallFound = new Prediction(0, 0.9, 0, 0, 20, 20);
        Prediction largeWrong = new Prediction(0, 0.95, 800, 800, 200, 200);
        CocoMetrics figures = measure(List.of(small, large), smallFound, largeWrong);
        assertEquals(1, figures.apSmall(), EXACT);
        assertEquals(1, figures.arSmall(), EXACT);
        assertEquals(-1, figures.apMedium());
        assertEquals(-1, figures.arMedium());
        assertEquals(0, figures.apLarge(), EXACT);
        assertEquals(51 * 0.5 / 101, figures.ap(), EXACT);
        // Both limits belong to both ranges; the area of the annotation decides, not that of the box.
        CocoMetrics edge = measure(List.of(new GroundTruth(0, 0, 0, 50, 50, 32 * 32, false)), found(0, 0.5));
        assertEquals(1, edge.apSmall(), EXACT);
        assertEquals(1, edge.apMedium(), EXACT);
        assertEquals(-1, edge.apLarge());
    }

    @Test
    void betweenEqualScoresTheEarlierDetectionAndImageComesFirst() {
        List<GroundTruth> two = List.of(object(0), object(1));
        double wrongFirst = measure(two, found(5, 0.5), found(0, 0.5), found(1, 0.5)).ap();
        double rightFirst = measure(two, found(0, 0.5), found(1, 0.5), found(5, 0.5)).ap();
        assertEquals(2.0 / 3, wrongFirst, EXACT);
        assertEquals(1, rightFirst, EXACT);
        ImageResult right = new ImageResult(List.of(object(0)), List.of(found(0, 0.5)));
        ImageResult wrong = new ImageResult(List.of(object(0)), List.of(found(3, 0.5)));
        assertEquals(51.0 / 101, CocoEvaluation.of(List.of(right, wrong), 1).ap(), EXACT);
        assertEquals(51 * 0.5 / 101, CocoEvaluation.of(List.of(wrong, right), 1).ap(), EXACT);
        assertArrayEquals(new int[] {2, 0, 1, 3}, StableArgsort.best(new double[] {0.0, -0.0, 0.5, -1}));
    }

    @Test
    void nothingFoundIsZeroAndNothingToFindIsMinusOne() {
        CocoMetrics missed = measure(List.of(object(0)));
        assertEquals(0, missed.ap());
        assertEquals(0, missed.ar100());
        for (CocoMetrics empty : List.of(measure(List.of()), measure(List.of(), found(0, 0.9)),
                measure(List.of(new GroundTruth(0, 0, 0, 50, 50, 2500, true)), found(0, 0.9)),
                CocoEvaluation.of(List.of(), 3))) {
            assertTrue(Arrays.stream(empty.all()).allMatch(figure -> figure == -1), empty.toString());
        }
    }

    @Test
    void classesWithoutObjectsDoNotCount() {
        ImageResult scene = new ImageResult(
                List.of(object(0), new GroundTruth(2, 0, 0, 50, 50, 2500, false)),
                List.of(found(0, 0.9), new Prediction(1, 0.99, 0, 0, 50, 50)));
        CocoMetrics figures = CocoEvaluation.of(List.of(scene), 3);
        assertEquals(0.5, figures.ap(), EXACT);
        assertEquals(
                List.of(new CocoMetrics.OfClass(1, 1), new CocoMetrics.OfClass(-1, -1), new CocoMetrics.OfClass(0, 0)),
                rounded(figures.classes()));
    }

    private static List<CocoMetrics.OfClass> rounded(List<CocoMetrics.OfClass> classes) {
        return classes.stream()
                .map(one -> new CocoMetrics.OfClass(Math.rint(one.ap() * 1e9) / 1e9, Math.rint(one.ap50() * 1e9) / 1e9))
                .toList();
    }

    @Test
    void onlyTheBestHundredOfAClassCount() {
        List<GroundTruth> truth = new ArrayList<>();
        List<Prediction> found = new ArrayList<>();
        for (int i = 0; i < 150; i++) {
            truth.add(object(i));
            found.add(found(i, 1 - i / 200.0));
        }
        CocoMetrics figures = CocoEvaluation.of(List.of(new ImageResult(truth, found)), 1);
        assertEquals(1 / 150.0, figures.ar1(), EXACT);
        assertEquals(10 / 150.0, figures.ar10(), EXACT);
        assertEquals(100 / 150.0, figures.ar100(), EXACT);
        assertEquals(67.0 / 101, figures.ap(), EXACT);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void findingExactlyWhatIsThereIsPerfect(long seed) {
        List<ImageResult> scenes = new ArrayList<>();
        for (ImageResult scene : randomScenes(new Random(seed))) {
            List<Prediction> found = scene.truth().stream().filter(box -> !box.crowd())
                    .map(box -> new Prediction(box.classId(), 0.5, box.x(), box.y(), box.width(), box.height()))
                    .toList();
            scenes.add(new ImageResult(scene.truth(), found));
        }
        CocoMetrics figures = CocoEvaluation.of(scenes, 3);
        for (double figure : new double[] {figures.ap(), figures.ap50(), figures.ap75(), figures.ar100()}) {
            assertEquals(1, figure, 1e-9, "seed " + seed);
        }
        YoloMetrics yolo = YoloEvaluation.of(scenes, 3);
        // The interpolated curve falls to 0 at recall 1 exactly: half of one of a hundred steps is lost.
        assertEquals(0.995, yolo.map(), 1e-9, "seed " + seed);
        assertEquals(1, yolo.precision(), 1e-9, "seed " + seed);
        assertEquals(1, yolo.recall(), 1e-9, "seed " + seed);
    }

    @ParameterizedTest
    @ValueSource(longs = {11, 12, 13, 14, 15, 16})
    void theOrderOfImagesAndDetectionsDoesNotMatter(long seed) {
        Random random = new Random(seed);
        List<ImageResult> scenes = randomScenes(random);
        List<ImageResult> shuffled = new ArrayList<>();
        for (ImageResult scene : scenes) {
            List<Prediction> found = new ArrayList<>(scene.found());
            Collections.shuffle(found, random);
            List<GroundTruth> truth = new ArrayList<>(scene.truth());
            Collections.shuffle(truth, random);
            shuffled.add(new ImageResult(truth, found));
        }
        Collections.shuffle(shuffled, random);
        CocoMetrics before = CocoEvaluation.of(scenes, 3);
        assertArrayEquals(before.all(), CocoEvaluation.of(shuffled, 3).all(), EXACT, "seed " + seed);
        assertTrue(before.ap() > 0.05 && before.ap() < 0.95, "a telling case: " + before.ap());
        assertEquals(YoloEvaluation.of(scenes, 3).map(), YoloEvaluation.of(shuffled, 3).map(), EXACT, "seed " + seed);
        assertArrayEquals(
                ConfusionMatrix.of(scenes, 3).counts(), ConfusionMatrix.of(shuffled, 3).counts(), "seed " + seed);
    }

    /** Images with objects of three classes, and detections near some of them; no two scores are equal. */
    private static List<ImageResult> randomScenes(Random random) {
        List<ImageResult> scenes = new ArrayList<>();
        for (int image = 0; image < 12; image++) {
            List<GroundTruth> truth = new ArrayList<>();
            List<Prediction> found = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                double side = 10 + 130 * random.nextDouble();
                double x = 160 * i;
                int classId = image == 0 && i < 3 ? i : random.nextInt(3);
                boolean crowd = i > 5 && random.nextInt(4) == 0;
                truth.add(new GroundTruth(classId, x, 0, side, side, side * side * 0.8, crowd));
                for (int k = random.nextInt(3); k > 0; k--) {
                    int named = random.nextInt(5) == 0 ? random.nextInt(3) : classId;
                    double shift = side * 0.3 * random.nextDouble();
                    found.add(new Prediction(named, random.nextDouble(), x + shift, shift, side, side));
                }
            }
            scenes.add(new ImageResult(truth, found));
        }
        return scenes;
    }
}
