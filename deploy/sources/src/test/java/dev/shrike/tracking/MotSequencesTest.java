package dev.shrike.tracking;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.shrike.Detection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Two sequences of the MOT challenge of 2015, 25 frames a second. Their generated twin is {@link ByteTrackerTest}. */
@Tag("any-processor")
class MotSequencesTest {
    private static final String CAMPUS = "TUD-Campus";
    private static final String STADTMITTE = "TUD-Stadtmitte";
    private static final long FRAME = 40_000_000;
    /** The scores of these detections are nearly all above .9, so a track begins there. */
    private static final TrackerOptions OPTIONS =
            TrackerOptions.DEFAULT.withScores(.5, .1, .9).withConfirmHits(1).withLostSeconds(2);

    @Test
    void metricsAreThePublishedOnes() throws IOException {
        assertPublished(CAMPUS, "52.6 55.8 7 13 150");
        assertPublished(STADTMITTE, "56.4 64.5 7 45 452");
    }

    private static void assertPublished(String sequence, String figures) throws IOException {
        Map<Integer, List<MotMetrics.Box>> truth = boxes(sequence, "gt.txt");
        Map<Integer, List<MotMetrics.Box>> others = boxes(sequence, "cem-tracker.txt");
        truth.keySet().forEach(frame -> others.putIfAbsent(frame, List.of()));
        MotMetrics.Summary summary = evaluate(truth, others);
        assertEquals(figures, "%.1f %.1f %d %d %d".formatted(100 * summary.mota(), 100 * summary.idf1(),
                summary.identitySwitches(), summary.falsePositives(), summary.falseNegatives()));
    }

    @Test
    void followsWalkers() throws IOException {
        MotMetrics.Summary campus = evaluate(boxes(CAMPUS, "gt.txt"), tracked(CAMPUS, 1));
        MotMetrics.Summary stadtmitte = evaluate(boxes(STADTMITTE, "gt.txt"), tracked(STADTMITTE, 1));
        System.out.printf("%s MOTA %.1f IDF1 %.1f %s%n%s MOTA %.1f IDF1 %.1f %s%n", CAMPUS, 100 * campus.mota(),
                100 * campus.idf1(), campus, STADTMITTE, 100 * stadtmitte.mota(), 100 * stadtmitte.idf1(), stadtmitte);
        assertTrue(campus.mota() >= .65, campus.toString());
        assertTrue(campus.idf1() >= .75, campus.toString());
        assertTrue(stadtmitte.mota() >= .73, stadtmitte.toString());
        assertTrue(stadtmitte.idf1() >= .78, stadtmitte.toString());
    }

    /** The tracks at the full rate are the truth for those at a half and a fifth of it. */
    @Test
    void givesNearlyTheSameTracksAtLowerRates() throws IOException {
        for (String sequence : List.of(CAMPUS, STADTMITTE)) {
            Map<Integer, List<MotMetrics.Box>> full = tracked(sequence, 1);
            for (int step : new int[] {2, 5}) {
                MotMetrics.Summary same = evaluate(full, tracked(sequence, step));
                System.out.printf("%s at %.1f frames a second against 25: MOTA %.1f IDF1 %.1f %s%n", sequence,
                        25.0 / step, 100 * same.mota(), 100 * same.idf1(), same);
                assertTrue(same.idf1() >= .8, same.toString());
            }
        }
    }

    private static MotMetrics.Summary evaluate(Map<Integer, List<MotMetrics.Box>> truth,
            Map<Integer, List<MotMetrics.Box>> tracks) {
        MotMetrics metrics = new MotMetrics(.5);
        tracks.forEach((frame, found) -> metrics.add(truth.getOrDefault(frame, List.of()), found));
        return metrics.summary();
    }

    private static Map<Integer, List<MotMetrics.Box>> tracked(String sequence, int step) throws IOException {
        Map<Integer, List<Detection>> detections = new TreeMap<>();
        for (double[] row : rows(sequence, "det.txt")) {
            detections.computeIfAbsent((int) row[0], frame -> new ArrayList<>()).add(new Detection(0, "person",
                    (float) row[6], (float) row[2], (float) row[3], (float) (row[2] + row[4]),
                    (float) (row[3] + row[5])));
        }
        int frames = (int) rows(sequence, "gt.txt").stream().mapToDouble(row -> row[0]).max().orElseThrow();
        ByteTracker tracker = new ByteTracker(OPTIONS);
        Map<Integer, List<MotMetrics.Box>> tracks = new TreeMap<>();
        for (int frame = 1; frame <= frames; frame += step) {
            List<Track> found = tracker.update(detections.getOrDefault(frame, List.of()), frame * FRAME);
            tracks.put(frame, ImageResult.boxes(found, frame * FRAME));
        }
        return tracks;
    }

    private static Map<Integer, List<MotMetrics.Box>> boxes(String sequence, String file) throws IOException {
        Map<Integer, List<MotMetrics.Box>> boxes = new TreeMap<>();
        for (double[] row : rows(sequence, file)) {
            boxes.computeIfAbsent((int) row[0], frame -> new ArrayList<>())
                    .add(new MotMetrics.Box((long) row[1], row[2], row[3], row[2] + row[4], row[3] + row[5]));
        }
        return boxes;
    }

    private static List<double[]> rows(String sequence, String file) throws IOException {
        List<double[]> rows = new ArrayList<>();
        for (String line : Files.readAllLines(shared("data/tracking/" + sequence + "/" + file))) {
            String[] cells = line.split(",");
            double[] row = new double[cells.length];
            for (int i = 0; i < cells.length; i++) {
                row[i] = Double.parseDouble(cells[i]);
            }
            rows.add(row);
        }
        return rows;
    }

    /** A file below the folder named by {@code SHRIKE_SHARED}, or by {@code shared} beside a folder above. */
    private static Path shared(String name) {
        String named = System.getProperty("SHRIKE_SHARED", System.getenv("SHRIKE_SHARED"));
        Path found = named == null ? null : Path.of(named).resolve(name);
        for (Path at = Path.of("").toAbsolutePath(); found == null && at != null; at = at.getParent()) {
            Path candidate = at.resolve("shared").resolve(name);
            found = Files.exists(candidate) ? candidate : null;
        }
        assumeTrue(found != null && Files.exists(found), "skipped: no " + name + " (set SHRIKE_SHARED)");
        return found;
    }
}
