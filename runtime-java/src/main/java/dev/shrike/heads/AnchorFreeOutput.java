package dev.shrike.heads;

import dev.shrike.UnsupportedModelException;
import dev.shrike.vision.Preprocessing;
import java.util.List;

/**
 * An output of YOLOv6 or YOLOX, {@code [1, N, 5 + classes]} or transposed: centre x, centre y, width, height,
 * objectness, class scores, one box at each place. YOLOv6 writes an objectness of 1 and boxes in pixels; YOLOX a real
 * one, and boxes in pixels or, unless exported with its decoding, offsets from the place and logarithms of sizes, in
 * strides: {@code x = (tx + gx) stride, w = exp(tw) stride} (Ge et al. 2021, "YOLOX: Exceeding YOLO Series in 2021").
 *
 * <p>Which of them it is shows in the values alone, so the network runs once on noise before its first image.
 */
final class AnchorFreeOutput implements HeadDecoder {
    private static final int OBJECTNESS = 4;
    private static final int FIRST_CLASS = 5;
    private static final float ONE = 0.999f;

    /** More strides than any input has, so that what is not a logarithm becomes an implausible box, not infinity. */
    private static final float LARGEST_EXPONENT = 30;

    private final Rows rows;
    private final RowScores row;
    private final float[] places;
    private final HeadFormat wanted;
    private final boolean certain;
    private boolean yolov6;
    private boolean raw;

    /**
     * A decoder of the output.
     *
     * @param places column, row and stride of each box, as {@link Grid#places} gives them
     * @param wanted the form that the user names, or null
     * @param certain whether the number of values says that there is an objectness
     */
    AnchorFreeOutput(Rows rows, float[] places, HeadFormat wanted, boolean certain) {
        this.rows = rows;
        this.places = places;
        this.wanted = wanted;
        this.certain = certain;
        row = new RowScores(rows.values() - FIRST_CLASS);
        yolov6 = wanted == HeadFormat.YOLOV6;
    }

    @Override
    public int classes() {
        return row.classes();
    }

    @Override
    public String description() {
        return (yolov6 ? "YOLOv6" : "YOLOX") + " output " + rows.output().dims();
    }

    @Override
    public Preprocessing preprocessing() {
        return yolov6 ? Preprocessing.YOLO : Preprocessing.YOLOX;
    }

    @Override
    public boolean needsTrial() {
        return true;
    }

    @Override
    public void tried() {
        Rows.Range objectness = rows.range(OBJECTNESS, OBJECTNESS + 1, rows.boxes());
        if (wanted == null) {
            yolov6 = objectness.low() >= ONE && objectness.high() <= 2 - ONE;
        }
        raw = !yolov6 && areOffsets();
        if (!certain && !yolov6 && !raw) {
            throw new UnsupportedModelException("the output " + rows.output().name() + " " + rows.output().dims()
                    + " has one box at each place and " + rows.values() + " values of each, which are either the "
                    + (rows.values() - 4) + " classes of YOLOv8 or objectness and the " + row.classes()
                    + " classes of YOLOX, and the file names no classes: say which with --head yolov8 or --head yolox");
        }
        check();
    }

    /** Whether boxes are nearer to offsets in strides than to pixels or to parts of the input, place by place. */
    private boolean areOffsets() {
        double asOffsets = 0;
        double asPixels = 0;
        double asParts = 0;
        float inputWidth = 0;
        for (int i = 0; i < places.length; i += 3) {
            inputWidth = Math.max(inputWidth, (places[i] + 1) * places[i + 2]);
        }
        for (int box = 0; box < rows.boxes(); box++) {
            float x = rows.value(box, 0);
            float y = rows.value(box, 1);
            if (x == 0 && y == 0 && rows.value(box, 2) == 0) {
                continue;
            }
            float stride = places[3 * box + 2];
            if (rows.value(box, 2) < 0 || rows.value(box, 3) < 0) {
                // A logarithm can be negative, a size cannot.
                asPixels += 1;
                asParts += 1;
            }
            asOffsets += square(x - 0.5) + square(y - 0.5);
            asPixels += square(x / stride - places[3 * box] - 0.5) + square(y / stride - places[3 * box + 1] - 0.5);
            asParts += 2 * square(x * inputWidth / stride - places[3 * box] - 0.5);
        }
        return asOffsets < asPixels && asOffsets < asParts;
    }

    private static double square(double x) {
        return x * x;
    }

    @Override
    public void check() {
        String otherwise = "export the model with its scores behind the sigmoid, or name its form with --head";
        rows.requireScores(OBJECTNESS, FIRST_CLASS, "an objectness", otherwise);
        rows.requireScores(FIRST_CLASS, rows.values(), "class scores", otherwise);
    }

    @Override
    public List<String> notes() {
        return yolov6 ? List.of()
                : List.of("its output is taken for that of YOLOX, whose images are BGR from 0 to 255, at the left"
                        + " and top of the input; if it is another's, name it with --head");
    }

    @Override
    public boolean scalesBoxes() {
        return !raw;
    }

    @Override
    public void decode(ScoreFilter filter, Candidates candidates) {
        for (int box = 0; box < rows.boxes(); box++) {
            float objectness = rows.value(box, OBJECTNESS);
            if (!(objectness > filter.confidence())) {
                if (!Float.isFinite(objectness)) {
                    throw RowScores.notFinite(rows.output().name(), "box " + box);
                }
                continue;
            }
            for (int c = 0; c < row.classes(); c++) {
                row.set(c, rows.value(box, FIRST_CLASS + c) * objectness);
            }
            float x = rows.value(box, 0);
            float y = rows.value(box, 1);
            float width = rows.value(box, 2);
            float height = rows.value(box, 3);
            if (!row.isFinite() || !Float.isFinite(x * 0 + y * 0 + width * 0 + height * 0 + objectness * 0)) {
                throw RowScores.notFinite(rows.output().name(), "box " + box);
            }
            if (raw) {
                float stride = places[3 * box + 2];
                row.emit(filter, (x + places[3 * box]) * stride, (y + places[3 * box + 1]) * stride,
                        size(width, stride), size(height, stride), candidates);
            } else {
                row.emit(filter, x, y, width, height, candidates);
            }
        }
    }

    private static float size(float logarithm, float stride) {
        return (float) Math.exp(Math.min(logarithm, LARGEST_EXPONENT)) * stride;
    }
}
