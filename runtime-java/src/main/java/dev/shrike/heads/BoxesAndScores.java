package dev.shrike.heads;

import dev.shrike.ModelException;
import dev.shrike.vision.Preprocessing;
import java.util.List;
import java.util.Map;

/**
 * Boxes in one output, {@code [1, N, 4]}, and their class scores in another, {@code [1, N, classes]}; either may be
 * transposed. Where no suppression node says how boxes are written, they are taken for corners x1, y1, x2, y2 until a
 * box is seen that is inside out as corners; then for centre, width and height.
 */
final class BoxesAndScores implements HeadDecoder {
    /** Metadata entry with the name of how boxes are written, as in {@link Coding}, where the file tells. */
    static final String CODING = "shrike.boxes";

    /** Metadata entry that says "true" where scores are before the sigmoid. */
    static final String LOGITS = "shrike.logits";

    /** Part of all boxes that must be inside out as corners before they are taken for centres. */
    private static final int INSIDE_OUT = 100;

    /** How a box is written. */
    enum Coding {
        /** x1, y1, x2, y2. */
        CORNERS,
        /** y1, x1, y2, x2. */
        ROW_CORNERS,
        /** Centre x, centre y, width, height. */
        CENTRED;

        static Coding of(String text) {
            for (Coding coding : values()) {
                if (coding.name().equals(text)) {
                    return coding;
                }
            }
            throw new ModelException("metadata '" + CODING + "' is not one of " + List.of(values()));
        }
    }

    private final Rows boxes;
    private final Rows scores;
    private final RowScores row;
    private final boolean told;
    private final boolean logits;
    private Coding coding;

    BoxesAndScores(Rows boxes, Rows scores, Map<String, String> metadata) {
        this.boxes = boxes;
        this.scores = scores;
        row = new RowScores(scores.values());
        told = metadata.containsKey(CODING);
        coding = told ? Coding.of(metadata.get(CODING)) : Coding.CORNERS;
        logits = "true".equals(metadata.get(LOGITS));
    }

    @Override
    public int classes() {
        return row.classes();
    }

    @Override
    public String description() {
        return "boxes " + boxes.output().dims() + " and scores " + scores.output().dims();
    }

    @Override
    public List<String> notes() {
        return told
                ? List.of("its own suppression node is left out: the thresholds of the detector count instead")
                : List.of("its two outputs are taken for boxes and scores of a network that wants images as YOLOv5"
                        + " does (" + Preprocessing.YOLO.describe() + ")");
    }

    @Override
    public void check() {
        if (!logits) {
            scores.requireScores(0, scores.values(), "class scores",
                    "export the model with its scores behind the sigmoid");
        }
    }

    @Override
    public void decode(ScoreFilter filter, Candidates candidates) {
        if (!told && coding == Coding.CORNERS && areCentred()) {
            coding = Coding.CENTRED;
        }
        for (int box = 0; box < scores.boxes(); box++) {
            float best = Float.NEGATIVE_INFINITY;
            float finite = 0;
            for (int c = 0; c < row.classes(); c++) {
                float score = scores.value(box, c);
                finite += score * 0;
                score = logits ? Yolov5Heads.sigmoid(score) : score;
                row.set(c, score);
                best = Math.max(best, score);
            }
            if (finite != 0) {
                throw RowScores.notFinite(scores.output().name(), "box " + box);
            }
            if (best > filter.confidence()) {
                emit(box, filter, candidates);
            }
        }
    }

    private void emit(int box, ScoreFilter filter, Candidates candidates) {
        float a = boxes.value(box, 0);
        float b = boxes.value(box, 1);
        float c = boxes.value(box, 2);
        float d = boxes.value(box, 3);
        if (!Float.isFinite(a * 0 + b * 0 + c * 0 + d * 0)) {
            throw RowScores.notFinite(boxes.output().name(), "box " + box);
        }
        switch (coding) {
            // Of corners any two that face each other may be given, as ONNX's NonMaxSuppression allows.
            case CORNERS -> row.emit(filter, (a + c) / 2, (b + d) / 2, Math.abs(c - a), Math.abs(d - b), candidates);
            case ROW_CORNERS -> row.emit(filter, (b + d) / 2, (a + c) / 2, Math.abs(d - b), Math.abs(c - a),
                    candidates);
            case CENTRED -> row.emit(filter, a, b, c, d, candidates);
        }
    }

    private boolean areCentred() {
        int insideOut = 0;
        int boxesSeen = 0;
        for (int box = 0; box < boxes.boxes(); box++) {
            float a = boxes.value(box, 0);
            float b = boxes.value(box, 1);
            float c = boxes.value(box, 2);
            float d = boxes.value(box, 3);
            if (a != 0 || b != 0 || c != 0 || d != 0) {
                boxesSeen++;
                insideOut += c < a || d < b ? 1 : 0;
            }
        }
        return insideOut > boxesSeen / INSIDE_OUT;
    }
}
