package dev.shrike.tracking;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.shrike.Detection;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("any-processor")
class ByteTrackerTest {
    private static final long SECOND = ImageResult.SECOND;

    private static Detection person(double score, double x) {
        return new Detection(0, "person", (float) score, (float) x, 100, (float) x + 40, 200);
    }

    private static long at(double seconds) {
        return Math.round(seconds * SECOND);
    }

    private static MotMetrics.Summary evaluate(ImageResult scene, double rate, TrackerOptions options) {
        ByteTracker tracker = new ByteTracker(options);
        MotMetrics metrics = new MotMetrics(.5);
        for (int frame = 0; frame < ImageResult.SECONDS * rate; frame++) {
            double seconds = frame / rate;
            List<Track> tracks = tracker.update(scene.detections(seconds), at(seconds));
            metrics.add(scene.truth(seconds), ImageResult.boxes(tracks, at(seconds)));
        }
        return metrics.summary();
    }

    @ParameterizedTest
    @ValueSource(doubles = {3, 5, 10, 30, 120})
    void followsWalkersAtAnyRate(double rate) {
        MotMetrics.Summary summary = evaluate(new ImageResult(14, .04, 0), rate, TrackerOptions.DEFAULT);
        assertEquals(0, summary.identitySwitches());
        assertEquals(0, summary.falsePositives());
        // Each is a track from its second frame on.
        assertEquals(14, summary.falseNegatives(), summary.toString());
    }

    @ParameterizedTest
    @ValueSource(doubles = {10, 30})
    void followsWalkersThatAreMissedNowAndThen(double rate) {
        MotMetrics.Summary summary = evaluate(new ImageResult(14, .05, .2), rate, TrackerOptions.DEFAULT);
        assertEquals(0, summary.identitySwitches(), summary.toString());
        assertTrue(summary.idf1() > .85, summary.toString());
    }

    /** First and last second of each track, by the walker that it follows. */
    private static Map<Long, double[]> lives(ImageResult scene, double rate) {
        ByteTracker tracker = new ByteTracker(TrackerOptions.DEFAULT.withConfirmHits(1));
        Map<Long, double[]> lives = new TreeMap<>();
        Map<Long, Long> walkerOf = new TreeMap<>();
        for (int frame = 0; frame < ImageResult.SECONDS * rate; frame++) {
            double seconds = frame / rate;
            for (Track track : tracker.update(scene.detections(seconds), at(seconds))) {
                if (!track.isDetected(at(seconds))) {
                    continue;
                }
                Detection box = track.box();
                MotMetrics.Box found = new MotMetrics.Box(track.id(), box.x1(), box.y1(), box.x2(), box.y2());
                long walker = scene.truth(seconds).stream().filter(truth -> truth.iou(found) > .5).findFirst()
                        .orElseThrow().id();
                Long before = walkerOf.put(track.id(), walker);
                assertTrue(before == null || before == walker, "a track changes over");
                lives.computeIfAbsent(walker, one -> new double[] {seconds, 0})[1] = seconds;
            }
        }
        assertEquals(walkerOf.size(), lives.size(), "a walker with two tracks at " + rate);
        return lives;
    }

    @Test
    void givesTheSameTracksAtLowerRates() {
        ImageResult scene = new ImageResult(14, .04, 0);
        Map<Long, double[]> full = lives(scene, 25);
        assertEquals(14, full.size());
        for (double rate : new double[] {12.5, 5}) {
            Map<Long, double[]> slow = lives(scene, rate);
            assertEquals(full.keySet(), slow.keySet());
            slow.forEach((walker, life) -> {
                assertEquals(full.get(walker)[0], life[0], 1 / rate + 1e-9);
                assertEquals(full.get(walker)[1], life[1], 1 / rate + 1e-9);
            });
        }
    }

