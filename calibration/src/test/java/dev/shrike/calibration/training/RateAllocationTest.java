package dev.shrike.calibration.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ShrikeException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.activations.CalibrationPictures;
import dev.shrike.calibration.quantize.Effort;
import dev.shrike.calibration.quantize.LayerReport;
import dev.shrike.calibration.quantize.MixedPrecision;
import dev.shrike.calibration.quantize.QuantizationPlan;
import dev.shrike.calibration.quantize.Quantizer;
import dev.shrike.calibration.quantize.RateAllocation;
import dev.shrike.calibration.quantize.SmallNetwork;
import dev.shrike.calibration.quantize.WeightCodes;
import dev.shrike.calibration.quantize.Widths;
import dev.shrike.calibration.ranges.ValueStatistics;
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

    private static Quantizer even;
    private static Quantizer quantizer;
    private static CalibrationPictures pictures;
    private static Map<String, ValueStatistics> statistics;
    private static RateAllocation allocation;

    @BeforeAll
    static void measure() {
        even = new Quantizer(SmallNetwork.graph(2), Map.of(), BACKEND, 1);
        pictures = new CalibrationPictures(SmallNetwork.pictures(folder, 12),
                even.prepared().inputs().getFirst(), 0);
        statistics = SmallNetwork.statistics(even, pictures, BACKEND);
        quantizer = even.at(new SensitivePlaces(even.prepared(), pictures, Effort.FULL.places(), 1, _ -> {}));
        allocation = new RateAllocation(quantizer, statistics, pictures, 8, Effort.FULL, (_, _, _) -> {});
    }

    @AfterAll
    static void close() {
        pictures.close();
    }

    private static Quantizer.Result quantize(QuantizationPlan plan) {
        return quantizer.quantize(plan, statistics, pictures, Effort.FULL, (_, _, _) -> {});
    }

    /** Bits a weight of the layers that the plan codes. */
    private static double rate(Quantizer.Result result) {
        List<LayerReport> coded = result.layers().stream()
                .filter(layer -> layer.widths().codes() == WeightCodes.ENTROPY_CODED).toList();
        return coded.stream().mapToDouble(layer -> layer.entropy() * layer.weights()).sum()
                / coded.stream().mapToLong(LayerReport::weights).sum();
    }

    private static double loss(Quantizer.Result result) {
        return HeadLoss.of(even.prepared(), result.graph(), pictures);
    }

    @ParameterizedTest
    @ValueSource(doubles = {2, 3, 4, 5.5})
    void theBudgetIsKeptAndUsed(double bits) {
        QuantizationPlan plan = allocation.plan(new MixedPrecision.Budget.AverageBits(bits), 8);
        Path file = folder.resolve("plan.yaml");
        plan.write(file);
        assertEquals(plan, QuantizationPlan.read(file));
        Quantizer.Result result = quantize(plan);
        assertEquals(bits, rate(result), 0.05);
        assertEquals(Widths.EIGHT, result.layers().getFirst().widths());
        assertEquals(Widths.EIGHT, result.layers().getLast().widths());
    }

    @Test
    void dividedBitsServeBetterThanAsManyEverywhereAndThoseThanUniformCodes() {
        double divided = loss(quantize(allocation.plan(new MixedPrecision.Budget.AverageBits(3), 8)));
        double everywhere = loss(quantize(quantizer.uniform(Widths.parse("w3a8 entropy-coded"))));
        double uniform = loss(quantize(quantizer.uniform(Widths.parse("w3a8"))));
        assertTrue(divided < 0.9 * everywhere, divided + " against " + everywhere);
        assertTrue(everywhere < 0.7 * uniform, everywhere + " against " + uniform);
    }

    @Test
    void aBudgetOfBytesCountsAllLayers() {
        long weights = even.prepared().nodes().stream()
                .filter(node -> node.op() instanceof dev.shrike.graph.Op.Conv)
                .mapToLong(node -> even.prepared().constants().get(node.input(1)).elements()).sum();
        Quantizer.Result result = quantize(allocation.plan(new MixedPrecision.Budget.Size(weights / 2), 8));
        double bits = result.layers().stream().mapToDouble(layer -> layer.weights()
                * (layer.widths().codes() == WeightCodes.ENTROPY_CODED ? layer.entropy() : 8)).sum();
        assertEquals(4, bits / weights, 0.05);
        ShrikeException little = assertThrows(ShrikeException.class,
                () -> allocation.plan(new MixedPrecision.Budget.Size(100), 8));
        assertTrue(little.getMessage().startsWith("no choice of steps keeps the budget"), little.getMessage());
    }

    @Test
    void withoutGradientsNothingCanBeDivided() {
        UnsupportedModelException e = assertThrows(UnsupportedModelException.class,
                () -> new RateAllocation(even, statistics, pictures, 8, Effort.FULL, (_, _, _) -> {}));
        assertTrue(e.getMessage().contains("give all layers the same bits"), e.getMessage());
        // All layers alike needs no importance.
        Quantizer.Result alike = even.quantize(even.uniform(Widths.parse("w3.5a8 entropy-coded")), statistics,
                pictures, Effort.FULL, (_, _, _) -> {});
        assertEquals(3.5, rate(alike), 0.05);
    }
}
