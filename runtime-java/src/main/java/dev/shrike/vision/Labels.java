package dev.shrike.vision;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/** Names of classes and other facts that exported models carry in their metadata. */
public final class Labels {
    /** Metadata entry with the names: a Python or JSON list, or a dict from class id to name. */
    public static final String NAMES = "names";

    /** Metadata entry with the largest stride of the network. */
    public static final String STRIDE = "stride";

    private static final int DEFAULT_STRIDE = 32;

    /** The 80 classes of MS COCO that detection models are trained on, in their usual order. */
    public static final List<String> COCO = List.of(
            "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
            "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
            "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee",
            "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
            "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
            "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch",
            "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard",
            "cell phone", "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors",
            "teddy bear", "hair drier", "toothbrush");

    private Labels() {}

    /**
     * The names of so many classes, by class id: those of the metadata, else those of COCO if there are 80, else
     * {@code class0}, {@code class1} … An id that the metadata leaves out is called {@code class<id>}.
     *
     * @throws ModelException if the metadata is malformed
     * @throws UnsupportedModelException if the metadata names another number of classes
     */
    public static List<String> of(Map<String, String> metadata, int classes) {
        SortedMap<Integer, String> named = parse(metadata);
        if (named.isEmpty() && classes == COCO.size()) {
            return COCO;
        }
        if (!named.isEmpty() && named.lastKey() + 1 != classes) {
            throw new UnsupportedModelException("the metadata names " + (named.lastKey() + 1)
                    + " classes, the network's output has " + classes);
        }
        List<String> labels = new ArrayList<>(classes);
        for (int id = 0; id < classes; id++) {
            labels.add(named.getOrDefault(id, "class" + id));
        }
        return List.copyOf(labels);
    }

    /** The largest stride of the network, which input sizes must be multiples of; 32 if the metadata does not say. */
    public static int stride(Map<String, String> metadata) {
        String text = metadata.get(STRIDE);
        if (text == null) {
            return DEFAULT_STRIDE;
        }
        try {
            int stride = (int) Float.parseFloat(text.strip());
            if (stride >= 1 && stride <= 1024) {
                return stride;
            }
        } catch (NumberFormatException e) {
            // told below
        }
        throw new ModelException("metadata '" + STRIDE + "' is not a stride: " + LiteralParser.shorten(text));
    }

    /** Number of classes that the metadata names: the highest id and one; 0 if it names none. */
    static int count(Map<String, String> metadata) {
        SortedMap<Integer, String> named = parse(metadata);
        return named.isEmpty() ? 0 : named.lastKey() + 1;
    }

    private static SortedMap<Integer, String> parse(Map<String, String> metadata) {
        String text = metadata.get(NAMES);
        if (text == null || text.isBlank()) {
            return Collections.emptySortedMap();
        }
        return new LiteralParser(NAMES, text).names();
    }
}
