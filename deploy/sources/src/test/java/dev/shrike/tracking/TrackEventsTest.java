package dev.shrike.tracking;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Detection;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-processor")
class TrackEventsTest {
    private final List<TrackEvent> told = new ArrayList<>();

    private TrackEvents events(EventOptions options) {
        return new TrackEvents("yard", new ByteTracker(TrackerOptions.DEFAULT), options, told::add);
    }

    private static long at(double seconds) {
        return Math.round(seconds * ImageResult.SECOND);
    }

    private static Detection car(double x) {
        return new Detection(2, "car", .9f, (float) x, 100, (float) x + 100, 160);
    }

    private List<TrackEvent.Kind> kinds() {
        return told.stream().map(TrackEvent::kind).toList();
    }

    @Test
    void tellsNothingBeforeEnoughHits() {
        try (TrackEvents events = events(EventOptions.DEFAULT)) {
            events.update(List.of(car(0)), at(0));
            events.update(List.of(car(0)), at(.1));
            assertEquals(List.of(), told);
            for (int frame = 2; frame < 40; frame++) {
                events.update(List.of(), at(frame * .1));
            }
            assertEquals(List.of(), told, "seen twice and gone");
            for (int frame = 0; frame < 3; frame++) {
                events.update(List.of(car(300)), at(10 + frame * .1));
            }
            assertEquals(List.of(TrackEvent.Kind.NEW), kinds());
            assertEquals(3, told.getFirst().track().hits());
            assertEquals(at(10), told.getFirst().track().firstNanos());
            assertEquals(at(10.2), told.getFirst().nanos());
            assertEquals("yard", told.getFirst().camera());
        }
        assertEquals(List.of(TrackEvent.Kind.NEW, TrackEvent.Kind.END), kinds());
    }

    @Test
    void isSilentAboutAParkedCar() {
        Random random = new Random(1);
        try (TrackEvents events = events(new EventOptions(3, .25, .5, 60))) {
            for (int frame = 0; frame < 10 * 600; frame++) {
                double jitter = 4 * random.nextGaussian();
                // One frame in ten misses it, one in ten sees it badly.
                List<Detection> seen = frame % 10 == 5 ? List.of()
                        : List.of(new Detection(2, "car", frame % 10 == 7 ? .2f : .9f, (float) (200 + jitter), 100,
                                (float) (300 + jitter), 160));
                events.update(seen, at(frame * .1));
            }
            assertEquals(TrackEvent.Kind.NEW, told.getFirst().kind());
            assertEquals(10, told.size(), "a sign of life a minute for 10 minutes");
        }
        told.clear();
        try (TrackEvents events = events(new EventOptions(3, .25, .5, 0))) {
            for (int frame = 0; frame < 6000; frame++) {
                events.update(List.of(car(200)), at(frame * .1));
            }
            assertEquals(1, told.size());
        }
    }

    @Test
    void tellsOfAMovingCarButNotWithEachFrame() {
        try (TrackEvents events = events(EventOptions.DEFAULT)) {
            for (int frame = 0; frame <= 300; frame++) {
                events.update(List.of(car(frame * 5)), at(frame / 30.0));
            }
        }
        assertEquals(TrackEvent.Kind.NEW, kinds().getFirst());
        assertEquals(TrackEvent.Kind.END, kinds().getLast());
        // 10 s, twice a second at most.
        assertTrue(told.size() > 12 && told.size() <= 22, told.size() + " events");
        for (int i = 2; i < told.size() - 1; i++) {
            assertTrue(told.get(i).nanos() - told.get(i - 1).nanos() >= at(.5));
        }
    }

    @Test
    void tellsNothingOfAGuess() {
        try (TrackEvents events = events(EventOptions.DEFAULT)) {
            for (int frame = 0; frame < 30; frame++) {
                events.update(List.of(car(frame * 5)), at(frame / 30.0));
            }
            int before = told.size();
            for (int frame = 30; frame < 58; frame++) {
                events.update(List.of(), at(frame / 30.0));
            }
            assertEquals(before, told.size());
            for (int frame = 58; frame < 70; frame++) {
                events.update(List.of(), at(frame / 30.0));
            }
            assertEquals(before + 1, told.size());
            assertEquals(TrackEvent.Kind.END, told.getLast().kind());
        }
    }

