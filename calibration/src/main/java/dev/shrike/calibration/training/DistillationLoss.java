package dev.shrike.calibration.training;

/**
 * How far a network is from its teacher: cross entropy of what the head says of objects, classes and boxes, and the
 * squared error of values inside as a share of their spread.
 *
 * <p>The last layers of YOLOv5 give, for each of three anchors, four numbers of a box, one of whether there is an
 * object, and one a class, all behind a sigmoid. Boxes and classes count as much as the teacher believes in the object.
 */
final class DistillationLoss {
    private static final int ANCHORS = 3;
    private static final int BOX = 4;

    private final float inside;

    /** @param inside weight of the squared error of values inside */
    DistillationLoss(float inside) {
        this.inside = inside;
    }

    /** Whether this may be the result of a layer of the head. */
    static boolean isHead(Value value) {
        return value.channels % ANCHORS == 0 && value.channels / ANCHORS > BOX + 1;
    }

    /** The belief of a teacher in all objects of a picture, by which the loss of a head is divided. */
    static double objects(Value teacher) {
        double sum = 0;
        int each = teacher.channels / ANCHORS;
        for (int at = BOX; at < teacher.exact.length; at += each) {
            sum += Operation.Activation.sigmoid(teacher.exact[at]);
        }
        return sum;
    }

    /** The loss of a head; adds its gradient to that of the student. */
    double head(Value student, Value teacher, double objects) {
        float share = (float) (1 / (1 + objects));
        int each = student.channels / ANCHORS;
        double sum = 0;
        for (int at = 0; at < student.exact.length; at += each) {
            float belief = Operation.Activation.sigmoid(teacher.exact[at + BOX]);
            for (int i = 0; i < each; i++) {
                float weight = share * (i == BOX ? 1 : belief * (i < BOX ? 2 : 1));
                if (weight < 1e-6f) {
                    continue;
                }
                float wanted = Operation.Activation.sigmoid(teacher.exact[at + i]);
                float given = Operation.Activation.sigmoid(student.exact[at + i]);
                sum += weight * entropy(wanted, given);
                student.gradient[at + i] += weight * (given - wanted);
            }
        }
        return sum;
    }

    /** Cross entropy above what it is at best. */
    private static double entropy(float wanted, float given) {
        double w = Math.clamp(wanted, 1e-4f, 1 - 1e-4f);
        double g = Math.clamp(given, 1e-4f, 1 - 1e-4f);
        return w * Math.log(w / g) + (1 - w) * Math.log((1 - w) / (1 - g));
    }

    /** The loss of a value inside, one of {@code count}; adds its gradient. */
    double value(Value student, Value teacher, int count) {
        double sum = 0;
        double squares = 0;
        int size = teacher.exact.length;
        for (int i = 0; i < size; i++) {
            sum += teacher.exact[i];
            squares += (double) teacher.exact[i] * teacher.exact[i];
        }
        double spread = Math.max(1e-9, squares - sum * sum / size);
        float weight = (float) (inside / count / spread);
        double error = 0;
        for (int i = 0; i < size; i++) {
            float rest = student.shown[i] - teacher.exact[i];
            error += rest * rest;
            student.gradient[i] += 2 * weight * rest;
        }
        return weight * error;
    }
}
