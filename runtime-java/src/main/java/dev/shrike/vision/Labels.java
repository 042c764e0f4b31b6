package dev.shrike.vision;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Names of classes and other facts that exported models carry in their metadata. */
public final class Labels {
    /** Metadata entry with the names: a Python or JSON list, or a dict from class id to name. */
    public static final String NAMES = "names";

    /** Metadata entry with the largest stride of the network. */
    public static final String STRIDE = "stride";

    private static final int DEFAULT_STRIDE = 32;
    private static final int LARGEST_STRIDE = 1024;
    private static final Pattern NUMBER = Pattern.compile("(?<![\\w.-])\\d+(\\.\\d*)?(?![\\w.])");

    /** What Python and JSON write where there is nothing. */
    private static final Set<String> NOTHING = Set.of("none", "null", "nan", "''", "\"\"", "undefined");

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

    /**
     * The largest stride of the network, which input sizes must be multiples of: the largest number of the metadata's
     * entry, be it one, a list of strides or the text of a tensor; 32 if it holds none within 1 to 1024.
     */
    public static int stride(Map<String, String> metadata) {
        int largest = 0;
        Matcher numbers = NUMBER.matcher(metadata.getOrDefault(STRIDE, ""));
        while (numbers.find()) {
            double stride = Double.parseDouble(numbers.group());
            if (stride >= 1 && stride <= LARGEST_STRIDE) {
                largest = Math.max(largest, (int) stride);
            }
        }
        return largest == 0 ? DEFAULT_STRIDE : largest;
    }

    /** Whether the metadata has an entry that is not empty, nor what Python and JSON write for nothing. */
    public static boolean says(Map<String, String> metadata, String entry) {
        String text = metadata.getOrDefault(entry, "").strip();
        return !text.isEmpty() && !NOTHING.contains(text.toLowerCase(Locale.ROOT));
    }

    /** Number of classes that the metadata names: the highest id and one; 0 if it names none. */
    public static int count(Map<String, String> metadata) {
        SortedMap<Integer, String> named = parse(metadata);
        return named.isEmpty() ? 0 : named.lastKey() + 1;
    }

    private static SortedMap<Integer, String> parse(Map<String, String> metadata) {
        return says(metadata, NAMES) ? new LiteralParser(NAMES, metadata.get(NAMES)).names()
                : Collections.emptySortedMap();
    }
}
