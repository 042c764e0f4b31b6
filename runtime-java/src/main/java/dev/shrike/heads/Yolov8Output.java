package dev.shrike.heads;

import dev.shrike.UnsupportedModelException;
import dev.shrike.spi.Binding;
import dev.shrike.spi.CandidateQuery;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The output of an exported YOLOv8, {@code [1, 4 + classes, N]}: centre x, centre y, width, height in pixels of the
 * input, then class scores through the sigmoid. There is no objectness.
 */
final class Yolov8Output implements HeadDecoder {
    private static final int FIRST_CLASS = 4;
    private static final float ONE = 0.999f;

    private final Rows rows;
    private final Binding output;
    private final MemorySegment memory;
    private final int boxes;
    private final long boxStride;
    private final long valueStride;
    private final RowScores row;
    private final List<String> notes;
    /** Best score of every box, found class by class, since neighbours in memory are boxes. */
    private final float[] best;
    private final float[] line;

    /**
     * A decoder of rows that may hold other values behind the classes.
     *
     * @param notes what people should know about those
     */
    Yolov8Output(Rows rows, int classes, List<String> notes) {
        this.rows = rows;
        this.notes = List.copyOf(notes);
        output = rows.output();
        memory = rows.memory();
        boxes = rows.boxes();
        boxStride = rows.boxStride();
        valueStride = rows.valueStride();
        row = new RowScores(classes);
        best = new float[boxes];
        line = new float[boxes];
    }

    @Override
    public int classes() {
        return row.classes();
    }

    @Override
    public String description() {
        return "YOLOv8 output " + output.dims();
    }

    @Override
    public List<String> notes() {
        return notes;
    }

    @Override
    public void check() {
        rows.requireScores(FIRST_CLASS, FIRST_CLASS + row.classes(), "class scores",
                "its rows hold other values too, such as keypoints or masks, or scores before the sigmoid; export the"
                        + " model for detection alone, or name its form with --head");
        Rows.Range first = rows.range(FIRST_CLASS, FIRST_CLASS + 1, boxes);
        if (first.low() >= ONE) {
            throw new UnsupportedModelException("in the output " + output.name() + " " + output.dims()
                    + " every box has the score 1 for class 0, which is an objectness rather than a class:"
                    + " name its form with --head yolov6");
        }
    }

    @Override
    public Optional<CandidateQuery> query(ScoreFilter filter) {
        if (rows.values() != FIRST_CLASS + row.classes()) {
            return Optional.empty();
        }
        return Optional.of(new CandidateQuery(output.name(), boxes, row.classes(), Math.toIntExact(boxStride),
                Math.toIntExact(valueStride), false, filter.confidence(), filter.multiLabel() && row.classes() > 1,
                filter.wanted(row.classes())));
    }

    @Override
    public void decode(ScoreFilter filter, Candidates candidates) {
        findBest();
        for (int box = 0; box < boxes; box++) {
            if (!(best[box] > filter.confidence())) {
                continue;
            }
            for (int c = 0; c < row.classes(); c++) {
                row.set(c, value(box, FIRST_CLASS + c));
            }
            float x = value(box, 0);
            float y = value(box, 1);
            float width = value(box, 2);
            float height = value(box, 3);
            if (!Float.isFinite(x * 0 + y * 0 + width * 0 + height * 0)) {
                throw RowScores.notFinite(output.name(), "box " + box);
            }
            row.emit(filter, x, y, width, height, candidates);
        }
    }

    private void findBest() {
        Arrays.fill(best, Float.NEGATIVE_INFINITY);
        for (int c = 0; c < row.classes(); c++) {
            readLine(FIRST_CLASS + c);
            float sum = 0;
            for (int box = 0; box < boxes; box++) {
                // 0 for finite scores, NaN for the others
                sum += line[box] * 0;
                best[box] = Math.max(best[box], line[box]);
            }
            if (sum != 0) {
                throw RowScores.notFinite(output.name(), "class " + c);
            }
        }
    }

    private void readLine(int index) {
        if (boxStride == 1) {
            long from = index * valueStride * Float.BYTES;
            MemorySegment.copy(memory, ValueLayout.JAVA_FLOAT, from, line, 0, boxes);
            return;
        }
        for (int box = 0; box < boxes; box++) {
            line[box] = value(box, index);
        }
    }

    private float value(int box, int index) {
        return memory.getAtIndex(ValueLayout.JAVA_FLOAT, box * boxStride + index * valueStride);
    }
}
