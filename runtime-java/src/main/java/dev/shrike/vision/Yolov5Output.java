package dev.shrike.vision;

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
    private static final int OBJECTNESS = 4;
    private static final int FIRST_CLASS = 5;

    private final Binding output;
    private final MemorySegment memory;
    private final int boxes;
    private final long boxStride;
    private final long valueStride;
    private final RowScores row;

    Yolov5Output(Binding output) {
        this.output = output;
        memory = output.memory();
        boxes = output.dims().get(1);
        boxStride = output.strides().get(1);
        valueStride = output.strides().get(2);
        row = new RowScores(output.dims().get(2) - FIRST_CLASS);
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
        List<Integer> dims = List.of(1, end - first, output.dims().get(2));
        return new Yolov5Output(new Binding(output.name(), dims, output.strides(),
                memory.asSlice(Float.BYTES * boxStride * first)));
    }

    @Override
    public Optional<CandidateQuery> query(ScoreFilter filter) {
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
                row.set(c, value(box, FIRST_CLASS + c) * objectness);
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
