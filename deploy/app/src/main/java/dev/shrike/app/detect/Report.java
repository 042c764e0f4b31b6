package dev.shrike.app.detect;

import dev.shrike.Detection;
import dev.shrike.Detections;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/** How the results of a run are shown. Confined to one thread. */
interface Report {
    /** Shows nothing. */
    Report SILENT = new Report() {
        @Override
        public void image(int index, int count, Path image, Detections found) {
            // nothing, as was asked for
        }

        @Override
        public void frame(MovingFrame frame, Detections found) {
            // nothing, as was asked for
        }

        @Override
        public void summary(Totals totals) {
            // nothing, as was asked for
        }
    };

    /**
     * A frame of a video, camera or stream.
     *
     * @param index position of the source in the run, from 0
     * @param count number of such sources in the run
     * @param source its name, without credentials
     * @param number of the frame among those that were looked at, from 1
     * @param seconds since the first frame of the source, whether that was looked at or not
     * @param captured when it was captured; of a file when it was read
     * @param live whether it comes from a camera or stream
     * @param ids of the tracks that its detections belong to; empty if objects are not followed
     */
    record MovingFrame(int index, int count, String source, long number, double seconds, Instant captured,
            boolean live, List<Long> ids) {
        public MovingFrame {
            ids = List.copyOf(ids);
        }
    }

    /**
     * Shows one image.
     *
     * @param index position in the run, from 0
     * @param count number of images in the run
     */
    void image(int index, int count, Path image, Detections found);

    /** Shows one frame of a video, camera or stream. */
    void frame(MovingFrame frame, Detections found);

    /** Shows the whole run. */
    void summary(Totals totals);

    /** Whether a word may have an English plural. */
    private static boolean isEnglish(String label) {
        return label.matches(".*[A-Za-z0-9]");
    }

    /** What was seen in words, classes in the order of their ids: {@code "4 persons, 1 bus"}. */
    static String describe(Detections found) {
        if (found.size() == 0) {
            return "(no detections)";
        }
        record Count(String label, int number) {}
        var counts = new java.util.TreeMap<Integer, Count>();
        for (Detection detection : found) {
            counts.merge(
                    detection.classId(),
                    new Count(detection.label(), 1),
                    (a, b) -> new Count(a.label(), a.number() + b.number()));
        }
        return counts.values().stream()
                .map(c -> c.number() + " " + c.label() + (c.number() > 1 && isEnglish(c.label()) ? "s" : ""))
                .collect(java.util.stream.Collectors.joining(", "));
    }
}
