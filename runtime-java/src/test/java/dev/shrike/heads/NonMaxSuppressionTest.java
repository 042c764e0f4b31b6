package dev.shrike.heads;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class NonMaxSuppressionTest {
    @Test
    void keepsTheBestOfAPile() {
        Candidates boxes = new Candidates();
        boxes.addCentred(50, 50, 20, 20, 0.5f, 0);
        boxes.addCentred(51, 50, 20, 20, 0.9f, 0);
        boxes.addCentred(90, 90, 10, 10, 0.3f, 0);
        boxes.addCentred(50, 51, 20, 20, 0.7f, 1);
        assertEquals(List.of(1, 3, 2), run(new NonMaxSuppression(0.45f, false, 100), boxes));
        assertEquals(List.of(1, 2), run(new NonMaxSuppression(0.45f, true, 100), boxes));
        assertEquals(List.of(1, 3), run(new NonMaxSuppression(0.45f, false, 2), boxes));
    }

    @Test
    void suppressesAboveTheThresholdOnly() {
        Candidates boxes = new Candidates();
        boxes.addCentred(10, 10, 20, 20, 0.9f, 0);
        boxes.addCentred(10, 5, 20, 10, 0.8f, 0); // the upper half: IoU exactly 0.5
        assertEquals(List.of(0, 1), run(new NonMaxSuppression(0.5f, false, 9), boxes));
        assertEquals(List.of(0), run(new NonMaxSuppression(0.49f, false, 9), boxes));
    }

    @Test
    void equalScoresKeepTheirOrder() {
        Candidates boxes = new Candidates();
        for (int i = 0; i < 600; i++) {
            boxes.addCentred(100 * i, 50, 20, 20, 0.5f, 0);
        }
        List<Integer> kept = run(new NonMaxSuppression(0.45f, false, 1000), boxes);
        assertEquals(600, kept.size());
        for (int i = 0; i < 600; i++) {
            assertEquals(i, kept.get(i));
        }
    }

    @Test
    void equalsTheDefinition() {
        long seed = 77;
        Random random = new Random(seed);
        Candidates boxes = new Candidates();
        for (int round = 0; round < 200; round++) {
            boxes.clear();
            int count = random.nextInt(120);
            for (int i = 0; i < count; i++) {
                // few scores, so that there are ties
                boxes.addCentred(random.nextFloat() * 100, random.nextFloat() * 100, random.nextFloat() * 60,
                        random.nextFloat() * 60, (1 + random.nextInt(20)) / 20f, random.nextInt(3));
            }
            float threshold = random.nextFloat();
            boolean agnostic = random.nextBoolean();
            int most = 1 + random.nextInt(60);
            assertEquals(naive(boxes, threshold, agnostic, most),
                    run(new NonMaxSuppression(threshold, agnostic, most), boxes),
                    "seed " + seed + ", round " + round);
        }
    }

    @Test
    void takesTheBestThirtyThousand() {
        Candidates boxes = new Candidates();
        for (int i = 0; i < 30_010; i++) {
            boxes.addCentred(i % 200 * 10, i / 200 * 10, 4, 4, i < 10 ? 0.1f : 0.2f, 0);
        }
        List<Integer> kept = run(new NonMaxSuppression(0.45f, true, 100_000), boxes);
        assertEquals(30_000, kept.size());
        assertEquals(10, kept.getFirst());
    }

    @Test
    void nothingGivesNothing() {
        NonMaxSuppression suppression = new NonMaxSuppression(0.45f, false, 10);
        assertEquals(0, suppression.run(new Candidates()));
        assertThrows(IndexOutOfBoundsException.class, () -> suppression.kept(0));
    }

    private static List<Integer> run(NonMaxSuppression suppression, Candidates boxes) {
        int count = suppression.run(boxes);
        List<Integer> kept = new ArrayList<>();
        for (int rank = 0; rank < count; rank++) {
            kept.add(suppression.kept(rank));
        }
        return kept;
    }

    /** Straight from the definition: class by class, no offsets. */
    private static List<Integer> naive(Candidates boxes, float threshold, boolean agnostic, int most) {
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < boxes.size(); i++) {
            order.add(i);
        }
        order.sort(Comparator.comparing(boxes::score).reversed());
        List<Integer> kept = new ArrayList<>();
        for (int i : order) {
            boolean free = kept.stream().noneMatch(
                    k -> (agnostic || boxes.classId(k) == boxes.classId(i)) && overlap(boxes, i, k) > threshold);
            if (free && kept.size() < most) {
                kept.add(i);
            }
        }
        return kept;
    }

    private static double overlap(Candidates boxes, int a, int b) {
        double width = Math.min(boxes.x2(a), boxes.x2(b)) - Math.max(boxes.x1(a), boxes.x1(b));
        double height = Math.min(boxes.y2(a), boxes.y2(b)) - Math.max(boxes.y1(a), boxes.y1(b));
        double shared = Math.max(0, width) * Math.max(0, height);
        return shared / (area(boxes, a) + area(boxes, b) - shared);
    }

    private static double area(Candidates boxes, int a) {
        return ((double) boxes.x2(a) - boxes.x1(a)) * ((double) boxes.y2(a) - boxes.y1(a));
    }
}