    @Test
    void knowsTheSpeed() {
        for (double rate : new double[] {3, 10, 30}) {
            ByteTracker tracker = new ByteTracker(TrackerOptions.DEFAULT);
            Track track = null;
            for (int frame = 0; frame <= 4 * rate; frame++) {
                double seconds = frame / rate;
                List<Track> tracks = tracker.update(List.of(person(.9, 50 * seconds)), at(seconds));
                track = tracks.isEmpty() ? null : tracks.getFirst();
            }
            assertEquals(50, track.velocityX(), 2.5, "pixels a second at " + rate + " frames a second");
            assertEquals(0, track.velocityY(), .001);
        }
    }

    @Test
    void countsLifetimesInSeconds() {
        for (double rate : new double[] {4, 10, 50}) {
            ByteTracker tracker = new ByteTracker(TrackerOptions.DEFAULT.withLostSeconds(1));
            for (int frame = 0; frame <= rate; frame++) {
                tracker.update(List.of(person(.9, 100)), at(frame / rate));
            }
            for (int frame = 1; frame <= 3 * rate; frame++) {
                List<Track> tracks = tracker.update(List.of(), at(1 + frame / rate));
                assertEquals(frame <= rate ? 1 : 0, tracks.size(), frame + " frames later at " + rate);
                tracks.forEach(track -> assertEquals(at(1), track.lastNanos()));
            }
        }
    }

    @Test
    void findsALostObjectAgainWithinItsLifetimeOnly() {
        for (double gap : new double[] {.5, .9, 1.1, 100}) {
            ByteTracker tracker = new ByteTracker(TrackerOptions.DEFAULT);
            for (int frame = 0; frame < 20; frame++) {
                tracker.update(List.of(person(.9, 4 * frame)), at(frame * .1));
            }
            double x = 4 * 19 + 40 * gap;
            List<Track> tracks = tracker.update(List.of(person(.9, x)), at(1.9 + gap));
            assertEquals(gap < 1 ? 1 : 0, tracks.size(), "after " + gap + " s");
            if (gap < 1) {
                assertEquals(1, tracks.getFirst().id());
                assertEquals(21, tracks.getFirst().hits());
            } else {
                assertEquals(2, tracker.update(List.of(person(.9, x)), at(2 + gap)).getFirst().id());
            }
        }
    }

    @Test
    void continuesByLowScoresButBeginsByHighOnesOnly() {
        ByteTracker tracker = new ByteTracker(TrackerOptions.DEFAULT);
        for (int frame = 0; frame < 10; frame++) {
            assertEquals(List.of(), tracker.update(List.of(person(.55, 100)), at(frame * .1)));
        }
        tracker.update(List.of(person(.8, 100)), at(1));
        tracker.update(List.of(person(.8, 100)), at(1.1));
        for (int frame = 0; frame < 30; frame++) {
            List<Track> tracks = tracker.update(List.of(person(.15, 100)), at(1.2 + frame * .1));
            assertEquals(3 + frame, tracks.getFirst().hits());
            assertEquals(.15f, tracks.getFirst().box().score());
        }
        assertEquals(32, tracker.update(List.of(person(.05, 100)), at(4.2)).getFirst().hits());
    }

    @Test
    void followsWithinAClassUnlessAskedOtherwise() {
        for (boolean across : new boolean[] {false, true}) {
            ByteTracker tracker = new ByteTracker(TrackerOptions.DEFAULT.withAcrossClasses(across));
            List<Track> tracks = List.of();
            for (int frame = 0; frame < 20; frame++) {
                boolean truck = frame % 4 == 3;
                Detection seen = new Detection(truck ? 7 : 2, truck ? "truck" : "car", .9f, 10, 10, 90, 60);
                tracks = tracker.update(List.of(seen), at(frame * .1));
                if (across && frame > 0) {
                    assertEquals("car", tracks.getFirst().box().label());
                    assertEquals(1, tracks.size());
                }
            }
            assertEquals(across ? 20 : 15, tracks.getFirst().hits());
        }
    }

