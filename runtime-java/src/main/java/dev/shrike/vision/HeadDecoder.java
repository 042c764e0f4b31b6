package dev.shrike.vision;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.spi.Binding;
import dev.shrike.spi.CandidateQuery;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Turns what a detection network writes into candidate boxes. Bound to the outputs of one executor; confined to one
 * thread at a time, and without garbage in the steady state.
 */
public sealed interface HeadDecoder permits Yolov5Output, Yolov5Heads, Yolov8Output {
    /** Metadata entry with the anchors of raw heads: width and height in pixels of the input, smallest stride first. */
    String ANCHORS = "anchors";

    /** Number of classes that the network tells apart. */
    int classes();

    /** Name of the form, for people: {@code "YOLOv5 output 1x25200x85"}. */
    String description();

    /** Whether the network ends in raw heads, so that anchors belong to it and no sigmoid stands before its outputs. */
    default boolean readsRawHeads() {
        return false;
    }

    /**
     * Appends the boxes that pass the filter, in the order of the network's output.
     *
     * @throws ModelException if the output holds values that are not finite
     */
    void decode(ScoreFilter filter, Candidates candidates);

    /**
     * The decoder of a part of the output's boxes, which lie in the order of the strides, smallest first.
     *
     * @param from share of the boxes that are left out at the beginning, 0 to 1
     * @param to share where they end
     * @throws UnsupportedModelException if the output does not have all boxes in one list
     */
    default HeadDecoder part(double from, double to) {
        throw new UnsupportedModelException(
                "augmentation is for networks with the output of YOLOv5's export, [1, N, 5 +"
                        + " classes]; this one has a " + description());
    }

    /**
     * What {@link #decode} with this filter gives, as a question to an executor that can answer it by itself; empty for
     * raw heads.
     */
    default Optional<CandidateQuery> query(ScoreFilter filter) {
        return Optional.empty();
    }

    /**
     * The decoder for the outputs of a network, chosen by their shapes and the model's metadata: the exported YOLOv5
     * output {@code [1, N, 5 + classes]}, the YOLOv8 output {@code [1, 4 + classes, N]}, or three (four) raw YOLOv5
     * heads {@code [1, A * (5 + classes), H, W]} or {@code [1, A, H, W, 5 + classes]} with A = 3 and nothing besides.
     * Raw heads have the anchors of the metadata or, with strides 8, 16, 32 (and 64), those of YOLOv5 for COCO.
     *
     * @param outputs bindings that stay valid as long as the decoder
     * @param inputWidth width of the network's input in pixels
     * @param inputHeight height of the network's input in pixels
     * @param metadata the model's metadata; {@code names}, {@code task} and {@code anchors} are looked at
     * @throws UnsupportedModelException if no decoder fits; names the outputs with their shapes
     * @throws ModelException if the metadata is malformed
     */
    static HeadDecoder of(List<Binding> outputs, int inputWidth, int inputHeight, Map<String, String> metadata) {
        return HeadChoice.choose(outputs, inputWidth, inputHeight, metadata);
    }
}
