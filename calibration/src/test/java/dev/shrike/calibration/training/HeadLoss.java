package dev.shrike.calibration.training;

import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.graph.Graph;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** How far the logits of a small network's heads are from the float one's, as their Gauss-Newton matrix weighs that. */
final class HeadLoss {
    private static final List<String> HEADS = List.of("head", "coarse");

    private HeadLoss() {}

    /** Summed over the images. */
    static double of(Graph real, Graph quantized, CalibrationImages images) {
        TrainingNetwork teacher = network(real);
        TrainingNetwork student = network(quantized);
        double sum = 0;
        float[] pixels = new float[(int) images.shape().elements()];
        for (int i = 0; i < images.size(); i++) {
            images.read(i, pixels);
            teacher.forward(pixels);
            teacher.clearValues();
            student.forward(pixels);
            for (String head : HEADS) {
                Value wanted = teacher.value(head);
                Value given = student.value(head);
                // The probe's square is the curvature of each logit.
                DistillationLoss.probe(wanted, DistillationLoss.objects(teacher, HEADS), new SplittableRandom(0));
                for (int j = 0; j < wanted.exact.length; j++) {
                    sum += Math.pow(wanted.gradient[j] * (wanted.exact[j] - given.exact[j]), 2);
                }
            }
        }
        return sum;
    }

    private static TrainingNetwork network(Graph graph) {
        return new TrainingNetwork(graph, TrainingNetwork.parameters(graph), Map.of(),
                TrainingNetwork.Gradients.VALUES);
    }
}
