package dev.shrike.training.torch;

import dev.shrike.training.DetectHead;
import dev.shrike.training.TaskAlignedAssignment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * The loss of YOLOv8 as its documentation gives it: cells are assigned to objects by {@link TaskAlignedAssignment}; the
 * cross entropy of all classes against the scores that it gives, and for assigned cells, weighted by that score,
 * {@code 1 - CIoU} and the cross entropy of the distances' distributions against the two whole distances around each
 * (Li
 * et al. 2020, distribution focal loss). All are divided by the sum of the scores; the gains are 0.5, 7.5 and 1.5.
 */
final class Yolov8Loss implements Loss {
    private static final double BOX = 7.5;
    private static final double CLASSES = 0.5;
    private static final double DISTRIBUTION = 1.5;
    private static final int BINS = DetectHead.BINS;
    private static final int TARGET_VALUES = 6;
    /** Farther distances than this cannot be said. */
    private static final double FARTHEST = BINS - 1 - 0.01;

    private final DetectHead head;

    Yolov8Loss(DetectHead head) {
        if (head.family() != DetectHead.Family.YOLOV8) {
            throw new IllegalArgumentException(head.toString());
        }
        this.head = head;
    }

    @Override
    public Value of(List<Tensor> heads, Tensor targets) {
        int images = (int) heads.getFirst().size(0);
        Cells cells = new Cells(heads);
        Tensor sides = joined(heads, 0, 4L * BINS).reshape(images, cells.count(), 4, BINS);
        Tensor logits = joined(heads, 1, head.classes());
        Tensor bins = torch.arange(new org.bytedeco.pytorch.Scalar(BINS)).to(sides);
        Tensor distances = sides.softmax(3).mul(bins).sum(3);
        Assigned assigned =
                new Assigned(cells, images, TensorMath.floats(distances), TensorMath.floats(logits.sigmoid()),
                        TensorMath.floats(targets));
        double total = Math.max(1, assigned.total);
        Tensor wanted = TensorMath.ofFloats(assigned.scores, images, cells.count(), head.classes()).to(logits);
        Tensor classes = TensorMath.mul(TensorMath.crossEntropy(logits, wanted).sum(), CLASSES / total);
        Tensor box = TensorMath.mul(classes, 0).detach();
        Tensor distribution = box;
        if (!assigned.places.isEmpty()) {
            Tensor index = TensorMath.ofLongs(assigned.places.stream().mapToLong(Long::longValue).toArray())
                    .to(logits.device(), torch.ScalarType.Long);
            Tensor weights = assigned.known(assigned.weights, 1, logits).select(1, 0);
            Tensor own = distances.reshape(-1, 4).index_select(0, index);
            Tensor goal = assigned.known(assigned.distances, 4, logits);
            Tensor overlap = BoxOverlap.complete(boxes(own), boxes(goal));
            box = TensorMath.mul(TensorMath.from(1, overlap).mul(weights).sum(), BOX / total);
            distribution = TensorMath.mul(distributionLoss(sides.reshape(-1, 4, BINS).index_select(0, index), goal)
                    .mul(weights).sum(), DISTRIBUTION / total);
        }
        Map<String, Tensor> parts = new LinkedHashMap<>();
        parts.put("box", box.detach());
        parts.put("cls", classes.detach());
        parts.put("dfl", distribution.detach());
        return new Value(TensorMath.mul(box.add(classes).add(distribution), images), parts);
    }

    /** The values of all strides as {@code [images, cells, values]}; {@code which} is 0 for boxes, 1 for classes. */
    private static Tensor joined(List<Tensor> heads, int which, long values) {
        TensorVector parts = new TensorVector();
        for (int i = which; i < heads.size(); i += 2) {
            parts.push_back(heads.get(i).reshape(heads.get(i).size(0), values, -1));
        }
        return torch.cat(parts, 2).permute(0, 2, 1);
    }

    /** Boxes about the centre of a cell, from the distances of their left, top, right and bottom. */
    private static BoxOverlap.Boxes boxes(Tensor distances) {
        Tensor left = distances.select(1, 0);
        Tensor top = distances.select(1, 1);
        Tensor right = distances.select(1, 2);
        Tensor bottom = distances.select(1, 3);
        return new BoxOverlap.Boxes(TensorMath.mul(right.sub(left), 0.5), TensorMath.mul(bottom.sub(top), 0.5),
                left.add(right), top.add(bottom));
    }

    /** Mean of the four sides' cross entropies. */
    private static Tensor distributionLoss(Tensor sides, Tensor goal) {
        Tensor within = TensorMath.clamp(goal, 0, FARTHEST);
        Tensor low = within.floor();
        Tensor share = within.sub(low);
        Tensor logarithms = sides.log_softmax(2);
        Tensor index = low.to(torch.ScalarType.Long).unsqueeze(2);
        Tensor atLow = logarithms.gather(2, index).squeeze(2);
        Tensor atHigh = logarithms.gather(2, index.add(new org.bytedeco.pytorch.Scalar(1))).squeeze(2);
        return atLow.mul(TensorMath.from(1, share)).add(atHigh.mul(share)).neg().mean(1);
    }

