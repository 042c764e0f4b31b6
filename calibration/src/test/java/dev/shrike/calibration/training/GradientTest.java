package dev.shrike.calibration.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.quantize.SmallNetwork;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Gradients against differences of losses. */
class GradientTest {
    private static final List<String> HEADS = List.of("head", "coarse");
    private static final List<String> INSIDE = List.of("sum", "fine", "deep", "first");
    private static final double WEIGHT = 3;

    private static float[] image(int side, long seed) {
        Random random = new Random(seed);
        float[] pixels = new float[3 * side * side];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = random.nextFloat();
        }
        return pixels;
    }

    private static double loss(TrainingNetwork student, TrainingNetwork teacher, float[] image) {
        student.forward(image);
        return error(HEADS, student, teacher) + WEIGHT * error(INSIDE, student, teacher);
    }

    /** The mean of some values. */
    private static double error(List<String> names, TrainingNetwork student, TrainingNetwork teacher) {
        return names.stream().mapToDouble(name -> DistillationLoss.value(student.value(name), teacher.value(name)))
                .average().orElseThrow();
    }

    /** Every kind of operation that a YOLOv5 has. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void weightsAndBiasesOfAllLayersAgree(long seed) {
        Graph graph = SmallNetwork.graph(seed);
        Map<String, LayerParameters> parameters = TrainingNetwork.parameters(graph);
        TrainingNetwork student = new TrainingNetwork(graph, parameters, Map.of(), TrainingNetwork.Gradients.ALL);
        Graph other = SmallNetwork.graph(seed + 50);
        TrainingNetwork teacher =
                new TrainingNetwork(other, TrainingNetwork.parameters(other), Map.of(), TrainingNetwork.Gradients.NONE);
        float[] image = image(SmallNetwork.SIDE, seed);
        teacher.forward(image);
        new DistillationWorker(teacher, student, HEADS, INSIDE).learn(List.of(image), WEIGHT);
        Random random = new Random(seed);
        for (Convolution layer : List.copyOf(student.convolutions())) {
            check(layer.parameters().weights(), layer.weightGradients.clone(), random, student, teacher, image);
            check(layer.parameters().bias(), layer.biasGradients.clone(), random, student, teacher, image);
        }
    }

    /** A step along a random direction, which all elements have a part in. */
    private static void check(float[] values, float[] gradients, Random random, TrainingNetwork student,
            TrainingNetwork teacher, float[] image) {
        float[] was = values.clone();
        float[] direction = new float[values.length];
        double expected = 0;
        double length = 0;
        for (int i = 0; i < values.length; i++) {
            // Half random, half along the gradient, so that the change is not lost in the rounding of floats.
            direction[i] = (float) (random.nextGaussian() * 0.1) + Math.signum(gradients[i]);
            expected += direction[i] * gradients[i];
            length += Math.abs(direction[i]);
        }
        double reach = 2e-3 * values.length / length;
        double[] losses = new double[2];
        for (int side = 0; side < 2; side++) {
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (was[i] + (side == 0 ? -reach : reach) * direction[i]);
            }
            losses[side] = loss(student, teacher, image);
        }
        System.arraycopy(was, 0, values, 0, was.length);
        double found = (losses[1] - losses[0]) / (2 * reach);
        assertEquals(expected, found, 0.03 * Math.abs(expected) + 1e-5);
    }

    @Test
    void theHeadLeadsBackWhatItSays() {
        Random random = new Random(5);
        Value student = new Value(4, 4, 21, null, true);
        Value teacher = new Value(4, 4, 21, null, false);
        assertTrue(DistillationLoss.isHead(teacher));
        for (int i = 0; i < teacher.exact.length; i++) {
            teacher.exact[i] = (float) (2 * random.nextGaussian());
            student.exact[i] = (float) (2 * random.nextGaussian());
        }
        double objects = DistillationLoss.objects(teacher);
        DistillationLoss.headGradient(student, teacher, objects);
        float[] gradient = student.gradient.clone();
        for (int i = 0; i < gradient.length; i += 7) {
            float was = student.exact[i];
            student.exact[i] = was + 1e-2f;
            double above = DistillationLoss.head(student, teacher, objects);
            student.exact[i] = was - 1e-2f;
            double below = DistillationLoss.head(student, teacher, objects);
            student.exact[i] = was;
            assertEquals((above - below) / 2e-2, gradient[i], 2e-3 * Math.abs(gradient[i]) + 1e-4);
        }
        System.arraycopy(teacher.exact, 0, student.exact, 0, teacher.exact.length);
        assertEquals(0, DistillationLoss.head(student, teacher, objects), 1e-9);
    }

    @Test
    void roundingPassesGradientsThroughButWhereItClips() {
        Rounding rounding = new Rounding(Quantization.perTensor(0.5f, 1, 4, false), true);
        float[] values = {-1.2f, -0.5f, -0.2f, 0.3f, 3.1f, 7, 7.2f, 8};
        float[] rounded = new float[values.length];
        rounding.forward(values, rounded);
        assertArrayEquals(new float[] {-0.5f, -0.5f, 0, 0.5f, 3, 7, 7, 7}, rounded);
        float[] gradient = {1, 1, 1, 1, 1, 1, 1, 1};
        double step = rounding.backward(values, rounded, gradient);
        assertArrayEquals(new float[] {0, 1, 1, 1, 1, 1, 1, 0}, gradient);
        assertEquals(-0.5 + 0 + 0.2 + 0.2 - 0.1 + 0 - 0.2 + 7, step, 1e-5);
    }

    @Test
    void adamFindsTheLowestPoint() {
        float[] values = {5, -3};
        Adam adam = new Adam(2);
        for (int i = 0; i < 2000; i++) {
            adam.step(values, new float[] {2 * (values[0] - 1), 200 * (values[1] - 2)}, 0.01f);
        }
        assertArrayEquals(new float[] {1, 2}, values, 0.02f);
    }

    @Test
    void anOperationWithoutAGradientIsNamed() {
        List<Node> nodes = new ArrayList<>(
                List.of(new Node("mirror", Op.Unary.of(Op.Unary.Kind.TANH), List.of("images"), List.of("y"))));
        ValueInfo input = new ValueInfo("images", DataType.FLOAT32, Shape.of(1, 3, 8, 8));
        Graph graph = new Graph("odd", List.of(input), List.of(new ValueInfo("y", input.type(), input.shape())), nodes,
                Map.<String, Tensor>of(), Map.of(), Map.of());
        String message = assertThrows(UnsupportedModelException.class,
                () -> new TrainingNetwork(graph, Map.of(), Map.of(), TrainingNetwork.Gradients.ALL)).getMessage();
        assertTrue(message.contains("'mirror'"), message);
    }
}
