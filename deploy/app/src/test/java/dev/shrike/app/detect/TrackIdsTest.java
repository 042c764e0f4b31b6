package dev.shrike.app.detect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.StageTimes;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-processor")
class TrackIdsTest {
    private static final long FRAME = 40_000_000;

    private final TrackIds ids = new TrackIds(0.25f);

    private static Detections seen(Detection... all) {
        return new Detections(200, 100, Instant.EPOCH, new StageTimes(1, 2, 3), List.of(all));
    }

    private static Detection box(float score, float left) {
        return new Detection(0, "person", score, left, 10, left + 40, 60);
    }

    @Test
    void anObjectHasItsIdFromTheSecondFrameOnAndKeepsItWhenItGetsWeaker() {
        assertEquals(0, ids.update(seen(box(0.9f, 10)), FRAME).found().size());
        for (int i = 2; i < 10; i++) {
            TrackIds.Followed followed = ids.update(seen(box(i < 5 ? 0.9f : 0.12f, 10 + i)), i * FRAME);
            assertEquals(List.of(1L), followed.ids(), "frame " + i);
            assertEquals(1, followed.found().size());
        }
        // One that was weak from the beginning is nobody.
        for (int i = 10; i < 20; i++) {
            assertEquals(List.of(1L), ids.update(seen(box(0.9f, 20), box(0.12f, 120)), i * FRAME).ids());
        }
    }

    @Test
    void lostObjectsAreNotReportedAndHaveTheirIdWhenTheyAreBack() {
        ids.update(seen(box(0.9f, 10)), FRAME);
        ids.update(seen(box(0.9f, 10)), 2 * FRAME);
        TrackIds.Followed nothing = ids.update(seen(), 3 * FRAME);
        assertEquals(0, nothing.found().size());
        assertEquals(List.of(), nothing.ids());
        assertEquals(List.of(1L), ids.update(seen(box(0.9f, 10)), 4 * FRAME).ids());
    }

    @Test
    void bestComesFirstAndBoxesStayInsideTheFrame() {
        for (int i = 1; i < 5; i++) {
            TrackIds.Followed followed = ids.update(seen(box(0.9f, 170), box(0.8f, 10)), i * FRAME);
            for (Detection one : followed.found()) {
                assertTrue(one.x1() >= 0 && one.x2() <= 200 && one.y1() >= 0 && one.y2() <= 100, one.toString());
            }
            if (i > 1) {
                assertEquals(List.of(0.9f, 0.8f), followed.found().list().stream().map(Detection::score).toList());
                assertEquals("id:" + followed.ids().getFirst() + " person",
                        followed.labelled().list().getFirst().label());
                assertTrue(LabelFile.text(followed, false).lines().findFirst().orElseThrow()
                        .endsWith(" " + followed.ids().getFirst()));
            }
        }
    }

    @Test
    void theDetectorIsAskedForWhatTracksGoOnWith() {
        assertEquals(0.1f, TrackIds.least(0.25f));
        assertEquals(0.05f, TrackIds.least(0.05f));
    }

    @Test
    void eachObjectHasOneId() {
        assertThrows(IllegalArgumentException.class, () -> new TrackIds.Followed(seen(box(0.5f, 1)), List.of(1L, 2L)));
    }
}
