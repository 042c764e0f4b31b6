package dev.shrike.heads;

import dev.shrike.UnsupportedModelException;
import dev.shrike.spi.Binding;
import dev.shrike.vision.Labels;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** The forms that a network can have that ends in a tensor for each stride, before the sigmoid. */
final class RawHeadForms {
    private static final int ANCHORS = 3;

    private final List<Binding> outputs;
    private final HeadSettings settings;
    private final int named;

    RawHeadForms(List<Binding> outputs, HeadSettings settings, int named) {
        this.outputs = outputs;
        this.settings = settings;
        this.named = named;
    }

    /** The form that fits, if exactly one does. */
    Optional<HeadDecoder> find() {
        if (isAmbiguous()) {
            return Optional.empty();
        }
        return isYolov8() ? yolov8() : yolov5();
    }

    /** Whether the shapes are those of two forms and nothing tells which. */
    boolean isAmbiguous() {
        if (named > 0 || yolov5Heads().isEmpty() || yolov8Heads().isEmpty()) {
            return false;
        }
        int coco = Labels.COCO.size();
        return yolov5Heads().getFirst().classes() != coco && yolov8Heads().getFirst().classes() != coco
                && !areConvolved();
    }

    /** YOLOv8 writes boxes and classes by two convolutions whose results are joined, YOLOv5 by one. */
    private boolean areConvolved() {
        return outputs.stream().allMatch(output -> settings.convolved().contains(output.name()));
    }

    private boolean isYolov8() {
        if (yolov8Heads().isEmpty() || yolov5Heads().isEmpty()) {
            return yolov5Heads().isEmpty();
        }
        return named > 0 ? yolov8Heads().getFirst().classes() == named
                : yolov8Heads().getFirst().classes() == Labels.COCO.size();
    }

    Optional<HeadDecoder> yolov8() {
        List<Yolov8Heads.Head> heads = yolov8Heads();
        return heads.isEmpty() ? Optional.empty() : Optional.of(new Yolov8Heads(heads));
    }

    Optional<HeadDecoder> yolov5() {
        List<Yolov5Heads.Head> heads = yolov5Heads();
        if (heads.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new Yolov5Heads(heads, anchorsFor(heads),
                !Labels.says(settings.metadata(), HeadDecoder.ANCHORS)));
    }

    private List<Yolov5Heads.Head> yolov5Heads() {
        List<Yolov5Heads.Head> heads = new ArrayList<>();
        for (Binding output : outputs) {
            Yolov5Heads.Head.of(output, ANCHORS, settings.inputWidth(), settings.inputHeight())
                    .filter(h -> named == 0 || named == h.classes()).ifPresent(heads::add);
        }
        heads.sort(Comparator.comparingInt(Yolov5Heads.Head::stride));
        return areAll(heads.stream().map(Yolov5Heads.Head::classes).toList(),
                heads.stream().map(Yolov5Heads.Head::stride).toList()) ? heads : List.of();
    }

    private List<Yolov8Heads.Head> yolov8Heads() {
        List<Yolov8Heads.Head> heads = new ArrayList<>();
        for (Binding output : outputs) {
            Yolov8Heads.Head.of(output, settings.inputWidth(), settings.inputHeight())
                    .filter(h -> named == 0 || named == h.classes()).ifPresent(heads::add);
        }
        heads.sort(Comparator.comparingInt(Yolov8Heads.Head::stride));
        return areAll(heads.stream().map(Yolov8Heads.Head::classes).toList(),
                heads.stream().map(Yolov8Heads.Head::stride).toList()) ? heads : List.of();
    }

    /**
     * Whether these are the heads of one network. One with further outputs does something else besides, such as masks,
     * whose values are among the scores.
     */
    private boolean areAll(List<Integer> classes, List<Integer> strides) {
        return classes.size() >= 2 && classes.size() == outputs.size() && classes.stream().distinct().count() == 1
                && strides.stream().distinct().count() == strides.size();
    }

    private float[] anchorsFor(List<Yolov5Heads.Head> heads) {
        if (Labels.says(settings.metadata(), HeadDecoder.ANCHORS)) {
            return Anchors.parse(settings.metadata().get(HeadDecoder.ANCHORS), heads.size() * ANCHORS);
        }
        List<Integer> strides = heads.stream().map(Yolov5Heads.Head::stride).toList();
        return Anchors.standard(strides).orElseThrow(() -> new UnsupportedModelException(heads.size()
                + " raw heads need anchors, since their strides " + strides + " are not those of YOLOv5's models: give"
                + " the option --anchors, or the metadata entry 'anchors' (pixels, smallest stride first)"));
    }

    /** The heads of YOLOv8 that one output holds one after the other, {@code [1, 64 + classes, N]} or transposed. */
    static List<Yolov8Heads.Head> parts(Rows rows, Grid grid, HeadSettings settings) {
        List<Yolov8Heads.Head> heads = new ArrayList<>();
        long from = 0;
        for (int stride : grid.strides()) {
            int height = Math.ceilDiv(settings.inputHeight(), stride);
            int width = Math.ceilDiv(settings.inputWidth(), stride);
            MemorySegment memory = rows.memory().asSlice(from * rows.boxStride() * Float.BYTES);
            Binding part = new Binding(rows.output().name(), List.of(1, rows.values(), height, width),
                    List.of(1, rows.valueStride(), width * rows.boxStride(), rows.boxStride()), memory);
            heads.add(new Yolov8Heads.Head(part, rows.values() - Yolov8Heads.BOX_VALUES, stride, height, width,
                    rows.valueStride(), (long) width * rows.boxStride(), rows.boxStride()));
            from += (long) height * width;
        }
        return heads;
    }
}
