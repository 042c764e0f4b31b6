package dev.shrike.heads;

import dev.shrike.UnsupportedModelException;
import java.util.ArrayList;
import java.util.List;

/**
 * An output that needs no suppression, {@code [1, N, 6]} or transposed: x1, y1, x2, y2, score, class; perhaps more
 * values behind, such as masks (YOLOv10, YOLO26, exports with {@code nms=True}). Rows without an object have the score
 * 0.
 */
final class EndToEndOutput implements HeadDecoder {
    static final int VALUES = 6;

    /** Classes that a network may have whose file names none. */
    static final int UNNAMED_CLASSES = 1000;

    private static final int SCORE = 4;
    private static final int CLASS = 5;

    private final Rows rows;
    private final int classes;
    private final boolean named;
    private final List<String> notes;

    /**
     * A decoder of the output.
     *
     * @param named number of classes that the file names, 0 if it names none
     * @param notes what people should know about values behind the class
     */
    EndToEndOutput(Rows rows, int named, List<String> notes) {
        this.notes = new ArrayList<>(notes);
        if (named == 0) {
            this.notes.add("its file names no classes, so they are called by their numbers");
        }
        this.rows = rows;
        this.named = named > 0;
        classes = named > 0 ? named : UNNAMED_CLASSES;
    }

    @Override
    public int classes() {
        return classes;
    }

    @Override
    public String description() {
        return "end-to-end output " + rows.output().dims();
    }

    @Override
    public boolean isSuppressed() {
        return true;
    }

    @Override
    public List<String> notes() {
        return List.copyOf(notes);
    }

    @Override
    public void check() {
        String otherwise = "rows of x1, y1, x2, y2, score and class were expected; name its form with --head, or export"
                + " the model without suppression (nms=False)";
        rows.requireScores(SCORE, SCORE + 1, "scores", otherwise);
        for (int box = 0; box < rows.boxes(); box++) {
            if (rows.value(box, SCORE) > 0) {
                classOf(box);
            }
        }
    }

    @Override
    public void decode(ScoreFilter filter, Candidates candidates) {
        int insideOut = 0;
        int found = 0;
        for (int box = 0; box < rows.boxes(); box++) {
            float score = rows.value(box, SCORE);
            if (!(score > filter.confidence())) {
                if (!Float.isFinite(score)) {
                    throw RowScores.notFinite(rows.output().name(), "row " + box);
                }
                continue;
            }
            float x1 = rows.value(box, 0);
            float y1 = rows.value(box, 1);
            float x2 = rows.value(box, 2);
            float y2 = rows.value(box, 3);
            if (!Float.isFinite(x1 * 0 + y1 * 0 + x2 * 0 + y2 * 0 + score * 0)) {
                throw RowScores.notFinite(rows.output().name(), "row " + box);
            }
            int classId = classOf(box);
            found++;
            insideOut += x2 < x1 || y2 < y1 ? 1 : 0;
            if (filter.wants(classId)) {
                candidates.addCentred((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1, score, classId);
            }
        }
        if (2 * insideOut > found) {
            throw new UnsupportedModelException("the output " + rows.output().name() + " " + rows.output().dims()
                    + " holds " + insideOut + " boxes of " + found + " that are inside out as x1, y1, x2, y2: it is not"
                    + " an end-to-end output; name its form with --head");
        }
    }

    private int classOf(int box) {
        float value = rows.value(box, CLASS);
        int id = Math.round(value);
        // Half precision holds whole numbers to 2048.
        if (!(Math.abs(value - id) < 0.01f) || id < 0 || id >= classes) {
            throw new UnsupportedModelException("the output " + rows.output().name() + " " + rows.output().dims()
                    + " holds " + value + " where the number of a class should be" + (named ? ", 0 to "
                            + (classes - 1) : "")
                    + ": its rows are not x1, y1, x2, y2, score, class; name its form with --head");
        }
        return id;
    }
}
