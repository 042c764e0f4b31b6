package dev.shrike;

import dev.shrike.heads.HeadFormat;
import dev.shrike.heads.SoftNms;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * How to detect. Start from {@link #DEFAULT} and change with the {@code with…} methods.
 *
 * @param inputWidth width of the network's input in pixels; 0 takes the model's own, or 640 if it leaves that open
 * @param inputHeight height of the network's input in pixels; 0 as for the width
 * @param confidence lowest score that is reported, 0 to 1
 * @param iou overlap (intersection over union) above which the weaker of two boxes is dropped, 0 to 1
 * @param maxDetections most detections reported per frame
 * @param classes ids of the classes to report; empty means all
 * @param agnostic whether boxes of different classes suppress each other
 * @param multiLabel whether one box may be reported for several classes, as YOLOv5 does when it measures mAP
 * @param threads worker threads of the engine; 0 takes one per processor
 * @param engine name of the engine, such as {@code "cpu"}; empty takes the best one that runs the model here
 * @param anchors width and height of each anchor in pixels of the input, smallest stride first, for models that end in
 *     raw YOLOv5 heads; empty takes those of the model's metadata, or else those that YOLOv5 has for COCO
 * @param head the form of the model's outputs; empty lets the detector find it out, and refuse what it does not know
 * @param softNms whether a better box lowers the scores of those that it overlaps instead of dropping them
 */
public record DetectorOptions(
        int inputWidth,
        int inputHeight,
        float confidence,
        float iou,
        int maxDetections,
        Set<Integer> classes,
        boolean agnostic,
        boolean multiLabel,
        int threads,
        String engine,
        List<Float> anchors,
        Optional<HeadFormat> head,
        SoftNms softNms) {

    /** YOLOv5's own defaults: confidence 0.25, IoU 0.45, at most 1000 detections. */
    public static final DetectorOptions DEFAULT =
            new DetectorOptions(0, 0, 0.25f, 0.45f, 1000, Set.of(), false, false, 0, "", List.of(), Optional.empty(),
                    SoftNms.OFF);

    public DetectorOptions {
        requireRange(inputWidth, 0, 16384, "input width");
        requireRange(inputHeight, 0, 16384, "input height");
        requireUnit(confidence, "confidence threshold");
        requireUnit(iou, "IoU threshold");
        requireRange(maxDetections, 1, 100_000, "maximum of detections");
        requireRange(threads, 0, 256, "number of threads");
        classes = Set.copyOf(classes);
        for (int id : classes) {
            requireRange(id, 0, 1_000_000, "class id");
        }
        Objects.requireNonNull(engine, "engine");
        Objects.requireNonNull(head, "head");
        Objects.requireNonNull(softNms, "softNms");
        anchors = List.copyOf(anchors);
        for (float side : anchors) {
            if (!(side > 0 && side <= Short.MAX_VALUE)) {
                throw new IllegalArgumentException("anchor side " + side + " is not within 0 to " + Short.MAX_VALUE);
            }
        }
    }

    /** The same with another size of the network's input, in pixels. */
    public DetectorOptions withInputSize(int width, int height) {
        return new DetectorOptions(
                width, height, confidence, iou, maxDetections, classes, agnostic, multiLabel, threads, engine, anchors,
                head, softNms);
    }

    /** The same with other thresholds. */
    public DetectorOptions withThresholds(float newConfidence, float newIou) {
        return new DetectorOptions(
                inputWidth, inputHeight, newConfidence, newIou, maxDetections, classes, agnostic, multiLabel, threads,
                engine, anchors,
                head, softNms);
    }

    /** The same with another limit of detections per frame. */
    public DetectorOptions withMaxDetections(int limit) {
        return new DetectorOptions(
                inputWidth, inputHeight, confidence, iou, limit, classes, agnostic, multiLabel, threads, engine,
                anchors,
                head, softNms);
    }

    /** The same, reporting these classes only; the empty set means all. */
    public DetectorOptions withClasses(Set<Integer> ids) {
        return new DetectorOptions(
                inputWidth, inputHeight, confidence, iou, maxDetections, ids, agnostic, multiLabel, threads, engine,
                anchors,
                head, softNms);
    }

    /** The same with class-agnostic suppression on or off. */
    public DetectorOptions withAgnostic(boolean on) {
        return new DetectorOptions(
                inputWidth, inputHeight, confidence, iou, maxDetections, classes, on, multiLabel, threads, engine,
                anchors,
                head, softNms);
    }

    /** The same with several labels per box on or off. */
    public DetectorOptions withMultiLabel(boolean on) {
        return new DetectorOptions(
                inputWidth, inputHeight, confidence, iou, maxDetections, classes, agnostic, on, threads, engine,
                anchors,
                head, softNms);
    }

    /** The same with another number of worker threads. */
    public DetectorOptions withThreads(int count) {
        return new DetectorOptions(
                inputWidth, inputHeight, confidence, iou, maxDetections, classes, agnostic, multiLabel, count, engine,
                anchors,
                head, softNms);
    }

    /** The same on the named engine. */
    public DetectorOptions withEngine(String name) {
        return new DetectorOptions(
                inputWidth, inputHeight, confidence, iou, maxDetections, classes, agnostic, multiLabel, threads, name,
                anchors,
                head, softNms);
    }

    /** The same with these anchors, for models that end in raw heads. */
    public DetectorOptions withAnchors(List<Float> sides) {
        return new DetectorOptions(
                inputWidth, inputHeight, confidence, iou, maxDetections, classes, agnostic, multiLabel, threads, engine,
                sides, head, softNms);
    }

    /** The same for a model whose outputs have this form. */
    public DetectorOptions withHead(HeadFormat format) {
        return new DetectorOptions(
                inputWidth, inputHeight, confidence, iou, maxDetections, classes, agnostic, multiLabel, threads, engine,
                anchors, Optional.of(format), softNms);
    }

    /** The same with another kind of suppression. */
    public DetectorOptions withSoftNms(SoftNms kind) {
        return new DetectorOptions(
                inputWidth, inputHeight, confidence, iou, maxDetections, classes, agnostic, multiLabel, threads, engine,
                anchors, head, kind);
    }

    private static void requireRange(int value, int low, int high, String what) {
        if (value < low || value > high) {
            throw new IllegalArgumentException(what + " " + value + " is not within " + low + " to " + high);
        }
    }

    private static void requireUnit(float value, String what) {
        if (!(value >= 0 && value <= 1)) {
            throw new IllegalArgumentException(what + " " + value + " is not within 0 to 1");
        }
    }
}
