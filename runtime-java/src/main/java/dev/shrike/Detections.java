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
 * @param capturedNanos when the frame was captured, on the clock of {@link System#nanoTime}; 0 if that is not known
 * @param camera id of the camera; empty if there is none
 * @param sequence number of the frame, counted by its source
 */
public record Detections(int width, int height, Instant captured, StageTimes times, List<Detection> list,
        long capturedNanos, String camera, long sequence) implements Iterable<Detection> {
    public Detections {
        Objects.requireNonNull(captured, "captured");
        Objects.requireNonNull(times, "times");
        Objects.requireNonNull(camera, "camera");
        list = List.copyOf(list);
    }

    /** The detections of a frame of no camera. */
    public Detections(int width, int height, Instant captured, StageTimes times, List<Detection> list) {
        this(width, height, captured, times, list, 0, "", 0);
    }

    /** The detections of a frame. */
    public Detections(Frame frame, StageTimes times, List<Detection> list) {
        this(frame.width(), frame.height(), frame.captured(), times, list, frame.capturedNanos(), frame.camera(),
                frame.sequence());
    }

    /** The same frame with other detections. */
    public Detections withList(List<Detection> others) {
        return new Detections(width, height, captured, times, others, capturedNanos, camera, sequence);
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
