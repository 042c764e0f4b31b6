package dev.shrike.calibration.training;

import java.util.List;

/** Teacher and student of one thread: parameters are shared with others, values are its own. */
final class DistillationWorker {
    private final TrainingNetwork teacher;
    private final TrainingNetwork student;
    private final List<String> heads;
    private final List<String> inside;

    /**
     * @param heads names of the values that both networks give
     * @param inside names of values on the way to them
     */
    DistillationWorker(TrainingNetwork teacher, TrainingNetwork student, List<String> heads, List<String> inside) {
        this.teacher = teacher;
        this.student = student;
        this.heads = heads;
        this.inside = inside;
    }

    TrainingNetwork student() {
        return student;
    }

    /** The sum over these images of how far the heads are from those of the teacher. */
    double loss(List<float[]> images) {
        double sum = 0;
        for (float[] image : images) {
            double objects = forward(image);
            for (String name : heads) {
                Value wanted = teacher.value(name);
                sum += DistillationLoss.isHead(wanted)
                        ? DistillationLoss.head(student.value(name), wanted, objects)
                        : DistillationLoss.value(student.value(name), wanted) / heads.size();
            }
        }
        return sum;
    }

    /**
     * Sets the gradients of the student's parameters to the sums over these images.
     *
     * @param weight of the mean error of values inside
     */
    void learn(List<float[]> images, double weight) {
        student.clear();
        for (float[] image : images) {
            double objects = forward(image);
            student.clearValues();
            for (String name : heads) {
                Value wanted = teacher.value(name);
                if (DistillationLoss.isHead(wanted)) {
                    DistillationLoss.headGradient(student.value(name), wanted, objects);
                } else {
                    DistillationLoss.valueGradient(student.value(name), wanted, 1.0 / heads.size());
                }
            }
            for (String name : inside) {
                DistillationLoss.valueGradient(student.value(name), teacher.value(name), weight / inside.size());
            }
            student.backward();
        }
    }

    /** Returns the belief of the teacher in all objects. */
    private double forward(float[] image) {
        teacher.forward(image);
        student.forward(image);
        return DistillationLoss.objects(teacher, heads);
    }
}
