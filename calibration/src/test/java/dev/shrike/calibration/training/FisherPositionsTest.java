package dev.shrike.calibration.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.quantize.Quantizer;
import dev.shrike.calibration.quantize.SampledPositions;
import dev.shrike.calibration.quantize.SmallNetwork;
import dev.shrike.calibration.ranges.Histogram;
import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FisherPositionsTest {
    private static final Backend BACKEND = Backends.usable(Backends.installed(), "").getFirst();
    private static final int SIDE = 6;
    /** Three anchors of a box, an object and two classes. */
    private static final int HEAD = 21;

    @TempDir
    private static Path folder;

    private static Tensor random(Random random, double size, long... dims) {
        Shape shape = Shape.of(dims);
        float[] values = new float[(int) shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (size * random.nextGaussian());
        }
        return Tensor.ofFloats(shape, values);
    }

    /** Two convolutions of which the second one is a head. */
    private static Graph headed() {
        Random random = new Random(8);
        Op.Conv conv = new Op.Conv(Window.square(3, 1, 1), 1, Activation.NONE);
        return new Graph("headed", List.of(new ValueInfo("x", DataType.FLOAT32, Shape.of(1, 3, SIDE, SIDE))),
                List.of(new ValueInfo("head", DataType.FLOAT32, Shape.of(1, HEAD, SIDE, SIDE))),
                List.of(new Node("first", conv, List.of("x", "w1", "b1"), List.of("raw")),
                        new Node("silu", Op.Unary.of(Op.Unary.Kind.SILU), List.of("raw"), List.of("y")),
                        new Node("second", conv, List.of("y", "w2", "b2"), List.of("head"))),
                Map.of("w1", random(random, 0.4, 4, 3, 3, 3), "b1", random(random, 0.3, 4), "w2",
                        random(random, 0.6, HEAD, 4, 3, 3), "b2", random(random, 1, HEAD)),
                Map.of(), Map.of());
    }

    @Test
    void squaredProbesAreTheDiagonalOfTheGaussNewtonMatrixInTheMean() {
        Graph graph = headed();
        TrainingNetwork network = new TrainingNetwork(graph, TrainingNetwork.parameters(graph), Map.of(),
                TrainingNetwork.Gradients.VALUES);
        float[] image = new float[3 * SIDE * SIDE];
        Random noise = new Random(4);
        for (int i = 0; i < image.length; i++) {
            image[i] = noise.nextFloat();
        }
        network.forward(image);
        Value head = network.value("head");
        double objects = DistillationLoss.objects(head);
        // Without chance: the gradient of one logit after another.
        double[] expected = new double[SIDE * SIDE];
        for (int logit = 0; logit < head.exact.length; logit++) {
            network.clearValues();
            DistillationLoss.probe(head, objects, new SplittableRandom(0));
            float own = head.gradient[logit];
            Arrays.fill(head.gradient, 0);
            head.gradient[logit] = own;
            network.backward();
            double[] sums = FisherPositions.sensitivities(network.value("raw"));
            Arrays.setAll(expected, i -> expected[i] + sums[i]);
        }
        double[] found = new double[expected.length];
        int probes = 4000;
        SplittableRandom random = new SplittableRandom(11);
        for (int i = 0; i < probes; i++) {
            FisherPositions.probe(network, List.of("head"), random);
            double[] sums = FisherPositions.sensitivities(network.value("raw"));
            Arrays.setAll(found, position -> found[position] + sums[position] / probes);
        }
        for (int position = 0; position < expected.length; position++) {
            assertEquals(expected[position], found[position], 0.12 * expected[position], "position " + position);
        }
    }

    @Test
    void aProbeIsAsLargeAsTheRootOfTheCurvatureOfTheLoss() {
        Random random = new Random(2);
        Value teacher = new Value(3, 3, HEAD, null, true);
        Value student = new Value(3, 3, HEAD, null, true);
        for (int i = 0; i < teacher.exact.length; i++) {
            teacher.exact[i] = (float) (1.5 * random.nextGaussian());
        }
        double objects = DistillationLoss.objects(teacher);
        DistillationLoss.probe(teacher, objects, new SplittableRandom(1));
        float step = 1e-2f;
        for (int i = 0; i < teacher.exact.length; i++) {
            System.arraycopy(teacher.exact, 0, student.exact, 0, student.exact.length);
            Arrays.fill(student.gradient, 0);
            student.exact[i] += step;
            DistillationLoss.headGradient(student, teacher, objects);
            double curvature = student.gradient[i] / step;
            assertEquals(curvature, Math.pow(teacher.gradient[i], 2), 0.02 * curvature + 1e-4);
        }
    }

    @Test
    void weightsUndoTheDrawing() {
        Random random = new Random(6);
        double[] importance = random.doubles(500).map(x -> 0.2 + 4 * Math.pow(x, 4)).toArray();
        double mean = Arrays.stream(importance).average().orElseThrow();
        Arrays.setAll(importance, i -> importance[i] / mean);
        double[] values = random.doubles(500).toArray();
        double expected = 0;
        for (int i = 0; i < values.length; i++) {
            expected += importance[i] * values[i];
        }
        double sum = 0;
        int often = 2000;
        for (int i = 0; i < often; i++) {
            SampledPositions positions = FisherPositions.choose(importance, 40, new SplittableRandom(i));
            assertTrue(positions.indices().length <= 40 && positions.indices().length >= 39);
            for (int j = 0; j < positions.indices().length; j++) {
                sum += positions.weights()[j] * values[positions.indices()[j]] * 500.0 / 40 / often;
            }
        }
        assertEquals(expected, sum, 0.01 * expected);
        SampledPositions all = FisherPositions.choose(importance, 500, new SplittableRandom(0));
        for (int i = 0; i < 500; i++) {
            assertEquals(i, all.indices()[i]);
            assertEquals(importance[i], all.weights()[i], 1e-6);
        }
    }

    /** Whatever is drawn, elements count as the squared gradients of the head behind their activation. */
    @Test
    void valuesCountAsTheHeadFeelsThem() {
        Graph graph = headed();
        TrainingNetwork network = new TrainingNetwork(graph, TrainingNetwork.parameters(graph), Map.of(),
                TrainingNetwork.Gradients.VALUES);
        FisherSensitivity values = new FisherSensitivity(graph);
        assertTrue(values.of("y").isEmpty());
        Random noise = new Random(4);
        float[] image = new float[3 * SIDE * SIDE];
        for (int i = 0; i < image.length; i++) {
            image[i] = noise.nextFloat();
        }
        network.forward(image);
        FisherPositions.probe(network, List.of("head"), new SplittableRandom(3));
        values.add(network);
        assertTrue(values.of("x").isEmpty() && values.of("other").isEmpty());
        for (String name : List.of("raw", "y")) {
            Histogram histogram = values.of(name).orElseThrow();
            Value value = network.value(name);
            // Of the raw value too, which only the activation reads.
            float[] gradient = network.value("y").gradient;
            double mean = 0;
            for (float own : gradient) {
                mean += (double) own * own / gradient.length;
            }
            assertEquals(1000.0 * gradient.length, histogram.total(), gradient.length);
            double[] expected = new double[Histogram.BINS];
            for (int i = 0; i < gradient.length; i++) {
                int bin = (int) Math.floor(value.exact[i] / histogram.width()) + Histogram.BINS / 2;
                expected[bin] += 200 + 800 * gradient[i] * gradient[i] / mean;
            }
            long[] counts = histogram.counts();
            for (int bin = 0; bin < counts.length; bin++) {
                assertEquals(expected[bin], counts[bin], 3 + 1e-3 * expected[bin], name + ", bin " + bin);
            }
        }
    }

    @Test
    void placesOfAllLayersAreTheSameForAnyNumberOfThreads() {
        Quantizer quantizer = new Quantizer(SmallNetwork.graph(4), Map.of(), BACKEND, 1);
        try (CalibrationImages images = new CalibrationImages(SmallNetwork.images(folder, 5),
                quantizer.prepared().inputs().getFirst(), 0)) {
            int[] told = new int[1];
            FisherPositions one =
                    FisherPositions.measure(quantizer.prepared(), images, 50, 1,
                            done -> told[0] = Math.max(told[0], done));
            FisherPositions other = FisherPositions.measure(quantizer.prepared(), images, 50, 3, _ -> {});
            assertEquals(5, told[0]);
            for (String layer : List.of("first", "inner", "deep", "head", "coarse")) {
                for (int i = 0; i < 5; i++) {
                    SampledPositions positions = one.of(layer, i, 1 << 20, 50);
                    assertArrayEquals(positions.indices(), other.of(layer, i, 1 << 20, 50).indices());
                    assertArrayEquals(positions.weights(), other.of(layer, i, 1 << 20, 50).weights());
                    double mean = 0;
                    for (float weight : positions.weights()) {
                        assertTrue(weight > 0);
                        mean += weight / positions.weights().length;
                    }
                    assertEquals(1, mean, 0.5, layer);
                }
            }
            for (String layer : List.of("first", "inner", "deep", "head", "coarse")) {
                assertArrayEquals(one.coupling(layer), other.coupling(layer));
            }
            assertThrows(IllegalArgumentException.class, () -> one.of("no layer", 0, 1, 1));
            for (String layer : List.of("first", "deep", "coarse")) {
                assertArrayEquals(one.importance(layer), other.importance(layer));
                assertTrue(Arrays.stream(one.importance(layer)).allMatch(own -> own > 0), layer);
                Histogram histogram = one.weighted(layer).orElseThrow();
                assertArrayEquals(histogram.counts(), other.weighted(layer).orElseThrow().counts());
            }
            assertEquals(0, one.importance("no layer").length);
            assertTrue(one.weighted("images").isEmpty());
        }
    }
}