    /** Where cells lie. */
    private final class Cells {
        private final int[] strideOf;
        private final float[] x;
        private final float[] y;
        private final int width;
        private final int height;

        Cells(List<Tensor> heads) {
            int count = 0;
            for (int i = 0; i < heads.size(); i += 2) {
                count += (int) (heads.get(i).size(2) * heads.get(i).size(3));
            }
            strideOf = new int[count];
            x = new float[count];
            y = new float[count];
            int at = 0;
            for (int i = 0; i < heads.size(); i += 2) {
                int columns = (int) heads.get(i).size(3);
                int cells = (int) heads.get(i).size(2) * columns;
                for (int j = 0; j < cells; j++, at++) {
                    strideOf[at] = head.strides().get(i / 2);
                    x[at] = j % columns + 0.5f;
                    y[at] = j / columns + 0.5f;
                }
            }
            width = (int) heads.getFirst().size(3) * head.strides().getFirst();
            height = (int) heads.getFirst().size(2) * head.strides().getFirst();
        }

        int count() {
            return x.length;
        }
    }

    /** What the cells of a batch are to give. */
    private final class Assigned {
        private final List<Long> places = new ArrayList<>();
        private final List<Float> weights = new ArrayList<>();
        private final List<Float> distances = new ArrayList<>();
        private final float[] scores;
        private double total;

        Assigned(Cells cells, int images, float[] predicted, float[] probabilities, float[] targets) {
            scores = new float[images * cells.count() * head.classes()];
            for (int image = 0; image < images; image++) {
                assign(cells, image, predicted, probabilities, boxes(cells, image, targets));
            }
        }

        private static List<TaskAlignedAssignment.Box> boxes(Cells cells, int image, float[] targets) {
            List<TaskAlignedAssignment.Box> boxes = new ArrayList<>();
            for (int i = 0; i < targets.length; i += TARGET_VALUES) {
                if ((int) targets[i] == image) {
                    double halfWidth = targets[i + 4] / 2.0;
                    double halfHeight = targets[i + 5] / 2.0;
                    boxes.add(new TaskAlignedAssignment.Box((int) targets[i + 1],
                            (targets[i + 2] - halfWidth) * cells.width, (targets[i + 3] - halfHeight) * cells.height,
                            (targets[i + 2] + halfWidth) * cells.width, (targets[i + 3] + halfHeight) * cells.height));
                }
            }
            return boxes;
        }

        private void assign(Cells cells, int image, float[] predicted, float[] probabilities,
                List<TaskAlignedAssignment.Box> boxes) {
            int first = image * cells.count();
            TaskAlignedAssignment assignment =
                    TaskAlignedAssignment.of(boxes, new Predicted(cells, first, predicted, probabilities));
            for (int cell = 0; cell < cells.count(); cell++) {
                if (assignment.object(cell) < 0) {
                    continue;
                }
                TaskAlignedAssignment.Box box = boxes.get(assignment.object(cell));
                float weight = (float) assignment.weight(cell);
                places.add((long) first + cell);
                weights.add(weight);
                total += weight;
                scores[(first + cell) * head.classes() + box.classId()] = weight;
                double stride = cells.strideOf[cell];
                distances.add((float) (cells.x[cell] - box.left() / stride));
                distances.add((float) (cells.y[cell] - box.top() / stride));
                distances.add((float) (box.right() / stride - cells.x[cell]));
                distances.add((float) (box.bottom() / stride - cells.y[cell]));
            }
        }

        Tensor known(List<Float> numbers, int columns, Tensor like) {
            float[] values = new float[numbers.size()];
            for (int i = 0; i < values.length; i++) {
                values[i] = numbers.get(i);
            }
            return TensorMath.onto(TensorMath.ofFloats(values, values.length / columns, columns), like);
        }
    }

    /** What the network says of an image. */
    private final class Predicted implements TaskAlignedAssignment.Prediction {
        private final Cells cells;
        private final int first;
        private final float[] distances;
        private final float[] probabilities;

        Predicted(Cells cells, int first, float[] distances, float[] probabilities) {
            this.cells = cells;
            this.first = first;
            this.distances = distances;
            this.probabilities = probabilities;
        }

        @Override
        public int cells() {
            return cells.count();
        }

        @Override
        public double x(int cell) {
            return (double) cells.x[cell] * cells.strideOf[cell];
        }

        @Override
        public double y(int cell) {
            return (double) cells.y[cell] * cells.strideOf[cell];
        }

        @Override
        public TaskAlignedAssignment.Box box(int cell) {
            int at = 4 * (first + cell);
            double stride = cells.strideOf[cell];
            return new TaskAlignedAssignment.Box(0, x(cell) - distances[at] * stride,
                    y(cell) - distances[at + 1] * stride,
                    x(cell) + distances[at + 2] * stride, y(cell) + distances[at + 3] * stride);
        }

        @Override
        public double score(int cell, int classId) {
            return probabilities[(first + cell) * head.classes() + classId];
        }
    }
}
