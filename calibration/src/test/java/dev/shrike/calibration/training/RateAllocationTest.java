package dev.shrike.calibration.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ShrikeException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.quantize.BitWidths;
import dev.shrike.calibration.quantize.LayerReport;
import dev.shrike.calibration.quantize.MixedPrecision;
import dev.shrike.calibration.quantize.PtqOptions;
import dev.shrike.calibration.quantize.QuantizationPlan;
import dev.shrike.calibration.quantize.Quantizer;
import dev.shrike.calibration.quantize.RateAllocation;
import dev.shrike.calibration.quantize.SmallNetwork;
import dev.shrike.calibration.quantize.rounding.WeightFormat;
import dev.shrike.calibration.ranges.ActivationStatistics;
import dev.shrike.graph.Graph;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RateAllocationTest {
    private static final Backend BACKEND = Backends.usable(Backends.installed(), "").getFirst();

    @TempDir
    private static Path folder;

    /** A random network whose bits are to be divided. */
    private record Subject(Quantizer even, Quantizer quantizer, Map<String, ActivationStatistics> statistics,
            RateAllocation allocation) {
        static Subject of(long seed) {
            Quantizer even = new Quantizer(SmallNetwork.graph(seed), Map.of(), BACKEND, 1);
            Map<String, ActivationStatistics> statistics = SmallNetwork.statistics(even, images, BACKEND);
            Quantizer quantizer =
                    even.at(FisherPositions.measure(even.prepared(), images, PtqOptions.FULL.positions(), 1, _ -> {}));
            return new Subject(even, quantizer, statistics,
                    new RateAllocation(quantizer, statistics, images, 8, PtqOptions.FULL, (_, _, _) -> {}));
        }

        Quantizer.Result quantize(QuantizationPlan plan) {
            return quantizer.quantize(plan, statistics, images, PtqOptions.FULL, (_, _, _) -> {});
        }

        double loss(QuantizationPlan plan) {
            return HeadLoss.of(even.prepared(), quantize(plan).graph(), images);
        }

        double loss(String widths) {
            return loss(quantizer.uniform(BitWidths.parse(widths)));
        }
    }

    private static CalibrationImages images;
    private static Subject subject;

    @BeforeAll
    static void measure() {
        images = new CalibrationImages(SmallNetwork.images(folder, 12), SmallNetwork.graph(2).inputs().getFirst(),
                0);
        subject = Subject.of(2);
    }

    @AfterAll
    static void close() {
        images.close();
    }

    /** Bits a weight of the layers that the plan codes. */
    private static double rate(Quantizer.Result result) {
        List<LayerReport> coded = result.layers().stream()
                .filter(layer -> layer.widths().codes() == WeightFormat.ENTROPY_CODED).toList();
        return coded.stream().mapToDouble(layer -> layer.entropy() * layer.weights()).sum()
                / coded.stream().mapToLong(LayerReport::weights).sum();
    }

    @ParameterizedTest
    @ValueSource(doubles = {2, 3, 4, 5.5})
    void theBudgetIsKeptAndUsed(double bits) {
        QuantizationPlan plan = subject.allocation().plan(new MixedPrecision.Budget.AverageBits(bits), 8);
        Path file = folder.resolve("plan.yaml");
        plan.write(file);
        assertEquals(plan, QuantizationPlan.read(file));
        Quantizer.Result result = subject.quantize(plan);
        assertEquals(bits, rate(result), 0.05);
        assertEquals(BitWidths.EIGHT, result.layers().getFirst().widths());
        assertEquals(BitWidths.EIGHT, result.layers().getLast().widths());
    }

    /** Of one network either ratio moves by a fifth with the last digits of sums; so the mean of three is held. */
    @Test
    void dividedBitsServeBetterThanAsManyEverywhereAndThoseThanUniformCodes() {
        double divided = 1;
        double everywhere = 1;
        for (Subject one : List.of(subject, Subject.of(3), Subject.of(5))) {
            double same = one.loss("w3a8 entropy-coded");
            divided *= one.loss(one.allocation().plan(new MixedPrecision.Budget.AverageBits(3), 8)) / same;
            everywhere *= same / one.loss("w3a8");
        }
        assertTrue(Math.cbrt(divided) < 0.8, "divided, against everywhere: " + Math.cbrt(divided));
        assertTrue(Math.cbrt(everywhere) < 0.7, "everywhere, against uniform codes: " + Math.cbrt(everywhere));
    }

    @Test
    void aBudgetOfBytesCountsAllLayers() {
        Graph prepared = subject.even().prepared();
        long weights = prepared.nodes().stream()
                .filter(node -> node.op() instanceof dev.shrike.graph.Op.Conv)
                .mapToLong(node -> prepared.constants().get(node.input(1)).elements()).sum();
        Quantizer.Result result =
                subject.quantize(subject.allocation().plan(new MixedPrecision.Budget.Size(weights / 2), 8));
        double bits = result.layers().stream().mapToDouble(layer -> layer.weights()
                * (layer.widths().codes() == WeightFormat.ENTROPY_CODED ? layer.entropy() : 8)).sum();
        assertEquals(4, bits / weights, 0.05);
        ShrikeException little = assertThrows(ShrikeException.class,
                () -> subject.allocation().plan(new MixedPrecision.Budget.Size(100), 8));
        assertTrue(little.getMessage().startsWith("no choice of steps keeps the budget"), little.getMessage());
    }

    @Test
    void withoutGradientsNothingCanBeDivided() {
        UnsupportedModelException e = assertThrows(UnsupportedModelException.class,
                () -> new RateAllocation(subject.even(), subject.statistics(), images, 8, PtqOptions.FULL,
                        (_, _, _) -> {}));
        assertTrue(e.getMessage().contains("give all layers the same bits"), e.getMessage());
        // All layers alike needs no importance.
        Quantizer even = subject.even();
        Quantizer.Result alike =
                even.quantize(even.uniform(BitWidths.parse("w3.5a8 entropy-coded")), subject.statistics(),
                        images, PtqOptions.FULL, (_, _, _) -> {});
        assertEquals(3.5, rate(alike), 0.05);
    }
}
