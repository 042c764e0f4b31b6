package dev.shrike.heads;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.spi.Binding;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The raw heads of YOLOv5, one tensor per stride, before the sigmoid. With s = sigmoid(value), grid cell (gx, gy) and
 * anchor (aw, ah), a box is {@code x = (2 sx - 0.5 + gx) stride, y = (2 sy - 0.5 + gy) stride, w = (2 sw)^2 aw,
 * h = (2 sh)^2 ah} (Detect of YOLOv5 v6.1).
 */
final class Yolov5Heads implements HeadDecoder {
    private static final int OBJECTNESS = 4;
    private static final int FIRST_CLASS = 5;

    /**
     * One tensor, {@code [1, A * (5 + classes), H, W]} or {@code [1, A, H, W, 5 + classes]}, and where its values lie.
     */
    record Head(
            Binding output,
            int classes,
            int stride,
            int height,
            int width,
            long anchorStride,
            long valueStride,
            long rowStride,
            long columnStride) {

        /** The tensor as a head of that many anchors, if its shape can be one. */
        static Optional<Head> of(Binding output, int anchors, int inputWidth, int inputHeight) {
            List<Integer> dims = output.dims();
            List<Integer> strides = output.strides();
            boolean flat = dims.size() == 4 && dims.get(0) == 1 && dims.get(1) % anchors == 0;
            boolean split = dims.size() == 5 && dims.get(0) == 1 && dims.get(1) == anchors;
            if (!flat && !split) {
                return Optional.empty();
            }
            int values = flat ? dims.get(1) / anchors : dims.get(4);
            int stride = inputWidth / dims.get(3);
            int height = dims.get(2);
            int width = dims.get(3);
            if (values <= FIRST_CLASS || stride < 1 || stride * width != inputWidth
                    || stride * height != inputHeight) {
                return Optional.empty();
            }
            long valueStride = flat ? strides.get(1) : strides.get(4);
            long anchorStride = flat ? values * valueStride : strides.get(1);
            return Optional.of(new Head(output, values - FIRST_CLASS, stride, height, width, anchorStride, valueStride,
                    strides.get(2), strides.get(3)));
        }

        float value(long place, int index) {
            return output.memory().getAtIndex(ValueLayout.JAVA_FLOAT, place + index * valueStride);
        }
    }

    private final List<Head> heads;
    private final float[] anchors;
    private final int anchorsPerHead;
    private final RowScores row;
    private final boolean assumed;

    /**
     * A decoder of the heads.
     *
     * @param heads smallest stride first, all with as many classes
     * @param anchors width and height of each anchor in pixels, head by head
     * @param assumed whether the anchors are those of YOLOv5 for want of others
     */
    Yolov5Heads(List<Head> heads, float[] anchors, boolean assumed) {
        this.assumed = assumed;
        this.heads = List.copyOf(heads);
        this.anchors = anchors;
        anchorsPerHead = anchors.length / 2 / heads.size();
        row = new RowScores(heads.getFirst().classes());
    }

    @Override
    public int classes() {
        return row.classes();
    }

    @Override
    public boolean readsRawHeads() {
        return true;
    }

    @Override
    public boolean scalesBoxes() {
        return false;
    }

    @Override
    public List<String> notes() {
        return assumed ? List.of("it ends in raw heads and its file holds no anchors, so those of YOLOv5 for COCO are"
                + " taken; boxes of a network with others (YOLOv7, or trained with autoanchor) are wrong: give its"
                + " own with --anchors") : List.of();
    }

    @Override
    public void check() {
        float low = Float.POSITIVE_INFINITY;
        float high = Float.NEGATIVE_INFINITY;
        for (Head head : heads) {
            for (int place = 0; place < anchorsPerHead * head.height() * head.width(); place++) {
                int inHead = place % (head.height() * head.width());
                float value = head.value(place / (head.height() * head.width()) * head.anchorStride()
                        + inHead / head.width() * head.rowStride() + inHead % head.width() * head.columnStride(),
                        OBJECTNESS);
                low = Math.min(low, value);
                high = Math.max(high, value);
            }
        }
        if (low >= 0 && high <= 1 && high > 0) {
            throw new UnsupportedModelException(description() + " hold an objectness from " + low + " to " + high
                    + ", which has passed a sigmoid: export the heads before it, or the whole model");
        }
    }

    @Override
    public String description() {
        return heads.stream()
                .map(head -> head.output().dims().toString())
                .collect(Collectors.joining(", ", "YOLOv5 heads ", ""));
    }

    @Override
    public void decode(ScoreFilter filter, Candidates candidates) {
        for (int h = 0; h < heads.size(); h++) {
            for (int anchor = 0; anchor < anchorsPerHead; anchor++) {
                decode(heads.get(h), anchor, 2 * (h * anchorsPerHead + anchor), filter, candidates);
            }
        }
    }

    private void decode(Head head, int anchor, int anchorAt, ScoreFilter filter, Candidates candidates) {
        for (int y = 0; y < head.height(); y++) {
            for (int x = 0; x < head.width(); x++) {
                long place = anchor * head.anchorStride() + y * head.rowStride() + x * head.columnStride();
                float raw = head.value(place, OBJECTNESS);
                float objectness = sigmoid(raw);
                if (!Float.isFinite(raw)) {
                    throw notFinite(head, x, y);
                }
                if (objectness > filter.confidence()) {
                    decodeBox(head, place, x, y, anchorAt, objectness, filter, candidates);
                }
            }
        }
    }

    private void decodeBox(
            Head head, long place, int x, int y, int anchorAt, float objectness, ScoreFilter filter,
            Candidates candidates) {
        float finite = 0;
        for (int c = 0; c < row.classes(); c++) {
            float raw = head.value(place, FIRST_CLASS + c);
            finite += raw * 0;
            row.set(c, sigmoid(raw) * objectness);
        }
        for (int i = 0; i < OBJECTNESS; i++) {
            finite += head.value(place, i) * 0;
        }
        if (finite != 0) {
            throw notFinite(head, x, y);
        }
        float centreX = (2 * sigmoid(head.value(place, 0)) - 0.5f + x) * head.stride();
        float centreY = (2 * sigmoid(head.value(place, 1)) - 0.5f + y) * head.stride();
        float width = 2 * sigmoid(head.value(place, 2));
        float height = 2 * sigmoid(head.value(place, 3));
        row.emit(filter, centreX, centreY, width * width * anchors[anchorAt], height * height * anchors[anchorAt + 1],
                candidates);
    }

    static float sigmoid(float x) {
        return (float) (1 / (1 + Math.exp(-x)));
    }

    private static ModelException notFinite(Head head, int x, int y) {
        return RowScores.notFinite(head.output().name(), "x " + x + ", y " + y);
    }
}
