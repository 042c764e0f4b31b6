package dev.shrike.vision;

import dev.shrike.UnsupportedModelException;
import dev.shrike.spi.Binding;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Finds the head decoder that fits the outputs of a network. */
final class HeadChoice {
    private final List<Binding> outputs;
    private final int inputWidth;
    private final int inputHeight;
    private final Map<String, String> metadata;
    /** Number of class names in the metadata, 0 if there are none. */
    private final int named;

    private HeadChoice(List<Binding> outputs, int inputWidth, int inputHeight, Map<String, String> metadata) {
        this.outputs = outputs;
        this.inputWidth = inputWidth;
        this.inputHeight = inputHeight;
        this.metadata = metadata;
        this.named = Labels.count(metadata);
    }

    static HeadDecoder choose(List<Binding> outputs, int inputWidth, int inputHeight, Map<String, String> metadata) {
        for (Binding output : outputs) {
            Bindings.requireMemory(output);
        }
        HeadChoice choice = new HeadChoice(outputs, inputWidth, inputHeight, metadata);
        String task = metadata.getOrDefault("task", "detect");
        if (!task.equals("detect")) {
            throw choice.unsupported("its metadata says task '" + task + "', and only 'detect' is supported");
        }
        return choice.joined().or(choice::heads).orElseThrow(() -> choice.unsupported("expected [1, N, 5 + classes] "
                + "(YOLOv5), [1, 4 + classes, N] (YOLOv8) or three raw heads [1, A * (5 + classes), H, W]"));
    }

    /** A decoder of one tensor with all boxes. */
    private Optional<HeadDecoder> joined() {
        for (Binding output : outputs) {
            if (output.dims().size() != 3 || output.dims().get(0) != 1) {
                continue;
            }
            Optional<HeadDecoder> decoder = joined(output);
            if (decoder.isPresent()) {
                return decoder;
            }
        }
        return Optional.empty();
    }

    private Optional<HeadDecoder> joined(Binding output) {
        int rows = output.dims().get(1);
        int columns = output.dims().get(2);
        boolean yolov5 = fits(columns - 5);
        boolean yolov8 = fits(rows - 4);
        boolean transposed = fits(columns - 4);
        // A number of boxes that the input's size explains is a surer sign than which dimension is the longer.
        if (yolov5 && isGrid(rows, 3)) {
            return Optional.of(new Yolov5Output(output));
        }
        if (yolov8 && isGrid(columns, 1)) {
            return Optional.of(new Yolov8Output(output, false));
        }
        if (transposed && isGrid(rows, 1)) {
            return Optional.of(new Yolov8Output(output, true));
        }
        if (yolov5 && rows > columns) {
            return Optional.of(new Yolov5Output(output));
        }
        if (yolov8 && columns > rows) {
            return Optional.of(new Yolov8Output(output, false));
        }
        return Optional.empty();
    }

    /** Whether that many classes are possible and agree with the names, if there are any. */
    private boolean fits(int classes) {
        return classes >= 1 && (named == 0 || named == classes);
    }

    /** Whether that many boxes are what the usual strides give with so many anchors at each place. */
    private boolean isGrid(int boxes, int anchors) {
        long places = 0;
        for (int stride = 8; stride <= 64; stride *= 2) {
            places += (long) Math.ceilDiv(inputWidth, stride) * Math.ceilDiv(inputHeight, stride);
            if (stride >= 32 && boxes == anchors * places) {
                return true;
            }
        }
        return false;
    }

    /** A decoder of one tensor per stride. */
    private Optional<HeadDecoder> heads() {
        List<Yolov5Heads.Head> heads = new ArrayList<>();
        int anchors = 3;
        for (Binding output : outputs) {
            Optional<Yolov5Heads.Head> head = Yolov5Heads.Head.of(output, anchors, inputWidth, inputHeight);
            head.filter(h -> fits(h.classes())).ifPresent(heads::add);
        }
        heads.sort(Comparator.comparingInt(Yolov5Heads.Head::stride));
        boolean alike = heads.stream().map(Yolov5Heads.Head::classes).distinct().count() == 1
                && heads.stream().map(Yolov5Heads.Head::stride).distinct().count() == heads.size();
        // A network with further outputs does something else besides, such as masks, whose values are among the scores.
        if (!alike || heads.size() < 2 || heads.size() < outputs.size()) {
            return Optional.empty();
        }
        return Optional.of(new Yolov5Heads(heads, anchorsFor(heads, anchors)));
    }

    private float[] anchorsFor(List<Yolov5Heads.Head> heads, int anchors) {
        String text = metadata.get(HeadDecoder.ANCHORS);
        if (text != null) {
            return Anchors.parse(text, heads.size() * anchors);
        }
        List<Integer> strides = heads.stream().map(Yolov5Heads.Head::stride).toList();
        return Anchors.standard(strides).orElseThrow(() -> unsupported(heads.size() + " raw heads need anchors, since"
                + " their strides " + strides + " are not those of YOLOv5's models: give the option, or the metadata"
                + " entry 'anchors' (pixels, smallest stride first)"));
    }

    private UnsupportedModelException unsupported(String why) {
        String shapes = outputs.stream()
                .map(o -> o.name() + " " + o.dims())
                .collect(Collectors.joining(", "));
        String names = named == 0 ? "" : " and " + named + " class names";
        return new UnsupportedModelException(
                "the outputs " + shapes + names + " are not those of a known detection network: " + why);
    }
}
