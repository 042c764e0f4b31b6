package dev.shrike.heads;

import dev.shrike.spi.Binding;
import dev.shrike.vision.Labels;
import java.util.List;
import java.util.Optional;

/** The forms that one output with all boxes can have, {@code [1, N, values]} or {@code [1, values, N]}. */
final class JoinedForms {
    /** Most boxes at each place. */
    static final int MOST_ANCHORS = 9;

    /** Boxes that a DETR asks for. */
    static final int QUERIES = 300;

    /** Networks that suppress by themselves give 100, 300 or 1000 boxes. */
    private static final int ROUND = 50;

    private static final int LANDMARKS = 10;
    private static final int[] USUAL_ANCHORS = {1, 3};
    private static final int[] OTHER_ANCHORS = {2, 4, 5, 6, 7, 8, MOST_ANCHORS};
    private static final int COCO = Labels.COCO.size();

    private final Binding output;
    private final List<Binding> others;
    private final HeadSettings settings;
    private final Task task;
    private final int named;
    private final Optional<Binding> masks;

    /**
     * The forms of an output.
     *
     * @param others the other outputs of the network, which a form must explain too
     * @param named number of classes that the file names, 0 if it names none
     */
    JoinedForms(Binding output, List<Binding> others, HeadSettings settings, Task task, int named) {
        this.output = output;
        this.others = others;
        this.settings = settings;
        this.task = task;
        this.named = named;
        this.masks = others.stream().filter(this::areMasks).findFirst();
    }

    /** The form that fits, if one does. */
    Optional<HeadDecoder> find() {
        boolean round = output.dims().get(1) % ROUND == 0 || output.dims().get(2) % ROUND == 0;
        if (task.suppressed() || round && !isOnUsualGrid()) {
            Optional<HeadDecoder> suppressed = endToEnd();
            if (suppressed.isPresent()) {
                return suppressed;
            }
        }
        // The usual strides and anchors are the surer sign: on a small input others give nearly any number of boxes.
        return onGrid(true, USUAL_ANCHORS).or(() -> onGrid(false, USUAL_ANCHORS))
                .or(() -> onGrid(true, OTHER_ANCHORS))
                .or(() -> round ? Optional.empty() : onGrid(false, OTHER_ANCHORS)).or(this::byNames)
                .or(() -> isOnUsualGrid() ? Optional.empty() : endToEnd());
    }

    private Optional<HeadDecoder> endToEnd() {
        return endToEnd(false).or(() -> endToEnd(true));
    }

    /** The output in a form that the user names, if it can have that. */
    Optional<HeadDecoder> told(HeadFormat format) {
        boolean tall = output.dims().get(1) > output.dims().get(2);
        Rows rows = Rows.of(output, !tall);
        return switch (format) {
            case YOLOV5 -> yolov5(rows, 0);
            case YOLOV5_FACE -> yolov5(rows, LANDMARKS);
            case YOLOV8 -> yolov8(rows);
            case YOLOV6, YOLOX -> grid(rows, 1, 1).filter(_ -> fits(rows.values() - 5))
                    .map(grid -> anchorFree(rows, grid, format, true));
            case END_TO_END -> endToEnd(!tall);
            case YOLOV5_RAW, YOLOV8_RAW, BOXES_SCORES -> Optional.empty();
        };
    }

    /** The form with as many boxes as the input has places, or a multiple of it. */
    private Optional<HeadDecoder> onGrid(boolean usual, int[] anchors) {
        for (boolean transposed : new boolean[] {false, true}) {
            Rows rows = Rows.of(output, transposed);
            for (int each : anchors) {
                Optional<Grid> grid = grid(rows, each, 2).filter(found -> found.isUsual() == usual);
                Optional<HeadDecoder> decoder = grid.flatMap(found -> each == 1 ? singleBox(rows, found, transposed)
                        : yolov5(rows, 0).or(() -> named > 0 ? yolov5(rows, LANDMARKS) : Optional.empty()));
                if (decoder.isPresent()) {
                    return decoder;
                }
            }
        }
        return Optional.empty();
    }

    /** One box at each place: the names tell whether there is an objectness, or else the 80 classes of COCO. */
    private Optional<HeadDecoder> singleBox(Rows rows, Grid grid, boolean transposed) {
        int values = rows.values();
        int classes = named > 0 ? named : COCO;
        if (values == 5 + classes && explains(classes)) {
            return Optional.of(anchorFree(rows, grid, null, true));
        }
        if (values == Yolov8Heads.BOX_VALUES + classes && explains(classes)) {
            return Optional.of(new Yolov8Heads(RawHeadForms.parts(rows, grid, settings)));
        }
        Optional<HeadDecoder> yolov8 = yolov8(rows);
        boolean certain = named > 0 || transposed || values == 4 + COCO || masks.isPresent();
        return certain || !fits(values - 5) ? yolov8 : Optional.of(anchorFree(rows, grid, null, false));
    }

