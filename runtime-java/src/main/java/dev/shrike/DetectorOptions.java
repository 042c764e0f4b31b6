package dev.shrike;

import dev.shrike.heads.HeadFormat;
import dev.shrike.heads.SoftNms;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * How to detect. Start from {@link #DEFAULT} and change with the {@code with…} methods, or make them with a {@link #builder}.
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

    /** A builder that starts from {@link #DEFAULT}. */
    public static Builder builder() {
        return new Builder(DEFAULT);
    }

    /** A builder that starts from these options. */
    public Builder toBuilder() {
        return new Builder(this);
    }

    /** The same with another size of the network's input, in pixels. */
    public DetectorOptions withInputSize(int width, int height) {
        return toBuilder().inputSize(width, height).build();
    }

    /** The same with other thresholds. */
    public DetectorOptions withThresholds(float newConfidence, float newIou) {
        return toBuilder().confidence(newConfidence).iou(newIou).build();
    }

    /** The same with another limit of detections per frame. */
    public DetectorOptions withMaxDetections(int limit) {
        return toBuilder().maxDetections(limit).build();
    }

    /** The same, reporting these classes only; the empty set means all. */
    public DetectorOptions withClasses(Set<Integer> ids) {
        return toBuilder().classes(ids).build();
    }

    /** The same with class-agnostic suppression on or off. */
    public DetectorOptions withAgnostic(boolean on) {
        return toBuilder().agnostic(on).build();
    }

    /** The same with several labels per box on or off. */
    public DetectorOptions withMultiLabel(boolean on) {
        return toBuilder().multiLabel(on).build();
    }

    /** The same with another number of worker threads. */
    public DetectorOptions withThreads(int count) {
        return toBuilder().threads(count).build();
    }

    /** The same on the named engine. */
    public DetectorOptions withEngine(String name) {
        return toBuilder().engine(name).build();
    }

    /** The same with these anchors, for models that end in raw heads. */
    public DetectorOptions withAnchors(List<Float> sides) {
        return toBuilder().anchors(sides).build();
    }

    /** The same for a model whose outputs have this form. */
    public DetectorOptions withHead(HeadFormat format) {
        return toBuilder().head(format).build();
    }

    /** The same with another kind of suppression. */
    public DetectorOptions withSoftNms(SoftNms kind) {
        return toBuilder().softNms(kind).build();
    }

    /**
     * Makes options step by step; each method returns the builder itself and means what the component of that name
     * does. Values are checked by {@link #build}.
     */
    public static final class Builder {
        private int inputWidth;
        private int inputHeight;
        private float confidence;
        private float iou;
        private int maxDetections;
        private Set<Integer> classes;
        private boolean agnostic;
        private boolean multiLabel;
        private int threads;
        private String engine;
        private List<Float> anchors;
        private Optional<HeadFormat> head;
        private SoftNms softNms;

        private Builder(DetectorOptions from) {
            inputWidth = from.inputWidth;
            inputHeight = from.inputHeight;
            confidence = from.confidence;
            iou = from.iou;
            maxDetections = from.maxDetections;
            classes = from.classes;
            agnostic = from.agnostic;
            multiLabel = from.multiLabel;
            threads = from.threads;
            engine = from.engine;
            anchors = from.anchors;
            head = from.head;
            softNms = from.softNms;
        }

        /** Size of the network's input in pixels; 0 takes the model's own. */
        public Builder inputSize(int width, int height) {
            inputWidth = width;
            inputHeight = height;
            return this;
        }

        /** Lowest score that is reported, 0 to 1. */
        public Builder confidence(float value) {
            confidence = value;
            return this;
        }

        /** Overlap above which the weaker of two boxes is dropped, 0 to 1. */
        public Builder iou(float value) {
            iou = value;
            return this;
        }

        /** Most detections reported per frame. */
        public Builder maxDetections(int value) {
            maxDetections = value;
            return this;
        }

        /** Ids of the classes to report; empty means all. */
        public Builder classes(Set<Integer> value) {
            classes = value;
            return this;
        }

        /** Whether boxes of different classes suppress each other. */
        public Builder agnostic(boolean value) {
            agnostic = value;
            return this;
        }

        /** Whether one box may be reported for several classes. */
        public Builder multiLabel(boolean value) {
            multiLabel = value;
            return this;
        }

        /** Worker threads; 0 takes one per processor. */
        public Builder threads(int value) {
            threads = value;
            return this;
        }

        /** Name of the engine; empty takes the best one. */
        public Builder engine(String value) {
            engine = value;
            return this;
        }

        /** Anchors of a model that ends in raw heads; empty takes the model's own. */
        public Builder anchors(List<Float> value) {
            anchors = value;
            return this;
        }

        /** Kind of suppression. */
        public Builder softNms(SoftNms value) {
            softNms = value;
            return this;
        }

        /** The form of the model's outputs. */
        public Builder head(HeadFormat value) {
            head = Optional.of(value);
            return this;
        }

        /**
         * The options.
         *
         * @throws IllegalArgumentException if a value is out of its range; names it
         */
        public DetectorOptions build() {
            return new DetectorOptions(inputWidth, inputHeight, confidence, iou, maxDetections, classes, agnostic,
                    multiLabel, threads, engine, anchors, head, softNms);
        }
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
