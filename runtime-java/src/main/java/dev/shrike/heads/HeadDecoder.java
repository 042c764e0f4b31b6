package dev.shrike.heads;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.spi.Binding;
import dev.shrike.spi.CandidateQuery;
import dev.shrike.vision.Preprocessing;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Turns what a detection network writes into candidate boxes. Bound to the outputs of one executor; confined to one
 * thread at a time, and without garbage in the steady state.
 */
public sealed interface HeadDecoder permits AnchorFreeOutput, BoxesAndScores, EndToEndOutput,
        Yolov5Heads, Yolov5Output, Yolov8Heads, Yolov8Output {
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

    /** How the network wants its images; asked for after {@link #tried}. */
    default Preprocessing preprocessing() {
        return Preprocessing.YOLO;
    }

    /**
     * Whether the network has to run once, on anything, before its first image: its shapes do not tell its family.
     */
    default boolean needsTrial() {
        return false;
    }

    /**
     * Takes in what the network wrote in the trial.
     *
     * @throws UnsupportedModelException if the values are not those of a known network, or of more than one
     */
    default void tried() {}

    /**
     * Returns if the values of the outputs, whatever was seen, can be what this decoder takes them for. Cheap enough
     * for the first image, not for each.
     *
     * @throws UnsupportedModelException otherwise; gives the range of values and the way out
     */
    void check();

    /** Whether boxes may be given in parts of the input instead of its pixels. */
    default boolean scalesBoxes() {
        return true;
    }

    /** Whether the network has suppressed overlapping boxes already. */
    default boolean isSuppressed() {
        return false;
    }

    /** What people should know about how the outputs are read, a line each; asked for after {@link #tried}. */
    default List<String> notes() {
        return List.of();
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
     * The decoder for the outputs of a network, chosen by their shapes and the model's metadata. A form is taken only
     * if it explains every output, and the number of values of a box by the names of the classes or as the one form
     * that can have so many.
     *
     * @param outputs bindings that stay valid as long as the decoder
     * @throws UnsupportedModelException if no decoder fits, or more than one; names the outputs with their shapes
     * @throws ModelException if the metadata is malformed
     */
    static HeadDecoder of(List<Binding> outputs, HeadSettings settings) {
        return HeadChoice.choose(outputs, settings);
    }

    /** As {@link #of(List, HeadSettings)} where nothing is known but the metadata. */
    static HeadDecoder of(List<Binding> outputs, int inputWidth, int inputHeight, Map<String, String> metadata) {
        return of(outputs, new HeadSettings(inputWidth, inputHeight, metadata, Optional.empty(), Set.of()));
    }
}