    @Test
    void endsAllWhenTheSourceIsLostAndNumbersAnew() {
        try (TrackEvents events = events(EventOptions.DEFAULT)) {
            for (int round = 0; round < 3; round++) {
                for (int frame = 0; frame < 5; frame++) {
                    events.update(List.of(car(0), car(400)), at(round + frame * .1));
                }
                if (round == 0) {
                    events.lost(at(round + .5));
                } else {
                    events.expire(at(round + .6), 1);
                    assertEquals(4 * round + 2, told.size());
                    events.expire(at(round + 1.41), 1);
                }
                assertEquals(4 * (round + 1), told.size());
                events.lost(at(round + .9));
                events.expire(at(round + .9), 0);
                assertEquals(4 * (round + 1), told.size(), "told twice");
            }
        }
        requireWholeLives();
        assertEquals(6, told.stream().map(event -> event.track().id()).distinct().count());
    }

    @Test
    void endsEveryLifeWhateverHappens() {
        Random random = new Random(5);
        ImageResult scene = new ImageResult(14, .1, .4);
        long nanos = 0;
        try (TrackEvents events = events(EventOptions.DEFAULT)) {
            for (int frame = 0; frame < 3000; frame++) {
                nanos += random.nextInt(100) == 0 ? 3 * ImageResult.SECOND : random.nextInt(150_000_000);
                if (random.nextInt(300) == 0) {
                    events.lost(nanos);
                }
                if (random.nextInt(300) == 0) {
                    nanos -= 5 * ImageResult.SECOND;
                }
                events.update(scene.detections(frame % 360 / 30.0), nanos);
            }
        }
        requireWholeLives();
        assertTrue(told.size() > 100, told.size() + " events");
    }

    /** NEW, then any UPDATE, then END, of each track. */
    private void requireWholeLives() {
        Map<Long, TrackEvent.Kind> state = new HashMap<>();
        for (TrackEvent event : told) {
            TrackEvent.Kind before = state.put(event.track().id(), event.kind());
            if (event.kind() == TrackEvent.Kind.NEW) {
                assertNull(before, "a second beginning");
            } else {
                assertTrue(before == TrackEvent.Kind.NEW || before == TrackEvent.Kind.UPDATE, before + " before");
            }
        }
        state.forEach((id, kind) -> assertEquals(TrackEvent.Kind.END, kind, "track " + id));
    }

    @Test
    void goesOnAfterAListenerThatThrows() {
        TrackEvents events = new TrackEvents("yard", new ByteTracker(TrackerOptions.DEFAULT), EventOptions.DEFAULT,
                event -> {
                    told.add(event);
                    if (event.track().id() == 1) {
                        throw new IllegalStateException("full");
                    }
                });
        events.update(List.of(car(0), car(400)), at(0));
        events.update(List.of(car(0), car(400)), at(.1));
        assertThrows(IllegalStateException.class, () -> events.update(List.of(car(0), car(400)), at(.2)));
        assertEquals(2, told.size());
        assertEquals(2, events.update(List.of(car(0), car(400)), at(.3)).size());
        assertThrows(IllegalStateException.class, events::close);
        assertEquals(4, told.size());
        requireWholeLives();
    }

    @Test
    void refusesOptionsThatMakeNoSense() {
        assertThrows(IllegalArgumentException.class, () -> new EventOptions(0, .25, .5, 60));
        assertThrows(IllegalArgumentException.class, () -> new EventOptions(3, 0, .5, 60));
        assertThrows(IllegalArgumentException.class, () -> new EventOptions(3, Double.NaN, .5, 60));
        assertThrows(IllegalArgumentException.class, () -> new EventOptions(3, .25, -1, 60));
        assertThrows(IllegalArgumentException.class, () -> new EventOptions(3, .25, .5, Double.POSITIVE_INFINITY));
    }
}
