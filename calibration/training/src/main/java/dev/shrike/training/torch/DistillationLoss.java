package dev.shrike.training.torch;

import dev.shrike.training.DetectHead;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bytedeco.pytorch.Tensor;

/**
 * What separates a network from its teacher, whose head has the same form.
 *
 * <p>Objectness and classes are learned by the cross entropy with the teacher's probabilities (Hinton et al. 2015),
 * classes
 * and boxes only as far as the teacher sees an object there (Mehta and Ozturk 2018, objectness scaling). Values inside
 * are learned by their mean squared distance, divided by the teacher's mean square; where the channels differ, as in a
 * pruned network, by that of their attention maps (Zagoruyko and Komodakis 2017).
 */
final class DistillationLoss implements Loss {
    private static final int FIRST_CLASS = 5;
    private static final double EPSILON = 1e-6;

    private final Teacher teacher;
    private final TorchNetwork student;
    private final List<String> features;
    private final Optional<Loss> labels;
    private final Weights weights;

    /**
     * How much each part counts.
     *
     * @param head of what the head says
     * @param features of values inside
     */
    record Weights(double head, double features) {
        /** As tried on YOLOv5n with six classes. */
        static final Weights DEFAULT = new Weights(1, 0.5);

        Weights {
            if (!(head >= 0) || !(features >= 0) || !Double.isFinite(head + features)) {
                throw new IllegalArgumentException("weights " + head + ", " + features);
            }
        }
    }

    /**
     * A distillation.
     *
     * @param teacher shown the images before the student is
     * @param features of the student, as many as the teacher's
     * @param labels what is learned from labels besides
     */
    DistillationLoss(Teacher teacher, TorchNetwork student, List<String> features, Optional<Loss> labels,
            Weights weights) {
        if (features.size() != teacher.features().size()) {
            throw new IllegalArgumentException(features + " for " + teacher.features());
        }
        this.teacher = teacher;
        this.student = student;
        this.features = List.copyOf(features);
        this.labels = labels;
        this.weights = weights;
        student.keep(features);
    }

    @Override
    public Value of(List<Tensor> heads, Tensor targets) {
        Map<String, Tensor> parts = new LinkedHashMap<>();
        Tensor total = null;
        if (labels.isPresent()) {
            Value value = labels.get().of(heads, targets);
            parts.putAll(value.parts());
            total = value.total();
        }
        double images = heads.getFirst().size(0);
        Tensor head = TensorMath.mul(switch (teacher.head().family()) {
            case YOLOV5 -> anchored(heads);
            case YOLOV8 -> anchorFree(heads);
        }, weights.head());
        parts.put("teacher", head.detach());
        total = total == null ? TensorMath.mul(head, images) : total.add(TensorMath.mul(head, images));
        if (!features.isEmpty() && weights.features() > 0) {
            Tensor inside = TensorMath.mul(inside(), weights.features());
            parts.put("features", inside.detach());
            total = total.add(TensorMath.mul(inside, images));
        }
        return new Value(total, parts);
    }

    private Tensor anchored(List<Tensor> heads) {
        Tensor sum = null;
        for (int i = 0; i < heads.size(); i++) {
            Tensor own = split(heads.get(i));
            Tensor other = split(teacher.heads().get(i));
            Tensor seen = other.select(2, FIRST_CLASS - 1).sigmoid();
            Tensor objectness = TensorMath.crossEntropy(own.select(2, FIRST_CLASS - 1), seen).mean();
            Tensor all = TensorMath.add(seen.sum(), EPSILON);
            int classes = teacher.head().classes();
            Tensor classLoss = TensorMath.crossEntropy(own.narrow(2, FIRST_CLASS, classes),
                    other.narrow(2, FIRST_CLASS, classes).sigmoid()).mul(seen.unsqueeze(2)).sum().div(all);
            Tensor boxes = own.narrow(2, 0, FIRST_CLASS - 1).sigmoid()
                    .sub(other.narrow(2, 0, FIRST_CLASS - 1).sigmoid()).square().mul(seen.unsqueeze(2)).sum().div(all);
            Tensor loss = objectness.add(TensorMath.mul(classLoss, 1.0 / classes / 4)).add(boxes);
            sum = sum == null ? loss : sum.add(loss);
        }
        return sum;
    }

    /** As image, anchor, value, cell. */
    private Tensor split(Tensor raw) {
        return raw.reshape(raw.size(0), teacher.head().anchorsPerStride(), FIRST_CLASS + teacher.head().classes(),
                raw.size(2) * raw.size(3));
    }

    private Tensor anchorFree(List<Tensor> heads) {
        Tensor sum = null;
        for (int i = 0; i < heads.size(); i += 2) {
            Tensor classes = teacher.heads().get(i + 1).sigmoid();
            Tensor seen = classes.amax(new long[] {1}, true);
            Tensor all = TensorMath.add(seen.sum(), EPSILON);
            Tensor classLoss = TensorMath.crossEntropy(heads.get(i + 1), classes).mean();
            long images = seen.size(0);
            long cells = seen.size(2) * seen.size(3);
            Tensor own = heads.get(i).reshape(images, 4, DetectHead.BINS, cells).log_softmax(2);
            Tensor other = teacher.heads().get(i).reshape(images, 4, DetectHead.BINS, cells);
            Tensor sides = other.softmax(2).mul(other.log_softmax(2).sub(own)).sum(2).mean(1);
            Tensor boxes = sides.mul(seen.reshape(images, cells)).sum().div(all);
            Tensor loss = classLoss.add(boxes);
            sum = sum == null ? loss : sum.add(loss);
        }
        return sum;
    }

    private Tensor inside() {
        Tensor sum = null;
        for (int i = 0; i < features.size(); i++) {
            Tensor own = student.value(features.get(i));
            Tensor other = teacher.inside().get(i);
            if (own.size(1) != other.size(1)) {
                own = attention(own);
                other = attention(other);
            }
            Tensor loss = own.sub(other).square().mean().div(TensorMath.add(other.square().mean(), EPSILON));
            sum = sum == null ? loss : sum.add(loss);
        }
        return TensorMath.mul(sum, 1.0 / features.size());
    }

    /** Mean square over channels, of length 1 for each image. */
    private static Tensor attention(Tensor values) {
        Tensor map = values.square().mean(1).reshape(values.size(0), -1);
        Tensor length = TensorMath.add(
                map.square().sum(new long[] {1}, true, new org.bytedeco.pytorch.ScalarTypeOptional()).sqrt(), EPSILON);
        return map.div(length);
    }
}
