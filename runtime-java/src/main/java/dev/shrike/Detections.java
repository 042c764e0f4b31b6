package dev.shrike;

import java.time.Instant;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;

/**
 * What was seen in one frame, best score first. An empty list means that nothing was seen, never that something failed.
 *
 * @param width width of the original frame in pixels
 * @param height height of the original frame in pixels
 * @param captured when the frame was captured
 * @param times how long each stage took
 * @param list the detections, by descending score
 */
public record Detections(int width, int height, Instant captured, StageTimes times, List<Detection> list)
        implements Iterable<Detection> {
    public Detections {
        Objects.requireNonNull(captured, "captured");
        Objects.requireNonNull(times, "times");
        list = List.copyOf(list);
    }

    /** Number of objects seen. */
    public int size() {
        return list.size();
    }

    @Override
    public Iterator<Detection> iterator() {
        return list.iterator();
    }
}
