package dev.shrike.heads;

import dev.shrike.ModelException;
import dev.shrike.spi.Binding;
import dev.shrike.spi.CandidateQuery;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;

/**
 * The output of an exported YOLOv5, {@code [1, N, 5 + classes]}: centre x, centre y, width, height in pixels of the
 * input, objectness, class scores; all already through the sigmoid. The score of a box is objectness times class score,
 * and a box takes part only if its objectness alone is above the threshold (YOLOv5 v6.1 {@code non_max_suppression}).
 */
final class Yolov5Output implements HeadDecoder {
    /** What to do with rows that hold something else. */
    private static final String OTHERWISE = "its rows hold other values too, such as landmarks or masks, or scores"
            + " before the sigmoid; export the model for detection alone, or name its form with --head";

    private static final int OBJECTNESS = 4;
    private static final int FIRST_CLASS = 5;

    private final Rows rows;
    private final Binding output;
    private final MemorySegment memory;
    private final int boxes;
    private final long boxStride;
    private final long valueStride;
    private final int firstClass;
    private final RowScores row;
    private final List<String> notes;

    /** A decoder of rows that hold nothing besides. */
    Yolov5Output(Rows rows) {
        this(rows, FIRST_CLASS, rows.values() - FIRST_CLASS, List.of());
    }

    /**
     * A decoder of rows that hold other values too.
     *
     * @param firstClass position of the first class's score in a row
     * @param classes number of classes
     * @param notes what people should know about the other values
     */
    Yolov5Output(Rows rows, int firstClass, int classes, List<String> notes) {
        this.rows = rows;
        this.notes = List.copyOf(notes);
        this.firstClass = firstClass;
        output = rows.output();
        memory = rows.memory();
        boxes = rows.boxes();
        boxStride = rows.boxStride();
        valueStride = rows.valueStride();
        row = new RowScores(classes);
    }

    @Override
    public int classes() {
        return row.classes();
    }

    @Override
    public String description() {
        return "YOLOv5 output " + output.dims();
    }

    @Override
    public HeadDecoder part(double from, double to) {
        int first = (int) Math.round(from * boxes);
        int end = (int) Math.round(to * boxes);
        return new Yolov5Output(rows.part(first, end), firstClass, row.classes(), notes);
    }

    @Override
    public List<String> notes() {
        return notes;
    }

    @Override
    public void check() {
        rows.requireScores(OBJECTNESS, FIRST_CLASS, "an objectness", OTHERWISE);
        rows.requireScores(firstClass, firstClass + row.classes(), "class scores", OTHERWISE);
    }

    @Override
    public Optional<CandidateQuery> query(ScoreFilter filter) {
        if (rows.values() != FIRST_CLASS + row.classes()) {
            return Optional.empty();
        }
        return Optional.of(new CandidateQuery(output.name(), boxes, row.classes(), Math.toIntExact(boxStride),
                Math.toIntExact(valueStride), true, filter.confidence(), filter.multiLabel() && row.classes() > 1,
                filter.wanted(row.classes())));
    }

    @Override
    public void decode(ScoreFilter filter, Candidates candidates) {
        for (int box = 0; box < boxes; box++) {
            float objectness = value(box, OBJECTNESS);
            if (!(objectness > filter.confidence())) {
                if (!Float.isFinite(objectness)) {
                    throw notFinite(box);
                }
                continue;
            }
            for (int c = 0; c < row.classes(); c++) {
                row.set(c, value(box, firstClass + c) * objectness);
            }
            float x = value(box, 0);
            float y = value(box, 1);
            float width = value(box, 2);
            float height = value(box, 3);
            // One sum tells: it is not finite as soon as one of its terms is not.
            if (!row.isFinite() || !Float.isFinite(x * 0 + y * 0 + width * 0 + height * 0 + objectness * 0)) {
                throw notFinite(box);
            }
            row.emit(filter, x, y, width, height, candidates);
        }
    }

    private float value(int box, int index) {
        return memory.getAtIndex(ValueLayout.JAVA_FLOAT, box * boxStride + index * valueStride);
    }

    private ModelException notFinite(int box) {
        return RowScores.notFinite(output.name(), "box " + box);
    }
}
