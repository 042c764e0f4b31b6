package dev.shrike.heads;

import dev.shrike.UnsupportedModelException;
import dev.shrike.spi.Binding;
import dev.shrike.vision.Bindings;
import dev.shrike.vision.Labels;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Finds the head decoder that fits the outputs of a network. */
final class HeadChoice {
    private static final Set<String> TASKS = Set.of("detect", "segment", "pose");

    private final List<Binding> outputs;
    private final HeadSettings settings;
    private final Task task;
    /** Number of class names in the metadata, 0 if there are none. */
    private final int named;

    private HeadChoice(List<Binding> outputs, HeadSettings settings) {
        this.outputs = outputs;
        this.settings = settings;
        this.task = Task.of(settings.metadata());
        this.named = Labels.count(settings.metadata());
    }

    static HeadDecoder choose(List<Binding> outputs, HeadSettings settings) {
        for (Binding output : outputs) {
            Bindings.requireMemory(output);
        }
        HeadChoice choice = new HeadChoice(outputs, settings);
        if (!TASKS.contains(choice.task.name())) {
            throw choice.unsupported("its metadata says task '" + choice.task.name() + "', and only 'detect' is"
                    + " supported, and the boxes of 'segment' and 'pose'");
        }
        return settings.format().isPresent() ? choice.told(settings.format().get()) : choice.found();
    }

    private HeadDecoder found() {
        RawHeadForms raw = new RawHeadForms(outputs, settings, named);
        Optional<HeadDecoder> pair = pair();
        return pair.or(this::joined).or(raw::find).orElseThrow(() -> unsupported(raw.isAmbiguous()
                ? "they can be raw heads of YOLOv5 or of YOLOv8: say which with --head yolov5-raw or --head yolov8-raw"
                : "expected [1, N, 5 + classes] (YOLOv5), [1, 4 + classes, N] (YOLOv8), [1, N, 6] (end to end) or raw"
                        + " heads with a box for each place of the input" + kin() + "; if you know the form, name it"
                        + " with --head: " + HeadFormat.names()));
    }

    /** The decoder of the form that the user names, whatever speaks for others. */
    private HeadDecoder told(HeadFormat format) {
        Optional<HeadDecoder> decoder = switch (format) {
            case BOXES_SCORES -> pair();
            case YOLOV5_RAW -> new RawHeadForms(outputs, settings, named).yolov5();
            case YOLOV8_RAW -> new RawHeadForms(outputs, settings, named).yolov8();
            case YOLOV5, YOLOV5_FACE, YOLOV6, YOLOX, YOLOV8, END_TO_END -> joinedOutputs().stream()
                    .map(output -> new JoinedForms(output, others(output), settings, task, named).told(format))
                    .flatMap(Optional::stream).findFirst();
        };
        return decoder.orElseThrow(() -> unsupported("they cannot be those of --head " + format.label()));
    }

    /** A decoder of one tensor with all boxes. */
    private Optional<HeadDecoder> joined() {
        return joinedOutputs().stream()
                .map(output -> new JoinedForms(output, others(output), settings, task, named).find())
                .flatMap(Optional::stream).findFirst();
    }

    private List<Binding> joinedOutputs() {
        return outputs.stream().filter(o -> o.dims().size() == 3 && o.dims().get(0) == 1).toList();
    }

    private List<Binding> others(Binding output) {
        return outputs.stream().filter(other -> other != output).toList();
    }

    /** A decoder of boxes and scores in two tensors. */
    private Optional<HeadDecoder> pair() {
        if (outputs.size() != 2) {
            return Optional.empty();
        }
        for (int i = 0; i < 2; i++) {
            Optional<HeadDecoder> decoder = pair(outputs.get(i), outputs.get(1 - i));
            if (decoder.isPresent()) {
                return decoder;
            }
        }
        return Optional.empty();
    }

    private Optional<HeadDecoder> pair(Binding first, Binding second) {
        Binding boxes = flat(first);
        Binding scores = flat(second);
        if (boxes.dims().size() != 3 || scores.dims().size() != 3 || boxes.dims().get(0) != 1
                || scores.dims().get(0) != 1) {
            return Optional.empty();
        }
        boolean turned = boxes.dims().get(2) != 4;
        Rows boxRows = Rows.of(boxes, turned);
        boolean turnedScores = scores.dims().get(1) != boxRows.boxes();
        Rows scoreRows = Rows.of(scores, turnedScores);
        boolean fits = boxRows.values() == 4 && boxRows.boxes() != 4 && boxRows.boxes() == scoreRows.boxes()
                && (named == 0 || named == scoreRows.values());
        boolean told = settings.metadata().containsKey(BoxesAndScores.CODING) || settings.format().isPresent();
        if (!fits || !told && !isGrid(boxRows.boxes())) {
            return Optional.empty();
        }
        return Optional.of(new BoxesAndScores(boxRows, scoreRows, settings.metadata()));
    }

    private boolean isGrid(int boxes) {
        for (int anchors = 1; anchors <= JoinedForms.MOST_ANCHORS; anchors++) {
            if (Grid.of(boxes, anchors, settings.inputWidth(), settings.inputHeight(), 2).isPresent()) {
                return true;
            }
        }
        return false;
    }

    /** A tensor of four dimensions, one of which beside the first is 1, as one of three. */
    private static Binding flat(Binding output) {
        if (output.dims().size() != 4) {
            return output;
        }
        for (int axis = 2; axis >= 1; axis--) {
            if (output.dims().get(axis) == 1) {
                List<Integer> dims = new ArrayList<>(output.dims());
                List<Integer> strides = new ArrayList<>(output.strides());
                dims.remove(axis);
                strides.remove(axis);
                return new Binding(output.name(), dims, strides, output.memory());
            }
        }
        return output;
    }

    /** What other family the outputs look like, for messages. */
    private String kin() {
        List<List<Integer>> dims = outputs.stream().map(Binding::dims).toList();
        if (dims.size() >= 4 && dims.size() % 2 == 0 && dims.stream().allMatch(d -> d.size() == 3)
                && dims.stream().map(List::getLast).distinct().count() == 2) {
            return "; these look like NanoDet's, which Shrike does not decode";
        }
        if (dims.size() == 1 && dims.getFirst().size() == 4) {
            return "; this looks like a network with one head, such as FastestDet, which Shrike does not decode";
        }
        if (dims.size() == 1 && dims.getFirst().size() == 2) {
            return "; this looks like a network of its own kind, such as Yolo-FastestV2, which Shrike does not decode";
        }
        if (dims.stream().anyMatch(d -> d.size() == 3 && d.get(1) == JoinedForms.QUERIES)) {
            return "; these look like those of a DETR, which Shrike does not decode";
        }
        return "";
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
