package dev.shrike.heads;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SoftNonMaxSuppressionTest {
    /** IoU of the first two: 0.5. */
    private static Candidates pile() {
        Candidates boxes = new Candidates();
        boxes.addCentred(10, 10, 20, 20, 0.9f, 0);
        boxes.addCentred(10, 5, 20, 10, 0.8f, 0);
        boxes.addCentred(10, 10, 20, 20, 0.7f, 1);
        boxes.addCentred(90, 90, 10, 10, 0.6f, 0);
        return boxes;
    }

    @Test
    void lowersScoresByTheOverlap() {
        Candidates linear = pile();
        assertEquals(List.of(0, 2, 3, 1), run(new SoftNonMaxSuppression(SoftNms.LINEAR, 0.5f, 0.1f, false, 9), linear));
        assertEquals(0.8f * 0.5f, linear.score(1), 1e-6);
        assertEquals(0.7f, linear.score(2), "another class");
        Candidates untouched = pile();
        assertEquals(List.of(0, 1, 2, 3),
                run(new SoftNonMaxSuppression(SoftNms.LINEAR, 0.51f, 0.1f, false, 9), untouched));
        Candidates gaussian = pile();
        assertEquals(List.of(0, 2, 3, 1),
                run(new SoftNonMaxSuppression(SoftNms.GAUSSIAN, 0.5f, 0.1f, false, 9), gaussian));
        assertEquals(0.8 * Math.exp(-0.25 / 0.5), gaussian.score(1), 1e-6);
        Candidates agnostic = pile();
        assertEquals(List.of(0, 3, 1), run(new SoftNonMaxSuppression(SoftNms.LINEAR, 0.5f, 0.1f, true, 9), agnostic));
        assertEquals(List.of(0, 2), run(new SoftNonMaxSuppression(SoftNms.LINEAR, 0.5f, 0.1f, false, 2), pile()));
        assertEquals(List.of(0, 2, 3), run(new SoftNonMaxSuppression(SoftNms.LINEAR, 0.5f, 0.4f, false, 9), pile()),
                "scores at the threshold are dropped");
    }

    /** The paper's algorithm, word by word: take the best out, lower all others. */
    @Test
    void equalsTheDefinition() {
        long seed = 78;
        Random random = new Random(seed);
        for (int round = 0; round < 300; round++) {
            SoftNms kind = round % 2 == 0 ? SoftNms.LINEAR : SoftNms.GAUSSIAN;
            float threshold = random.nextFloat();
            float confidence = random.nextFloat() / 3;
            Candidates boxes = new Candidates();
            List<double[]> open = new ArrayList<>();
            int count = random.nextInt(80);
            for (int i = 0; i < count; i++) {
                boxes.addCentred(random.nextInt(100), random.nextInt(100), 1 + random.nextInt(60),
                        1 + random.nextInt(60), random.nextFloat(), random.nextInt(3));
                if (boxes.score(i) > confidence) {
                    open.add(new double[] {i, boxes.score(i)});
                }
            }
            List<Integer> expected = new ArrayList<>();
            List<Double> scores = new ArrayList<>();
            while (!open.isEmpty()) {
                double[] best = open.getFirst();
                for (double[] other : open) {
                    best = other[1] > best[1] ? other : best;
                }
                open.remove(best);
                expected.add((int) best[0]);
                scores.add(best[1]);
                for (double[] other : open) {
                    double overlap = overlap(boxes, (int) best[0], (int) other[0]);
                    boolean linear = kind == SoftNms.LINEAR;
                    double weight = !linear ? Math.exp(-overlap * overlap / 0.5)
                            : overlap >= threshold ? 1 - overlap : 1;
                    other[1] *= boxes.classId((int) best[0]) == boxes.classId((int) other[0]) ? weight : 1;
                }
                open.removeIf(other -> !(other[1] > confidence));
            }
            assertEquals(expected, run(new SoftNonMaxSuppression(kind, threshold, confidence, false, 1000), boxes),
                    "seed " + seed + ", round " + round);
            for (int i = 0; i < expected.size(); i++) {
                assertEquals(scores.get(i), boxes.score(expected.get(i)), 1e-5);
            }
        }
    }

    private static double overlap(Candidates boxes, int a, int b) {
        double width = Math.min(boxes.x2(a), boxes.x2(b)) - Math.max(boxes.x1(a), boxes.x1(b));
        double height = Math.min(boxes.y2(a), boxes.y2(b)) - Math.max(boxes.y1(a), boxes.y1(b));
        double both = Math.max(0, width) * Math.max(0, height);
        return both / (area(boxes, a) + area(boxes, b) - both);
    }

    private static double area(Candidates boxes, int i) {
        return (double) (boxes.x2(i) - boxes.x1(i)) * (boxes.y2(i) - boxes.y1(i));
    }

    private static List<Integer> run(Suppression suppression, Candidates boxes) {
        List<Integer> kept = new ArrayList<>();
        int count = suppression.run(boxes);
        for (int rank = 0; rank < count; rank++) {
            kept.add(suppression.kept(rank));
        }
        assertThrows(IndexOutOfBoundsException.class, () -> suppression.kept(count));
        return kept;
    }

    @Test
    void refusesSettingsWithoutSense() {
        assertThrows(IllegalArgumentException.class, () -> new SoftNonMaxSuppression(SoftNms.OFF, 0, 0, false, 1));
        assertThrows(IllegalArgumentException.class,
                () -> new SoftNonMaxSuppression(SoftNms.LINEAR, Float.NaN, 0, false, 1));
        assertThrows(IllegalArgumentException.class, () -> new SoftNonMaxSuppression(SoftNms.LINEAR, 0, 0, false, 0));
        assertThrows(IllegalArgumentException.class, () -> SoftNms.of("hard"));
        assertEquals(SoftNms.GAUSSIAN, SoftNms.of(" Gaussian "));
    }
}
