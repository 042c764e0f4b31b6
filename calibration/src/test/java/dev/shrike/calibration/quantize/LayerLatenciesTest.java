package dev.shrike.calibration.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ModelException;
import dev.shrike.ShrikeException;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.ranges.ActivationStatistics;
import dev.shrike.graph.Node;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LayerLatenciesTest {
    private static final Backend BACKEND = Backends.usable(Backends.installed(), "").getFirst();
    private static final Set<Integer> WIDTHS = Set.of(2, 4, 8);

    @TempDir
    private static Path folder;

    private static Quantizer quantizer;
    private static Map<String, ActivationStatistics> statistics;
    private static List<Path> files;
    private static MixedPrecision mixed;

    @BeforeAll
    static void measure() {
        quantizer = new Quantizer(SmallNetwork.graph(3), Map.of(), BACKEND, 1);
        files = SmallNetwork.images(folder, 8);
        try (CalibrationImages images = images()) {
            statistics = SmallNetwork.statistics(quantizer, images, BACKEND);
            mixed = MixedPrecision.measure(quantizer, statistics, images, WIDTHS, PtqOptions.NEAREST, (_, _, _) -> {});
        }
    }

    private static CalibrationImages images() {
        return new CalibrationImages(files, quantizer.prepared().inputs().getFirst(), 0);
    }

    private static List<String> layers() {
        return quantizer.layers().nodes().stream().map(Node::name).toList();
    }

    /** A machine on which a bit of a weight takes a microsecond in every layer. */
    private static LayerLatencies proportional() {
        Map<String, Map<Integer, Long>> nanos = new LinkedHashMap<>();
        for (String layer : layers()) {
            Map<Integer, Long> costs = new TreeMap<>();
            WIDTHS.forEach(width -> costs.put(width, 1000L * width));
            nanos.put(layer, costs);
        }
        return new LayerLatencies("made up", 8, nanos);
    }

    @Test
    void everyLayerIsMeasuredWithEveryWidth() {
        LayerLatencies measured;
        try (CalibrationImages images = images()) {
            measured = LayerLatencies.measure(quantizer, statistics, images, WIDTHS, 8, (_, _, _) -> {});
        }
        assertEquals(layers(), List.copyOf(measured.nanos().keySet()));
        measured.nanos().forEach((layer, costs) -> {
            assertEquals(quantizer.ends().contains(layer) ? Set.of(8) : WIDTHS, costs.keySet(), layer);
            costs.values().forEach(nanos -> assertTrue(nanos > 0, layer));
        });
        assertTrue(measured.total(8) > 0);
    }

    @Test
    void aTableIsReadAsItWasWritten() {
        Path file = folder.resolve("table.yaml");
        proportional().write(file);
        LayerLatencies read = LayerLatencies.read(file).forNetwork(quantizer, 8, "table");
        assertEquals(proportional(), read);
    }

    @Test
    void plansKeepTheBudgetAndUseIt() {
        int inner = layers().size() - quantizer.ends().size();
        LayerLatencies table = proportional();
        long ends = 8000L * quantizer.ends().size();
        for (int bits = 2; bits <= 8; bits++) {
            long budget = ends + 1000L * bits * inner;
            QuantizationPlan plan = mixed.plan(new MixedPrecision.Budget.Latency(budget, table.nanos()), 8);
            assertTrue(table.total(plan) <= budget, bits + ": " + table.total(plan));
        }
        QuantizationPlan all = mixed.plan(new MixedPrecision.Budget.Latency(table.total(8), table.nanos()), 8);
        assertEquals(table.total(8), table.total(all));
        ShrikeException none = assertThrows(ShrikeException.class,
                () -> mixed.plan(new MixedPrecision.Budget.Latency(ends + 1000L * inner, table.nanos()), 8));
        assertTrue(none.getMessage().contains("the least possible is"), none.getMessage());
    }

    @Test
    void tablesOfOtherNetworksAreRefused() {
        LayerLatencies other = new LayerLatencies("made up", 8, Map.of("conv", Map.of(8, 1L)));
        ModelException layer =
                assertThrows(ModelException.class, () -> other.forNetwork(quantizer, 8, "table.yaml"));
        assertTrue(layer.getMessage().startsWith("table.yaml: does not have the layer '"), layer.getMessage());
        ModelException width =
                assertThrows(ModelException.class, () -> proportional().forNetwork(quantizer, 4, "table.yaml"));
        assertTrue(width.getMessage().contains("activations of 8 bits, not 4"), width.getMessage());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            layers: [                                              | no valid YAML
            layers: {}                                             | is no table of latencies
            {activations: 8, layers: 3}                            | is no table of latencies
            {activations: 8, layers: {c: 5}}                       | layer 'c': 5 are no nanoseconds
            {activations: 8, layers: {c: {4: 1}}}                  | 8 among them
            {activations: 8, layers: {c: {8: -1}}}                 | are no nanoseconds
            {activations: 8, layers: {c: {8: .nan}}}               | are no nanoseconds
            {activations: 8, layers: {c: {8: 1e30}}}               | are no nanoseconds
            {activations: 8, layers: {c: {9: 1, 8: 1}}}            | are no nanoseconds
            """)
    void damagedTablesAreRefused(String text, String message) {
        ModelException e = assertThrows(ModelException.class, () -> LayerLatencies.parse(text, "t.yaml"));
        assertTrue(e.getMessage().startsWith("t.yaml: ") && e.getMessage().contains(message), e.getMessage());
    }
}
