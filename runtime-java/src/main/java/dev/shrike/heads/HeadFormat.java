package dev.shrike.heads;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** The forms in which detection networks write what they see, as {@code --head} names them. */
public enum HeadFormat {
    /** {@code [1, N, 5 + classes]}: boxes, objectness, classes; three anchors at each place (YOLOv3, v4, v5, v7). */
    YOLOV5,
    /** As {@link #YOLOV5} with five landmarks between objectness and classes: {@code [1, N, 15 + classes]}. */
    YOLOV5_FACE,
    /** A tensor per stride, {@code [1, 3 * (5 + classes), H, W]}, before the sigmoid. */
    YOLOV5_RAW,
    /** {@code [1, N, 5 + classes]} with an objectness of 1 and one box at each place. */
    YOLOV6,
    /** {@code [1, N, 5 + classes]}, one box at each place, decoded or not; its images are BGR from 0 to 255. */
    YOLOX,
    /** {@code [1, 4 + classes, N]}: boxes and classes (YOLOv8, v9, 11, 12). */
    YOLOV8,
    /** A tensor per stride, {@code [1, 64 + classes, H, W]}, before softmax and sigmoid. */
    YOLOV8_RAW,
    /** {@code [1, N, 6]}: corners, score, class, suppressed already (YOLOv10, YOLO26, {@code nms=True}). */
    END_TO_END,
    /** Boxes {@code [1, N, 4]} and scores {@code [1, N, classes]} in two outputs. */
    BOXES_SCORES;

    /** All names, for messages. */
    public static String names() {
        return Arrays.stream(values()).map(HeadFormat::label).collect(Collectors.joining(", "));
    }

    /**
     * The form of a name, such as {@code yolov8-raw}.
     *
     * @throws IllegalArgumentException if there is none; lists them
     */
    public static HeadFormat of(String name) {
        for (HeadFormat format : values()) {
            if (format.label().equals(name.strip().toLowerCase(Locale.ROOT).replace('_', '-'))) {
                return format;
            }
        }
        throw new IllegalArgumentException("there is no head '" + name + "', but " + names());
    }

    /** Its name: {@code yolov8-raw}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
