package dev.shrike.heads;

import dev.shrike.UnsupportedModelException;
import dev.shrike.spi.Binding;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The raw heads of YOLOv8, one tensor per stride, {@code [1, 64 + classes, H, W]}: for each of left, top, right and
 * bottom 16 values whose softmax is a distribution over distances of 0 to 15 strides from the centre of the place, and
 * class scores before the sigmoid. The distance is the distribution's mean (Li et al. 2020, "Generalized Focal Loss").
 */
final class Yolov8Heads implements HeadDecoder {
    static final int BINS = 16;
    static final int BOX_VALUES = 4 * BINS;

    /** One tensor and where its values lie. */
    record Head(
            Binding output, int classes, int stride, int height, int width, long valueStride, long rowStride,
            long columnStride) {
        /** The tensor as a head, if its shape can be one. */
        static Optional<Head> of(Binding output, int inputWidth, int inputHeight) {
            List<Integer> dims = output.dims();
            if (dims.size() != 4 || dims.get(0) != 1 || dims.get(1) <= BOX_VALUES) {
                return Optional.empty();
            }
            int height = dims.get(2);
            int width = dims.get(3);
            int stride = inputWidth / width;
            if (stride < 1 || stride * width != inputWidth || stride * height != inputHeight) {
                return Optional.empty();
            }
            return Optional.of(new Head(output, dims.get(1) - BOX_VALUES, stride, height, width,
                    output.strides().get(1), output.strides().get(2), output.strides().get(3)));
        }

        float value(long place, int index) {
            return output.memory().getAtIndex(ValueLayout.JAVA_FLOAT, place + index * valueStride);
        }
    }

    private final List<Head> heads;
    private final RowScores row;

    /** A decoder of the heads, smallest stride first, all with as many classes. */
    Yolov8Heads(List<Head> heads) {
        this.heads = List.copyOf(heads);
        row = new RowScores(heads.getFirst().classes());
    }

    @Override
    public int classes() {
        return row.classes();
    }

    @Override
    public String description() {
        return heads.stream().map(head -> head.output().dims().toString())
                .collect(Collectors.joining(", ", "YOLOv8 heads ", ""));
    }

    @Override
    public boolean scalesBoxes() {
        return false;
    }

    @Override
    public void check() {
        float low = Float.POSITIVE_INFINITY;
        float high = Float.NEGATIVE_INFINITY;
        for (Head head : heads) {
            for (int place = 0; place < head.height() * head.width(); place++) {
                long at = place / head.width() * head.rowStride() + place % head.width() * head.columnStride();
                for (int c = 0; c < row.classes(); c++) {
                    float value = head.value(at, BOX_VALUES + c);
                    low = Math.min(low, value);
                    high = Math.max(high, value);
                }
            }
        }
        if (low >= 0) {
            throw new UnsupportedModelException(description() + " hold class scores from " + low + " to " + high
                    + ", which have passed a sigmoid or are none: export the heads before it, or the whole model");
        }
    }

    @Override
    public void decode(ScoreFilter filter, Candidates candidates) {
        // The sigmoid rises, so that most places are passed over without it.
        float threshold = (float) -Math.log(1 / Math.max(filter.confidence(), 1e-12) - 1) - 1e-3f;
        for (Head head : heads) {
            for (int y = 0; y < head.height(); y++) {
                for (int x = 0; x < head.width(); x++) {
                    decode(head, x, y, threshold, filter, candidates);
                }
            }
        }
    }

    private void decode(Head head, int x, int y, float threshold, ScoreFilter filter, Candidates candidates) {
        long place = y * head.rowStride() + x * head.columnStride();
        float best = Float.NEGATIVE_INFINITY;
        float finite = 0;
        for (int c = 0; c < row.classes(); c++) {
            float raw = head.value(place, BOX_VALUES + c);
            finite += raw * 0;
            best = Math.max(best, raw);
        }
        if (finite == 0 && best < threshold) {
            return;
        }
        float left = distance(head, place, 0);
        float top = distance(head, place, BINS);
        float right = distance(head, place, 2 * BINS);
        float bottom = distance(head, place, 3 * BINS);
        if (!Float.isFinite(finite + left + top + right + bottom)) {
            throw RowScores.notFinite(head.output().name(), "x " + x + ", y " + y);
        }
        for (int c = 0; c < row.classes(); c++) {
            row.set(c, Yolov5Heads.sigmoid(head.value(place, BOX_VALUES + c)));
        }
        float centreX = x + 0.5f + (right - left) / 2;
        float centreY = y + 0.5f + (bottom - top) / 2;
        row.emit(filter, centreX * head.stride(), centreY * head.stride(), (left + right) * head.stride(),
                (top + bottom) * head.stride(), candidates);
    }

    private static float distance(Head head, long place, int from) {
        float largest = Float.NEGATIVE_INFINITY;
        for (int bin = 0; bin < BINS; bin++) {
            largest = Math.max(largest, head.value(place, from + bin));
        }
        double sum = 0;
        double mean = 0;
        for (int bin = 0; bin < BINS; bin++) {
            double weight = Math.exp(head.value(place, from + bin) - largest);
            sum += weight;
            mean += weight * bin;
        }
        return (float) (mean / sum);
    }
}