    @Test
    void changesTheClassOfATrackInTime() {
        ByteTracker tracker = new ByteTracker(TrackerOptions.DEFAULT.withAcrossClasses(true));
        for (int frame = 0; frame < 1000; frame++) {
            tracker.update(List.of(new Detection(2, "car", .9f, 10, 10, 90, 60)), at(frame * .1));
        }
        List<Track> tracks = List.of();
        for (int frame = 0; frame < 20; frame++) {
            tracks = tracker.update(List.of(new Detection(7, "truck", .9f, 10, 10, 90, 60)), at(100 + frame * .1));
        }
        assertEquals("truck", tracks.getFirst().box().label());
        assertEquals(7, tracks.getFirst().box().classId());
        assertEquals(1, tracks.getFirst().id());
    }

    @Test
    void beginsAnewWhereTimeGoesBack() {
        ByteTracker tracker = new ByteTracker(TrackerOptions.DEFAULT.withConfirmHits(1));
        assertEquals(1, tracker.update(List.of(person(.9, 100)), at(50)).getFirst().id());
        assertEquals(1, tracker.update(List.of(person(.9, 100)), at(50)).getFirst().id());
        assertEquals(2, tracker.update(List.of(person(.9, 100)), at(10)).getFirst().id());
        tracker.clear();
        assertEquals(3, tracker.update(List.of(person(.9, 100)), at(10.1)).getFirst().id());
        // The clock of nanoTime may overflow.
        tracker.clear();
        assertEquals(4, tracker.update(List.of(person(.9, 100)), Long.MAX_VALUE - 1).getFirst().id());
        assertEquals(4, tracker.update(List.of(person(.9, 100)), Long.MIN_VALUE + 1).getFirst().id());
    }

    @Test
    void givesTheSameTracksEachTime() {
        ImageResult scene = new ImageResult(14, .08, .3);
        List<List<Track>> first = all(scene);
        assertEquals(first, all(scene));
        assertFalse(first.getLast().isEmpty());
    }

    private static List<List<Track>> all(ImageResult scene) {
        ByteTracker tracker = new ByteTracker(TrackerOptions.DEFAULT);
        List<List<Track>> all = new ArrayList<>();
        for (int frame = 0; frame < 300; frame++) {
            all.add(tracker.update(scene.detections(frame / 30.0), at(frame / 30.0)));
        }
        return all;
    }

    @Test
    void ignoresBoxesThatCannotBe() {
        ByteTracker tracker = new ByteTracker(TrackerOptions.DEFAULT.withConfirmHits(1));
        float infinite = Float.POSITIVE_INFINITY;
        List<Detection> odd = List.of(new Detection(0, "", 1, 5, 5, 5, 50), new Detection(0, "", 1, 5, 5, 50, 5),
                new Detection(0, "", 1, -infinite, 0, infinite, 10), new Detection(0, "", 1, 0, 0, infinite, infinite),
                new Detection(0, "", 1, 0, 0, 3e38f, 3e38f),
                new Detection(0, "", 1, 5, 5, Math.nextUp(5f), Math.nextUp(5f)),
                new Detection(0, "", 1, -3e38f, -3e38f, 0, 0));
        for (int frame = 0; frame < 10; frame++) {
            assertEquals(List.of(), tracker.update(odd, at(frame * .1)));
        }
        Detection tiny = new Detection(0, "", 1, 5, 5, 5.2f, 5.2f);
        Detection huge = new Detection(1, "", 1, -1e6f, -1e6f, 1e6f, 1e6f);
        for (int frame = 0; frame < 50; frame++) {
            List<Track> tracks = tracker.update(List.of(tiny, huge), at(10 + frame * .1));
            assertEquals(List.of(1L, 2L), tracks.stream().map(Track::id).toList());
            tracks.forEach(ByteTrackerTest::requireFinite);
        }
    }

    private static void requireFinite(Track track) {
        Detection box = track.box();
        for (float value : new float[] {box.x1(), box.y1(), box.x2(), box.y2(), track.velocityX(), track.velocityY()}) {
            assertTrue(Float.isFinite(value), track.toString());
        }
    }

