package dev.shrike.calibration.training;

import java.util.List;
import java.util.SplittableRandom;

/**
 * How far a network is from its teacher: cross entropy of what the head says of objects, classes and boxes, and the
 * squared error of values inside as a share of their spread.
 *
 * <p>The last layers of YOLOv5 give, for each of three anchors, four numbers of a box, one of whether there is an
 * object, and one a class, all behind a sigmoid. Boxes and classes count as much as the teacher believes in the object.
 * Boxes are weighed up, for the cross entropy of one that is too far off for a high IoU is still small.
 */
final class DistillationLoss {
    private static final int ANCHORS = 3;
    private static final int BOX = 4;
    private static final float BOX_WEIGHT = 20;
    /** Elements of less weight are left out. */
    private static final float LEAST = 1e-6f;

    private DistillationLoss() {}

    /** Whether this may be the result of a layer of the head. */
    static boolean isHead(Value value) {
        return value.channels % ANCHORS == 0 && value.channels / ANCHORS > BOX + 1;
    }

    /** The belief of a teacher in all objects of an image, by which the loss of a head is divided. */
    static double objects(Value teacher) {
        double sum = 0;
        int each = teacher.channels / ANCHORS;
        for (int at = BOX; at < teacher.exact.length; at += each) {
            sum += Operation.Activation.sigmoid(teacher.exact[at]);
        }
        return sum;
    }

    /** The belief of a teacher in all objects, over those of its results that are heads. */
    static double objects(TrainingNetwork teacher, List<String> results) {
        return results.stream().map(teacher::value).filter(DistillationLoss::isHead)
                .mapToDouble(DistillationLoss::objects).sum();
    }

    private static float weight(int element, float belief, double objects) {
        float share = (float) (1 / (1 + objects));
        return element == BOX ? share : share * belief * (element < BOX ? BOX_WEIGHT : 1);
    }

    /** The loss of a head. */
    static double head(Value student, Value teacher, double objects) {
        int each = student.channels / ANCHORS;
        double sum = 0;
        for (int at = 0; at < student.exact.length; at += each) {
            float belief = Operation.Activation.sigmoid(teacher.exact[at + BOX]);
            for (int i = 0; i < each; i++) {
                float weight = weight(i, belief, objects);
                if (weight >= LEAST) {
                    sum += weight * entropy(Operation.Activation.sigmoid(teacher.exact[at + i]),
                            Operation.Activation.sigmoid(student.exact[at + i]));
                }
            }
        }
        return sum;
    }

    /** Adds the gradient of the loss of a head to that of the student. */
    static void headGradient(Value student, Value teacher, double objects) {
        int each = student.channels / ANCHORS;
        for (int at = 0; at < student.exact.length; at += each) {
            float belief = Operation.Activation.sigmoid(teacher.exact[at + BOX]);
            for (int i = 0; i < each; i++) {
                float weight = weight(i, belief, objects);
                if (weight >= LEAST) {
                    student.gradient[at + i] += weight * (Operation.Activation.sigmoid(student.exact[at + i])
                            - Operation.Activation.sigmoid(teacher.exact[at + i]));
                }
            }
        }
    }

    /** Adds random signs times the square root of the curvature of the loss about the teacher itself. */
    static void probe(Value teacher, double objects, SplittableRandom random) {
        boolean head = isHead(teacher);
        int each = head ? teacher.channels / ANCHORS : 1;
        for (int at = 0; at < teacher.exact.length; at += each) {
            float belief = head ? Operation.Activation.sigmoid(teacher.exact[at + BOX]) : 0;
            for (int i = 0; i < each; i++) {
                float p = head ? Operation.Activation.sigmoid(teacher.exact[at + i]) : 0;
                double root = head ? Math.sqrt(weight(i, belief, objects) * p * (1 - p)) : 1;
                teacher.gradient[at + i] += (float) (random.nextBoolean() ? root : -root);
            }
        }
    }

    /** Cross entropy above what it is at best. */
    private static double entropy(float wanted, float given) {
        double w = Math.clamp(wanted, 1e-4f, 1 - 1e-4f);
        double g = Math.clamp(given, 1e-4f, 1 - 1e-4f);
        return w * Math.log(w / g) + (1 - w) * Math.log((1 - w) / (1 - g));
    }

    /** The squared error of a value as a share of its spread. */
    static double value(Value student, Value teacher) {
        double error = 0;
        for (int i = 0; i < teacher.exact.length; i++) {
            float rest = student.shown[i] - teacher.exact[i];
            error += rest * rest;
        }
        return error / spread(teacher);
    }

    /** Adds the gradient of {@link #value}, {@code weight} times, to that of the student. */
    static void valueGradient(Value student, Value teacher, double weight) {
        float factor = (float) (2 * weight / spread(teacher));
        for (int i = 0; i < teacher.exact.length; i++) {
            student.gradient[i] += factor * (student.shown[i] - teacher.exact[i]);
        }
    }

    private static double spread(Value teacher) {
        double sum = 0;
        double squares = 0;
        int size = teacher.exact.length;
        for (int i = 0; i < size; i++) {
            sum += teacher.exact[i];
            squares += (double) teacher.exact[i] * teacher.exact[i];
        }
        return Math.max(1e-9, squares - sum * sum / size);
    }
}