    /** A form that the names alone explain, for inputs and strides that are not the usual ones. */
    private Optional<HeadDecoder> byNames() {
        if (named == 0 || isOnUsualGrid()) {
            return Optional.empty();
        }
        Rows plain = Rows.of(output, false);
        Rows turned = Rows.of(output, true);
        Optional<HeadDecoder> found = plain.values() == 5 + named ? yolov5(plain, 0)
                : turned.values() == 4 + named ? yolov8(turned)
                        : plain.values() == 4 + named ? yolov8(plain) : Optional.empty();
        // A round number of boxes is what was left of more, or asked for, in rows of another order.
        boolean round = (turned.values() == 4 + named ? turned : plain).boxes() % ROUND == 0;
        return round ? Optional.empty() : found;
    }

    private Optional<HeadDecoder> yolov5(Rows rows, int landmarks) {
        int classes = rows.values() - 5 - landmarks - maskValues();
        if (!fits(classes)) {
            return Optional.empty();
        }
        return Optional.of(new Yolov5Output(rows, 5 + landmarks, classes, leftOut(landmarks > 0 ? "landmarks" : "")));
    }

    private Optional<HeadDecoder> yolov8(Rows rows) {
        int classes = rows.values() - 4 - maskValues() - keypointValues(rows.values() - 4);
        return fits(classes) ? Optional.of(new Yolov8Output(rows, classes, leftOut(""))) : Optional.empty();
    }

    private HeadDecoder anchorFree(Rows rows, Grid grid, HeadFormat format, boolean certain) {
        return new AnchorFreeOutput(rows, grid.places(settings.inputWidth(), settings.inputHeight()), format, certain);
    }

    private Optional<HeadDecoder> endToEnd(boolean transposed) {
        Rows rows = Rows.of(output, transposed);
        int more = rows.values() - EndToEndOutput.VALUES;
        boolean explained = more == 0 && !masks.isPresent() || more > 0 && more == maskValues()
                || more > 0 && !task.name().equals("detect") && more == keypointValues(more + named);
        if (!explained || rows.boxes() < 2 || !explains(0)) {
            return Optional.empty();
        }
        return Optional.of(new EndToEndOutput(rows, named, leftOut("")));
    }

    /** Numbers of a box that weigh masks. */
    private int maskValues() {
        return masks.map(m -> m.dims().get(1)).orElse(0);
    }

    /** Numbers of a box that are keypoints, of so many behind the box. */
    private int keypointValues(int values) {
        if (!task.name().equals("pose")) {
            return 0;
        }
        int rest = values - named;
        return task.keypointValues() > 0 ? task.keypointValues() : named > 0 && rest > 0 ? rest : 0;
    }

    private List<String> leftOut(String landmarks) {
        String what = masks.isPresent() ? "masks" : task.name().equals("pose") ? "keypoints" : landmarks;
        return what.isEmpty() ? List.of() : List.of("it gives " + what + " besides: only its boxes are used");
    }

    /** Whether that many classes are possible, agree with the names, if there are any, and with the other outputs. */
    private boolean fits(int classes) {
        return classes >= 1 && (named == 0 || named == classes) && explains(classes);
    }

    private boolean explains(int classes) {
        return others.stream().allMatch(other -> masks.isPresent() && masks.get() == other
                || settings.format().isPresent() || isHead(other, classes));
    }

    /** Whether an output is a raw head from which this output was decoded, as older exports have them besides. */
    private boolean isHead(Binding other, int classes) {
        List<Integer> dims = other.dims();
        return switch (dims.size()) {
            case 4 -> dims.get(1) == 3 * (5 + classes) || dims.get(1) == Yolov8Heads.BOX_VALUES + classes;
            case 5 -> dims.get(4) == 5 + classes;
            default -> false;
        };
    }

    /** Whether an output holds the masks that boxes are weighed sums of: {@code [1, masks, H / 4, W / 4]}. */
    private boolean areMasks(Binding other) {
        List<Integer> dims = other.dims();
        return !task.name().equals("pose") && dims.size() == 4 && dims.get(0) == 1
                && Math.ceilDiv(settings.inputHeight(), 4) == dims.get(2)
                && Math.ceilDiv(settings.inputWidth(), 4) == dims.get(3);
    }

    private Optional<Grid> grid(Rows rows, int anchors, int fewestStrides) {
        return Grid.of(rows.boxes(), anchors, settings.inputWidth(), settings.inputHeight(), fewestStrides);
    }

    private boolean isOnUsualGrid() {
        for (int anchors : USUAL_ANCHORS) {
            if (grid(Rows.of(output, false), anchors, 2).filter(Grid::isUsual).isPresent()
                    || grid(Rows.of(output, true), anchors, 2).filter(Grid::isUsual).isPresent()) {
                return true;
            }
        }
        return false;
    }
}
