package dev.shrike.training.torch;

import dev.shrike.training.AnchorMatching;
import dev.shrike.training.DetectHead;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The loss of YOLOv5 as its documentation gives it: for matched anchors {@code 1 - CIoU}, for all anchors the cross
 * entropy of objectness, whose target is the CIoU of a matched anchor or else 0, and for matched anchors the cross
 * entropy of each class. Objectness counts 4, 1 and 0.4 for strides 8, 16 and 32 (4, 1, 0.25 and 0.06 for four
 * strides).
 * The gains 0.05, 1 and 0.5 are for three strides, 640 pixels and 80 classes, and follow these.
 */
final class Yolov5Loss implements Loss {
    private static final double BOX = 0.05;
    private static final double OBJECTNESS = 1;
    private static final double CLASSES = 0.5;
    private static final double[] THREE_STRIDES = {4, 1, 0.4};
    private static final double[] MORE_STRIDES = {4, 1, 0.25, 0.06, 0.02};
    private static final int USUAL_CLASSES = 80;
    private static final int USUAL_SIDE = 640;
    private static final int FIRST_CLASS = 5;

    private final DetectHead head;
    private final double boxGain;
    private final double objectnessGain;
    private final double classGain;
    private final double[] balance;

    /**
     * The loss of a network.
     *
     * @param side longer side of its input in pixels
     */
    Yolov5Loss(DetectHead head, int side) {
        if (head.family() != DetectHead.Family.YOLOV5 || head.strides().size() > MORE_STRIDES.length) {
            throw new IllegalArgumentException(head.toString());
        }
        this.head = head;
        double strides = 3.0 / head.strides().size();
        boxGain = BOX * strides;
        objectnessGain = OBJECTNESS * strides * side * side / USUAL_SIDE / USUAL_SIDE;
        classGain = CLASSES * strides * head.classes() / USUAL_CLASSES;
        balance = head.strides().size() <= THREE_STRIDES.length ? THREE_STRIDES : MORE_STRIDES;
    }

    @Override
    public Value of(List<Tensor> heads, Tensor targets) {
        float[] boxes = TensorMath.floats(targets);
        Tensor box = torch.zeros(new long[0], heads.getFirst().options());
        Tensor objectness = box;
        Tensor classes = box;
        for (int i = 0; i < heads.size(); i++) {
            Tensor raw = heads.get(i);
            int rows = (int) raw.size(2);
            int columns = (int) raw.size(3);
            List<AnchorMatching.Match> matches = AnchorMatching.of(boxes, anchors(i), rows, columns);
            Tensor wanted = torch.zeros(new long[] {raw.size(0) * head.anchorsPerStride() * rows * columns},
                    raw.options());
            if (!matches.isEmpty()) {
                Matched matched = new Matched(raw, matches, i);
                Tensor overlap = matched.overlap();
                box = box.add(TensorMath.from(1, overlap.mean()));
                wanted = wanted.scatter_reduce(0, matched.places(), TensorMath.atLeast(overlap.detach(), 0), "amax");
                if (head.classes() > 1) {
                    classes = classes.add(matched.classLoss());
                }
            }
            objectness =
                    objectness.add(TensorMath.mul(TensorMath.crossEntropy(objectness(raw), wanted).mean(), balance[i]));
        }
        box = TensorMath.mul(box, boxGain);
        objectness = TensorMath.mul(objectness, objectnessGain);
        classes = TensorMath.mul(classes, classGain);
        Map<String, Tensor> parts = new LinkedHashMap<>();
        parts.put("box", box.detach());
        parts.put("obj", objectness.detach());
        parts.put("cls", classes.detach());
        return new Value(TensorMath.mul(box.add(objectness).add(classes), heads.getFirst().size(0)), parts);
    }

    private int values() {
        return FIRST_CLASS + head.classes();
    }

    /** Logits of objectness in the order image, anchor, row, column. */
    private Tensor objectness(Tensor raw) {
        return raw.reshape(raw.size(0), head.anchorsPerStride(), values(), raw.size(2) * raw.size(3))
                .select(2, FIRST_CLASS - 1).reshape(-1);
    }

    /** Widths and heights of a stride's anchors in cells. */
    private float[] anchors(int index) {
        float[] sizes = new float[2 * head.anchorsPerStride()];
        for (int i = 0; i < sizes.length; i++) {
            sizes[i] = head.anchors().get(index * sizes.length + i) / head.strides().get(index);
        }
        return sizes;
    }

    /** The values of matched anchors. */
    private final class Matched {
        private final List<AnchorMatching.Match> matches;
        private final Tensor values;
        private final Tensor places;
        private final float[] sizes;

        Matched(Tensor raw, List<AnchorMatching.Match> matches, int stride) {
            this.matches = matches;
            this.sizes = anchors(stride);
            long columns = raw.size(3);
            long cells = raw.size(2) * columns;
            long[] flat = new long[matches.size() * values()];
            long[] objects = new long[matches.size()];
            for (int i = 0; i < matches.size(); i++) {
                AnchorMatching.Match match = matches.get(i);
                long anchor = (long) match.image() * head.anchorsPerStride() + match.anchor();
                long cell = match.row() * columns + match.column();
                objects[i] = anchor * cells + cell;
                for (int value = 0; value < values(); value++) {
                    flat[i * values() + value] = (anchor * values() + value) * cells + cell;
                }
            }
            places = TensorMath.ofLongs(objects).to(raw.device(), torch.ScalarType.Long);
            values = raw.reshape(-1).index_select(0, TensorMath.ofLongs(flat).to(raw.device(), torch.ScalarType.Long))
                    .reshape(matches.size(), values());
        }

        /** Of each match, in the order image, anchor, row, column. */
        Tensor places() {
            return places;
        }

        /** CIoU of each match. */
        Tensor overlap() {
            Tensor[] share = new Tensor[4];
            for (int i = 0; i < share.length; i++) {
                share[i] = TensorMath.mul(values.select(1, i).sigmoid(), 2);
            }
            float[][] wanted = new float[6][matches.size()];
            for (int i = 0; i < matches.size(); i++) {
                AnchorMatching.Match match = matches.get(i);
                wanted[0][i] = match.x();
                wanted[1][i] = match.y();
                wanted[2][i] = match.width();
                wanted[3][i] = match.height();
                wanted[4][i] = sizes[2 * match.anchor()];
                wanted[5][i] = sizes[2 * match.anchor() + 1];
            }
            return BoxOverlap.complete(
                    new BoxOverlap.Boxes(TensorMath.add(share[0], -0.5), TensorMath.add(share[1], -0.5),
                            share[2].square().mul(known(wanted[4])), share[3].square().mul(known(wanted[5]))),
                    new BoxOverlap.Boxes(known(wanted[0]), known(wanted[1]), known(wanted[2]), known(wanted[3])));
        }

        private Tensor known(float[] numbers) {
            return TensorMath.onto(TensorMath.ofFloats(numbers, numbers.length), values);
        }

        /** Mean cross entropy of the classes. */
        Tensor classLoss() {
            float[] wanted = new float[matches.size() * head.classes()];
            for (int i = 0; i < matches.size(); i++) {
                wanted[i * head.classes() + matches.get(i).classId()] = 1;
            }
            return TensorMath.crossEntropy(values.narrow(1, FIRST_CLASS, head.classes()),
                    known(wanted).reshape(matches.size(), head.classes())).mean();
        }
    }
}
