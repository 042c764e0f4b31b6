package dev.shrike.calibration.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.quantize.BitWidths;
import dev.shrike.calibration.quantize.PtqOptions;
import dev.shrike.calibration.quantize.Quantizer;
import dev.shrike.calibration.quantize.SmallNetwork;
import dev.shrike.calibration.ranges.ActivationStatistics;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rows of weights that are rounded so that their errors cancel where the head is not sensitive to their sum. */
class KroneckerRoundingNetworkTest {
    private static final Backend BACKEND = Backends.usable(Backends.installed(), "").getFirst();
    private static final int HEAD = 21;

    @TempDir
    private static Path folder;

    /** A head that reads nothing but the sum of the channels of the layer before it, the third one negative. */
    private static Graph summed() {
        Random random = new Random(5);
        float[] first = new float[4 * 3];
        for (int i = 0; i < first.length; i++) {
            first[i] = (float) random.nextGaussian();
        }
        float[] head = new float[HEAD * 4];
        for (int i = 0; i < HEAD; i++) {
            float gain = (float) random.nextGaussian();
            for (int j = 0; j < 4; j++) {
                head[i * 4 + j] = j == 2 ? -gain : gain;
            }
        }
        Op.Conv conv = new Op.Conv(Window.square(1, 1, 0), 1, Activation.NONE);
        int side = SmallNetwork.SIDE;
        return new Graph("summed", List.of(new ValueInfo("images", DataType.FLOAT32, Shape.of(1, 3, side, side))),
                List.of(new ValueInfo("head", DataType.FLOAT32, Shape.of(1, HEAD, side, side))),
                List.of(new Node("first", conv, List.of("images", "w1", "b1"), List.of("raw")),
                        new Node("head", conv, List.of("raw", "w2", "b2"), List.of("head"))),
                Map.of("w1", Tensor.ofFloats(Shape.of(4, 3, 1, 1), first), "b1",
                        Tensor.ofFloats(Shape.of(4), new float[4]), "w2",
                        Tensor.ofFloats(Shape.of(HEAD, 4, 1, 1), head), "b2",
                        Tensor.ofFloats(Shape.of(HEAD), new float[HEAD])),
                Map.of(), Map.of());
    }

    @Test
    void channelsCoupleAsTheHeadReadsThem() {
        Quantizer quantizer = new Quantizer(summed(), Map.of(), BACKEND, 1);
        int count = 3;
        try (CalibrationImages images = new CalibrationImages(SmallNetwork.images(folder, count),
                quantizer.prepared().inputs().getFirst(), 0)) {
            FisherPositions positions = FisherPositions.measure(quantizer.prepared(), images, 16, 2, _ -> {});
            double[] coupling = positions.coupling("first");
            for (int i = 0; i < 4; i++) {
                for (int j = 0; j < 4; j++) {
                    assertEquals((i == 2) == (j == 2) ? count / 4.0 : -count / 4.0, coupling[i * 4 + j], 1e-4);
                }
            }
            double[] importance = positions.importance("head");
            double[] head = positions.coupling("head");
            assertEquals(count, Arrays.stream(importance).map(own -> own / importance[0] * head[0]).sum(), 0.5);
            assertEquals(0, positions.coupling("no layer").length);
        }
    }

    @Test
    void theHeadFeelsLessOfTheRounding() {
        double logs = 0;
        int seeds = 6;
        for (int seed = 0; seed < seeds; seed++) {
            Quantizer even = new Quantizer(SmallNetwork.graph(seed), Map.of(), BACKEND, 1);
            try (CalibrationImages images = new CalibrationImages(SmallNetwork.images(folder, 12),
                    even.prepared().inputs().getFirst(), 0)) {
                Map<String, ActivationStatistics> statistics = SmallNetwork.statistics(even, images, BACKEND);
                FisherPositions positions =
                        FisherPositions.measure(even.prepared(), images, PtqOptions.FULL.positions(), 1, _ -> {});
                Quantizer quantizer = even.at(positions);
                double[] losses = new double[2];
                for (int i = 0; i < 2; i++) {
                    PtqOptions effort = PtqOptions.parse(i == 0 ? "single-rows" : "full");
                    losses[i] = HeadLoss.of(even.prepared(), quantizer.quantize(
                            quantizer.uniform(BitWidths.parse("w3a8")), statistics, images, effort, (_, _, _) -> {})
                            .graph(), images);
                }
                logs += Math.log(losses[1] / losses[0]) / seeds;
            }
        }
        assertTrue(Math.exp(logs) < 0.85, "the loss is " + Math.exp(logs) + " of that of single rows");
    }
}
