package dev.shrike.tracking;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-processor")
class MotMetricsTest {
    private static MotMetrics.Box box(long id, double x) {
        return new MotMetrics.Box(id, x, 0, x + 10, 10);
    }

    @Test
    void countsWhatIsMissedInventedAndSwitched() {
        MotMetrics metrics = new MotMetrics(.5);
        metrics.add(List.of(box(1, 0), box(2, 100)), List.of(box(7, 0), box(8, 101)));
        metrics.add(List.of(box(1, 0), box(2, 100)), List.of(box(7, 2)));
        metrics.add(List.of(box(1, 0), box(2, 100)), List.of(box(9, 0), box(8, 106), box(3, 300)));
        MotMetrics.Summary summary = metrics.summary();
        // The third frame: 1 goes over to 9, 8 is .25 off, 3 is nobody.
        assertEquals(new MotMetrics.Summary(6, 4, 2, 2, 1, 3, 6), summary);
        assertEquals(1 - 5 / 6.0, summary.mota(), 1e-12);
        assertEquals(.5, summary.idf1(), 1e-12);
    }

    @Test
    void keepsAMatchWhereAnotherTrackIsNearer() {
        MotMetrics metrics = new MotMetrics(.5);
        metrics.add(List.of(box(1, 0)), List.of(box(7, 0)));
        metrics.add(List.of(box(1, 0)), List.of(box(8, 0), box(7, 2)));
        assertEquals(new MotMetrics.Summary(2, 2, 1, 0, 0, 2, 3), metrics.summary());
    }

    @Test
    void countsASwitchAfterAGap() {
        MotMetrics metrics = new MotMetrics(.5);
        metrics.add(List.of(box(1, 0)), List.of(box(7, 0)));
        metrics.add(List.of(box(1, 0)), List.of());
        metrics.add(List.of(), List.of());
        metrics.add(List.of(box(1, 0)), List.of(box(8, 0)));
        assertEquals(new MotMetrics.Summary(3, 2, 0, 1, 1, 1, 2), metrics.summary());
    }

    @Test
    void matchesAsManyAsPossible() {
        MotMetrics metrics = new MotMetrics(.5);
        // The best single pair is (1, 7), but then 2 has none: 1 goes to 8 and 2 to 7.
        metrics.add(List.of(box(1, 0), box(2, 3)), List.of(box(7, 0), box(8, -3)));
        assertEquals(2, metrics.summary().matches());
    }

    @Test
    void isPerfectForTheTruthAndRefusesOtherThresholds() {
        ImageResult scene = new ImageResult(8, 0, 0);
        MotMetrics metrics = new MotMetrics(.5);
        for (int frame = 0; frame < 100; frame++) {
            metrics.add(scene.truth(frame / 10.0), scene.truth(frame / 10.0));
        }
        assertEquals(1, metrics.summary().mota());
        assertEquals(1, metrics.summary().idf1());
        assertThrows(IllegalArgumentException.class, () -> new MotMetrics(0));
        assertThrows(IllegalArgumentException.class, () -> new MotMetrics(Double.NaN));
    }
}