    @Test
    void survivesAnything() {
        Random random = new Random(11);
        ByteTracker tracker = new ByteTracker(new TrackerOptions(.5, 0, .5, 3600, 1, 0, true));
        long nanos = 0;
        long lastId = 0;
        for (int round = 0; round < 400; round++) {
            nanos += random.nextInt(10) == 0 ? random.nextLong(3_000_000_000_000L) : random.nextInt(50_000_000);
            List<Detection> found = new ArrayList<>();
            int count = random.nextInt(40);
            for (int i = 0; i < count; i++) {
                double span = Math.pow(10, random.nextDouble() * 7 - 1);
                float x = (float) ((random.nextDouble() - .5) * span);
                float y = (float) ((random.nextDouble() - .5) * span);
                found.add(new Detection(random.nextInt(3), "x", random.nextFloat(), x, y,
                        x + (float) (random.nextDouble() * span), y + (float) (random.nextDouble() * span)));
            }
            List<Track> tracks = tracker.update(found, nanos);
            assertTrue(tracks.size() <= ByteTracker.MOST_OBJECTS);
            for (Track track : tracks) {
                requireFinite(track);
                lastId = Math.max(lastId, track.id());
            }
        }
        assertTrue(lastId > ByteTracker.MOST_OBJECTS, "never full: " + lastId);
    }

    @Test
    void takesNoMoreThanItCanFollow() {
        ByteTracker tracker = new ByteTracker(TrackerOptions.DEFAULT);
        List<Detection> crowd = new ArrayList<>();
        for (int i = 0; i < 5000; i++) {
            float x = i % 100 * 50;
            float y = i / 100 * 110;
            crowd.add(new Detection(0, "person", .9f, x, y, x + 40, y + 100));
        }
        tracker.update(crowd, at(0));
        assertEquals(ByteTracker.MOST_OBJECTS, tracker.update(crowd, at(.1)).size());
    }

    /** A frame costs the tracks that it gives, 72 bytes each with compressed references, their boxes and one list. */
    @Test
    void allocatesItsTracksOnly() {
        List<Detection> nothing = List.of();
        List<Detection> three = List.of(person(.9, 100), person(.8, 300), person(.7, 500));
        ByteTracker tracker = new ByteTracker(TrackerOptions.DEFAULT);
        assertTrue(bytesPerFrame(tracker, three, 0) <= 3 * 120 + 100, "bytes a frame with three tracks");
        tracker.clear();
        assertEquals(0, bytesPerFrame(tracker, nothing, at(1e6)));
        assertTrue(tracker.update(Collections.nCopies(3, person(.5, 100)), at(2e6)).isEmpty());
    }

    private static long bytesPerFrame(ByteTracker tracker, List<Detection> found, long from) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long nanos = from;
        long begun = 0;
        for (int frame = 0; frame < 22_000; frame++) {
            if (frame == 2000) {
                begun = threads.getCurrentThreadAllocatedBytes();
            }
            nanos += 10_000_000;
            tracker.update(found, nanos);
        }
        return (threads.getCurrentThreadAllocatedBytes() - begun) / 20_000;
    }

    @Test
    void refusesOptionsThatMakeNoSense() {
        assertThrows(IllegalArgumentException.class, () -> TrackerOptions.DEFAULT.withLostSeconds(-1));
        assertThrows(IllegalArgumentException.class, () -> TrackerOptions.DEFAULT.withLostSeconds(Double.NaN));
        assertThrows(IllegalArgumentException.class, () -> TrackerOptions.DEFAULT.withLostSeconds(1e9));
        assertThrows(IllegalArgumentException.class, () -> TrackerOptions.DEFAULT.withConfirmHits(0));
        assertThrows(IllegalArgumentException.class, () -> TrackerOptions.DEFAULT.withScores(.5, .6, .7));
        assertThrows(IllegalArgumentException.class, () -> TrackerOptions.DEFAULT.withScores(.5, .1, Double.NaN));
        assertThrows(IllegalArgumentException.class, () -> TrackerOptions.DEFAULT.withScores(.5, .1, 1.1));
    }
}
