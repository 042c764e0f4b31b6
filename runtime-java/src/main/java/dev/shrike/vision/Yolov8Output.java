package dev.shrike.vision;

import dev.shrike.spi.Binding;
import dev.shrike.spi.CandidateQuery;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Optional;

/**
 * The output of an exported YOLOv8, {@code [1, 4 + classes, N]}: centre x, centre y, width, height in pixels of the
 * input, then class scores through the sigmoid. There is no objectness.
 */
final class Yolov8Output implements HeadDecoder {
    private static final int FIRST_CLASS = 4;

    private final Binding output;
    private final MemorySegment memory;
    private final int boxes;
    private final long boxStride;
    private final long valueStride;
    private final RowScores row;
    /** Best score of every box, found class by class, since neighbours in memory are boxes. */
    private final float[] best;
    private final float[] line;

    /**
     * A decoder of the output.
     *
     * @param transposed whether the dims are {@code [1, N, 4 + classes]}
     */
    Yolov8Output(Binding output, boolean transposed) {
        this.output = output;
        memory = output.memory();
        int boxAxis = transposed ? 1 : 2;
        int valueAxis = transposed ? 2 : 1;
        boxes = output.dims().get(boxAxis);
        boxStride = output.strides().get(boxAxis);
        valueStride = output.strides().get(valueAxis);
        row = new RowScores(output.dims().get(valueAxis) - FIRST_CLASS);
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
    public Optional<CandidateQuery> query(ScoreFilter filter) {
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
