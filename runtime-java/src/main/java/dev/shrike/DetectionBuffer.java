package dev.shrike;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * What was seen in one frame, in arrays that are filled again with every frame: {@link Detections} without garbage. An
 * index runs from 0 to {@link #size}, best score first. Arrays grow to the most detections seen and stay.
 *
 * <p>Confined to one thread at a time. What it holds stays until it is filled again.
 */
public final class DetectionBuffer {
    private float[] x1 = new float[64];
    private float[] y1 = new float[64];
    private float[] x2 = new float[64];
    private float[] y2 = new float[64];
    private float[] score = new float[64];
    private int[] classId = new int[64];
    private int size;
    private List<String> labels = List.of();
    private int width;
    private int height;
    private long capturedMicros;
    private long capturedNanos;
    private String camera = "";
    private long sequence;
    private long letterboxNanos;
    private long networkNanos;
    private long decodeNanos;
    private long[] order = new long[64];

    /** Empties the buffer for what will be seen in the frame; takes over its size and stamps. */
    public void begin(Frame frame, List<String> classLabels) {
        size = 0;
        labels = Objects.requireNonNull(classLabels, "classLabels");
        width = frame.width();
        height = frame.height();
        capturedMicros = frame.capturedMicros();
        capturedNanos = frame.capturedNanos();
        camera = frame.camera();
        sequence = frame.sequence();
        times(0, 0, 0);
    }

    /** Sets how long each stage took, in nanoseconds of wall time; see {@link StageTimes}. */
    public void times(long letterbox, long network, long decode) {
        letterboxNanos = letterbox;
        networkNanos = network;
        decodeNanos = decode;
    }

    /**
     * Appends a detection; the best come first.
     *
     * @throws IllegalArgumentException as {@link Detection} does
     */
    public void add(int id, float confidence, float left, float top, float right, float bottom) {
        if (id < 0 || !(confidence >= 0 && confidence <= 1) || !(right >= left) || !(bottom >= top)) {
            throw new IllegalArgumentException("class " + id + " with the score " + confidence + " in the box [" + left
                    + ", " + top + ", " + right + ", " + bottom + "]");
        }
        if (size == score.length) {
            grow();
        }
        x1[size] = left;
        y1[size] = top;
        x2[size] = right;
        y2[size] = bottom;
        score[size] = confidence;
        classId[size] = id;
        size++;
    }

    private void grow() {
        int capacity = 2 * size;
        x1 = Arrays.copyOf(x1, capacity);
        y1 = Arrays.copyOf(y1, capacity);
        x2 = Arrays.copyOf(x2, capacity);
        y2 = Arrays.copyOf(y2, capacity);
        score = Arrays.copyOf(score, capacity);
        classId = Arrays.copyOf(classId, capacity);
    }

    /** Fills the buffer with a copy of the detections. */
    public void set(Detections found) {
        size = 0;
        width = found.width();
        height = found.height();
        capturedMicros = found.captured().getEpochSecond() * 1_000_000 + found.captured().getNano() / 1000;
        capturedNanos = found.capturedNanos();
        camera = found.camera();
        sequence = found.sequence();
        times(found.times().letterbox(), found.times().network(), found.times().decode());
        for (Detection one : found) {
            add(one.classId(), one.score(), one.x1(), one.y1(), one.x2(), one.y2());
        }
    }

    /** Fills the buffer with a copy of the detections, of classes with these names. */
    public void set(Detections found, List<String> classLabels) {
        set(found);
        labels = Objects.requireNonNull(classLabels, "classLabels");
    }

    /** A copy of all of it that stays as it is. */
    public Detections toDetections() {
        List<Detection> list = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            list.add(detection(i));
        }
        Instant captured = Instant.ofEpochSecond(Math.floorDiv(capturedMicros, 1_000_000L),
                Math.floorMod(capturedMicros, 1_000_000L) * 1_000);
        return new Detections(width, height, captured, new StageTimes(letterboxNanos, networkNanos, decodeNanos), list,
                capturedNanos, camera, sequence);
    }

    /** A copy of one detection. */
    public Detection detection(int index) {
        Objects.checkIndex(index, size);
        return new Detection(classId[index], label(index), score[index], x1[index], y1[index], x2[index], y2[index]);
    }

    /**
     * Sorts by descending score, equal ones in the order they came, and drops what a better box overlaps by more than
     * an intersection over union.
     *
     * @param agnostic whether boxes of different classes drop each other
     * @param most most detections that stay
     */
    void suppress(float iou, boolean agnostic, int most) {
        sort();
        int kept = 0;
        for (int i = 0; i < size && kept < most; i++) {
            if (isBest(i, kept, iou, agnostic)) {
                copy(i, kept++);
            }
        }
        size = kept;
    }

    private boolean isBest(int index, int kept, float iou, boolean agnostic) {
        for (int k = 0; k < kept; k++) {
            boolean rivals = agnostic || classId[k] == classId[index];
            if (rivals && Detection.iou(x1[k], y1[k], x2[k], y2[k], x1[index], y1[index], x2[index], y2[index]) > iou) {
                return false;
            }
        }
        return true;
    }

    /** Sorts keys of score and index, then moves the rows along the cycles of that permutation. */
    private void sort() {
        if (order.length < size + 1) {
            order = new long[score.length + 1];
        }
        for (int i = 0; i < size; i++) {
            order[i] = (long) (Integer.MAX_VALUE - Float.floatToIntBits(score[i])) << 32 | i;
        }
        Arrays.sort(order, 0, size);
        if (size == score.length) {
            grow();
        }
        for (int start = 0; start < size; start++) {
            if ((int) order[start] == start) {
                continue;
            }
            copy(start, size);
            int to = start;
            while ((int) order[to] != start) {
                int from = (int) order[to];
                copy(from, to);
                order[to] = to;
                to = from;
            }
            copy(size, to);
            order[to] = to;
        }
    }

    private void copy(int from, int to) {
        x1[to] = x1[from];
        y1[to] = y1[from];
        x2[to] = x2[from];
        y2[to] = y2[from];
        score[to] = score[from];
        classId[to] = classId[from];
    }

    /** Number of detections. */
    public int size() {
        return size;
    }

    /** Index of the class in the model. */
    public int classId(int index) {
        return classId[Objects.checkIndex(index, size)];
    }

    /** Name of the class, or {@code "class<id>"} when there is none. */
    public String label(int index) {
        int id = classId(index);
        return id < labels.size() ? labels.get(id) : "class" + id;
    }

    /** Confidence, 0 to 1. */
    public float score(int index) {
        return score[Objects.checkIndex(index, size)];
    }

    /** Left edge in pixels of the frame. */
    public float x1(int index) {
        return x1[Objects.checkIndex(index, size)];
    }

    /** Top edge. */
    public float y1(int index) {
        return y1[Objects.checkIndex(index, size)];
    }

    /** Right edge. */
    public float x2(int index) {
        return x2[Objects.checkIndex(index, size)];
    }

    /** Bottom edge. */
    public float y2(int index) {
        return y2[Objects.checkIndex(index, size)];
    }

    /** Width of the frame in pixels. */
    public int width() {
        return width;
    }

    /** Height of the frame in pixels. */
    public int height() {
        return height;
    }

    /** When the frame was captured, in microseconds since 1970. */
    public long capturedMicros() {
        return capturedMicros;
    }

    /** When the frame was captured, on the clock of {@link System#nanoTime}. */
    public long capturedNanos() {
        return capturedNanos;
    }

    /** Id of the camera; empty if there is none. */
    public String camera() {
        return camera;
    }

    /** Number of the frame, counted by its source. */
    public long sequence() {
        return sequence;
    }

    /** Nanoseconds that writing the network's input took. */
    public long letterboxNanos() {
        return letterboxNanos;
    }

    /** Nanoseconds that the network took. */
    public long networkNanos() {
        return networkNanos;
    }

    /** Nanoseconds that decoding and suppression took. */
    public long decodeNanos() {
        return decodeNanos;
    }
}
