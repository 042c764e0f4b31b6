package dev.shrike.calibration.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ModelException;
import dev.shrike.calibration.activations.ActivationMemory;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.prune.channels.ChannelDependencies;
import dev.shrike.calibration.prune.channels.ChannelRemoval;
import dev.shrike.calibration.quantize.SmallNetwork;
import dev.shrike.graph.Graph;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Division of a budget among layers. */
class SearchTest {
    private static final Backend BACKEND = Backends.usable(Backends.installed(), "").getFirst();
    private static final Graph NETWORK = SmallNetwork.graph(1);

    @TempDir
    private static Path shared;
    private static List<Path> files;

    @TempDir
    private Path folder;

    @BeforeAll
    static void writeImages() {
        files = SmallNetwork.images(shared, 32);
    }

    private static Supplier<CalibrationImages> images() {
        return () -> new CalibrationImages(files.subList(0, 16), NETWORK.inputs().getFirst(), 0);
    }

    /** A table in which every multiplication takes a nanosecond. */
    private static ChannelLatencies aNanosecondEach(Graph graph) {
        Map<String, ChannelLatencies.Grid> grids = new HashMap<>();
        LayerCost.of(graph).forEach(cost -> grids.put(cost.layer(), new ChannelLatencies.Grid(List.of(cost.inputs()),
                List.of(cost.outputs()), List.of(List.of((double) cost.macs())))));
        return new ChannelLatencies("none", grids);
    }

    private static Pruner.Options options(Criterion criterion, Budget budget, UnitSelection.Scope scope, long seed,
            Pruner.Search search) {
        return new Pruner.Options(criterion, false, budget, scope, 0.2, seed, 1, Optional.empty(), search,
                Optional.of(aNanosecondEach(NETWORK)));
    }

    private static Graph pruned(Graph network, Pruner.Options options) {
        return new Pruner(network, Map.of(), BACKEND, 1)
                .prune(options, images(), ActivationMemory.unlimited(), (_, _, _) -> {}).graph();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void theKnapsackIsAsGoodAsTryingAll(long seed) {
        Random random = new Random(seed);
        double[][] losses = new double[5][4];
        int[][] savings = new int[5][4];
        for (int group = 0; group < 5; group++) {
            for (int level = 1; level < 4; level++) {
                losses[group][level] = random.nextDouble();
                savings[group][level] = random.nextInt(20);
            }
        }
        MultipleChoiceKnapsack knapsack = new MultipleChoiceKnapsack(losses, savings);
        for (int target = 0; target <= knapsack.most(); target++) {
            double best = Double.POSITIVE_INFINITY;
            for (int plan = 0; plan < 4 * 4 * 4 * 4 * 4; plan++) {
                int[] levels = {plan & 3, plan >> 2 & 3, plan >> 4 & 3, plan >> 6 & 3, plan >> 8 & 3};
                best = saved(savings, levels) >= target ? Math.min(best, lost(losses, levels)) : best;
            }
            int[] levels = knapsack.levels(target);
            assertTrue(saved(savings, levels) >= target);
            assertEquals(best, lost(losses, levels), 1e-12, "target " + target);
        }
    }

    private static int saved(int[][] savings, int[] levels) {
        int sum = 0;
        for (int i = 0; i < levels.length; i++) {
            sum += savings[i][levels[i]];
        }
        return sum;
    }

    private static double lost(double[][] losses, int[] levels) {
        double sum = 0;
        for (int i = 0; i < levels.length; i++) {
            sum += losses[i][levels[i]];
        }
        return sum;
    }

    @Test
    void theDivergenceIsThatOfProbabilities() {
        // p = 1/2, q = 1/5.
        double expected = 0.5 * Math.log(0.5 / 0.2) + 0.5 * Math.log(0.5 / 0.8);
        assertEquals(expected, HeadDivergence.divergence(0, Math.log(0.25)), 1e-12);
        assertEquals(0, HeadDivergence.divergence(700, 700), 0);
        assertTrue(Double.isFinite(HeadDivergence.divergence(-1e6, 1e6)));
        try (CalibrationImages some = images().get()) {
            HeadDivergence divergence = HeadDivergence.from(NETWORK, some, BACKEND, 1);
            assertEquals(0, divergence.of(NETWORK), 1e-12);
            assertTrue(divergence.of(SmallNetwork.graph(2)) > 0.01);
        }
    }

    @ParameterizedTest
    @EnumSource(value = Budget.Measure.class, names = "CHANNELS", mode = EnumSource.Mode.EXCLUDE)
    void everySearchMeetsEveryBudget(Budget.Measure measure) {
        double whole = cost(NETWORK, measure);
        for (boolean share : new boolean[] {true, false}) {
            Budget budget = new Budget(measure, share, share ? 0.6 : 0.6 * whole);
            for (UnitSelection.Scope scope : UnitSelection.Scope.values()) {
                assertMet(0.6 * whole, pruned(NETWORK, options(Criterion.L1, budget, scope, 1,
                        new Pruner.Search.Greedy())), measure);
            }
            assertMet(0.6 * whole, pruned(NETWORK, options(Criterion.OBS, budget, UnitSelection.Scope.GLOBAL, 1,
                    new Pruner.Search.DynamicProgramming(3))), measure);
        }
    }

    private static void assertMet(double goal, Graph graph, Budget.Measure measure) {
        double left = cost(graph, measure);
        assertTrue(left <= goal && left > 0.75 * goal, measure + ": " + left + " of " + goal);
    }

    private static double cost(Graph graph, Budget.Measure measure) {
        List<LayerCost> costs = LayerCost.of(graph);
        return switch (measure) {
            case MACS, LATENCY -> LayerCost.macs(costs);
            case PARAMETERS -> LayerCost.parameters(costs);
            case BYTES -> 4.0 * LayerCost.parameters(costs);
            case CHANNELS -> throw new AssertionError();
        };
    }

    @Test
    void dynamicProgrammingIsNearerOnUnseenImagesThanTheSameShareOfEachLayer() {
        Budget budget = new Budget(Budget.Measure.MACS, true, 0.6);
        double found = 0;
        double uniform = 0;
        for (int seed = 1; seed <= 3; seed++) {
            Graph network = SmallNetwork.graph(seed);
            try (CalibrationImages unseen =
                    new CalibrationImages(files.subList(16, 32), NETWORK.inputs().getFirst(), 0)) {
                HeadDivergence divergence = HeadDivergence.from(network, unseen, BACKEND, 1);
                Optional<LayerwiseReconstruction.Options> statistics =
                        Optional.of(new LayerwiseReconstruction.Options(64, 1, true, false, 1));
                found += divergence.of(pruned(network, new Pruner.Options(Criterion.OBS, false, budget,
                        UnitSelection.Scope.GLOBAL, 0.2, seed, 1, statistics,
                        new Pruner.Search.DynamicProgramming(12), Optional.empty()))) / 3;
                uniform += divergence.of(pruned(network, new Pruner.Options(Criterion.OBS, false, budget,
                        UnitSelection.Scope.LAYER, 0.2, seed, 1, statistics))) / 3;
            }
        }
        assertTrue(found < uniform, "found " + found + ", uniform " + uniform);
    }

    @Test
    void aSearchRepeatsItself() {
        Pruner.Options options = options(Criterion.L2, new Budget(Budget.Measure.PARAMETERS, true, 0.5),
                UnitSelection.Scope.GLOBAL, 7, new Pruner.Search.DynamicProgramming(4));
        assertEquals(LayerCost.of(pruned(NETWORK, options)), LayerCost.of(pruned(NETWORK, options)));
    }

    private static ParetoFront evolved(long seed, Optional<java.util.function.ToDoubleFunction<Graph>> accuracy) {
        Pruner.Result result = new Pruner(NETWORK, Map.of(), BACKEND, 1).prune(
                options(Criterion.OBS, new Budget(Budget.Measure.MACS, true, 0.6), UnitSelection.Scope.GLOBAL, seed,
                        new Pruner.Search.Evolution(8, 4, accuracy)),
                images(), ActivationMemory.unlimited(), (_, _, _) -> {});
        assertTrue(LayerCost.macs(LayerCost.of(result.graph())) <= 0.6 * LayerCost.macs(LayerCost.of(NETWORK)));
        return result.front().orElseThrow();
    }

    @Test
    void anEvolutionFindsAFrontThatDependsOnTheSeedAlone() {
        ParetoFront front = evolved(1, Optional.empty());
        List<ParetoFront.Point> points = front.points();
        assertTrue(points.size() >= 4 && points.size() <= 8, points.size() + " points");
        assertEquals(front.whole(), points.getLast().cost(), 0);
        assertEquals(0, points.getLast().divergence(), 1e-9);
        for (int i = 1; i < points.size(); i++) {
            assertTrue(points.get(i).cost() > points.get(i - 1).cost()
                    && points.get(i).divergence() < points.get(i - 1).divergence(), "point " + i);
        }
        for (ParetoFront.Point point : points) {
            ChannelDependencies channels = ChannelDependencies.of(NETWORK);
            assertEquals(LayerCost.macs(LayerCost.of(ChannelRemoval.apply(channels, point.removed(), Map.of()))),
                    point.cost(), 1);
        }
        assertEquals(front, evolved(1, Optional.empty()));
        assertNotEquals(front, evolved(2, Optional.empty()));
    }

    @Test
    void whatIsAccurateWinsWhereAccuracyIsKnown() {
        // The fewer parameters the better, whatever the heads give.
        ParetoFront front = evolved(1, Optional.of(graph -> -LayerCost.parameters(LayerCost.of(graph))));
        Pruner.Result result = new Pruner(NETWORK, Map.of(), BACKEND, 1).prune(
                options(Criterion.OBS, new Budget(Budget.Measure.MACS, true, 0.6), UnitSelection.Scope.GLOBAL, 1,
                        new Pruner.Search.Evolution(8, 4,
                                Optional.of(graph -> -LayerCost.parameters(LayerCost.of(graph))))),
                images(), ActivationMemory.unlimited(), (_, _, _) -> {});
        double best = front.points().stream().filter(point -> point.cost() <= 0.6 * front.whole())
                .mapToDouble(point -> point.accuracy().orElseThrow()).max().orElseThrow();
        assertEquals(-best, LayerCost.parameters(LayerCost.of(result.graph())));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void networksWithAllThatTiesChannelsAreSearched(long seed) {
        Pruner pruner = new Pruner(RandomNetwork.graph(seed, true), Map.of(), BACKEND, 1);
        ChannelLatencies measured = ChannelLatencies.measure(pruner.graph(), new LatencyMeter(BACKEND, 1, 1), "here",
                (_, _, _) -> {}).forNetwork(pruner.graph(), "here");
        Supplier<CalibrationImages> images =
                () -> new CalibrationImages(files.subList(0, 6), pruner.graph().inputs().getFirst(), 0);
        for (Pruner.Search search : List.of(new Pruner.Search.DynamicProgramming(2),
                new Pruner.Search.Evolution(4, 1, Optional.empty()))) {
            Graph graph = pruner.prune(new Pruner.Options(Criterion.L1, false,
                    new Budget(Budget.Measure.PARAMETERS, true, 0.8), UnitSelection.Scope.GLOBAL, 0.2, seed, 1,
                    Optional.empty(), search, Optional.of(measured)), images, ActivationMemory.unlimited(),
                    (_, _, _) -> {}).graph();
            double left = cost(graph, Budget.Measure.PARAMETERS);
            assertTrue(left <= 0.8 * cost(pruner.graph(), Budget.Measure.PARAMETERS), search + " leaves " + left);
        }
        MacModel costs = new MacModel(pruner.dependencies(), measured);
        double whole = costs.value(Budget.Measure.LATENCY);
        double fewer = costs.value(Budget.Measure.LATENCY, Set.of(pruner.dependencies().removable().iterator().next()));
        assertTrue(whole > 0 && Double.isFinite(fewer) && fewer >= 0, fewer + " of " + whole);
        assertEquals(whole, costs.value(Budget.Measure.LATENCY), 0);
    }

    @Test
    void aBudgetThatNeedsNothingLeavesTheNetwork() {
        for (Pruner.Search search : List.of(new Pruner.Search.DynamicProgramming(2),
                new Pruner.Search.Evolution(4, 1, Optional.empty()))) {
            for (double keep : new double[] {0.2, 1}) {
                Graph graph = pruned(NETWORK, new Pruner.Options(Criterion.L1, false,
                        new Budget(Budget.Measure.MACS, true, 1), UnitSelection.Scope.GLOBAL, keep, 1, 1,
                        Optional.empty(), search, Optional.empty()));
                assertEquals(LayerCost.of(NETWORK), LayerCost.of(graph), search + " keep " + keep);
            }
        }
    }

    @Test
    void aSearchGoesInOneStepWithinABudgetOfCosts() {
        assertThrows(IllegalArgumentException.class, () -> options(Criterion.L1,
                new Budget(Budget.Measure.CHANNELS, true, 0.5), UnitSelection.Scope.GLOBAL, 1,
                new Pruner.Search.DynamicProgramming(1)));
        assertThrows(IllegalArgumentException.class, () -> new Pruner.Options(Criterion.L1, false,
                new Budget(Budget.Measure.LATENCY, true, 0.5), UnitSelection.Scope.GLOBAL, 0.2, 1, 1,
                Optional.empty()));
        assertThrows(IllegalArgumentException.class, () -> new Pruner.Options(Criterion.L1, false,
                new Budget(Budget.Measure.MACS, true, 0.5), UnitSelection.Scope.GLOBAL, 0.2, 1, 2, Optional.empty(),
                new Pruner.Search.DynamicProgramming(1), Optional.empty()));
    }

    @Test
    void statisticsAloneAreThoseOfGramMatrices() {
        Graph sparse = WeightPruning.apply(NETWORK, new WeightPruning.Pattern.Weights(0.3, true));
        LayerwiseReconstruction.Options options = new LayerwiseReconstruction.Options(64, 1, true, false, 1);
        try (CalibrationImages some = images().get()) {
            Graph direct = LayerwiseReconstruction.apply(NETWORK, sparse, Map.of(), some, ActivationMemory.unlimited(),
                    options, BACKEND, (_, _, _) -> {});
            Graph gram = LayerwiseReconstruction.apply(NETWORK, sparse, some, ActivationMemory.unlimited(), options,
                    BACKEND, (_, _, prior) -> prior, (_, _, _) -> {});
            HeadDivergence divergence = HeadDivergence.from(NETWORK, some, BACKEND, 1);
            assertEquals(divergence.of(gram), divergence.of(direct), 1e-4);
            assertTrue(divergence.of(direct) < divergence.of(sparse));
            HeadDivergence own = HeadDivergence.from(gram, some, BACKEND, 1);
            assertEquals(0, own.of(direct), 1e-7);
            assertTrue(own.of(sparse) > 1e-3);
        }
    }

    @Test
    void latenciesAreInterpolated() {
        ChannelLatencies.Grid grid = new ChannelLatencies.Grid(List.of(2, 4), List.of(10, 20, 40),
                List.of(List.of(1.0, 2.0, 4.0), List.of(3.0, 6.0, 12.0)));
        assertEquals(1, grid.nanos(1, 5));
        assertEquals(6, grid.nanos(4, 20));
        assertEquals(12, grid.nanos(4, 40));
        assertEquals(3, grid.nanos(2, 30));
        assertEquals((3 + 9) / 2.0, grid.nanos(3, 30));
        ChannelLatencies.Grid depthwise =
                new ChannelLatencies.Grid(List.of(1), List.of(8, 16), List.of(List.of(10.0, 20.0)));
        assertEquals(15, depthwise.nanos(1, 12));
        ChannelLatencies.Grid whole = new ChannelLatencies.Grid(List.of(8), List.of(4), List.of(List.of(64.0)));
        assertEquals(16, whole.nanos(4, 2));
    }

    @Test
    void measuredLatenciesAreReadAsTheyWereWritten() {
        ChannelLatencies measured = ChannelLatencies.measure(NETWORK, new LatencyMeter(BACKEND, 1, 3), "here",
                (_, _, _) -> {});
        assertEquals(LayerCost.of(NETWORK).size(), measured.grids().size());
        assertEquals(List.of(4, 8, 12, 16), measured.grids().get("deep").inputs());
        assertEquals(List.of(6, 12, 18, 24), measured.grids().get("deep").outputs());
        Path file = folder.resolve("latencies.yaml");
        measured.write(file);
        ChannelLatencies read = ChannelLatencies.read(file).forNetwork(NETWORK, "here");
        assertEquals("here", read.engine());
        measured.grids().forEach((layer, grid) -> assertEquals(grid.nanos(3, 5),
                read.grids().get(layer).nanos(3, 5), 1, layer));
        double sum = 0;
        for (LayerCost cost : LayerCost.of(NETWORK)) {
            sum += measured.nanos(cost.layer(), cost.inputs(), cost.outputs());
        }
        assertTrue(sum > 0 && Double.isFinite(sum));
    }

    @Test
    void tablesOfOthersAreRefused() throws IOException {
        Path file = folder.resolve("latencies.yaml");
        for (Map.Entry<String, String> bad : Map.of(
                "layers: [1]", "a map 'layers' is missing",
                "layers: {deep: 3}", "layer 'deep'",
                "layers: {deep: {inputs: [1], outputs: [2, 1], nanos: [[1, 2]]}}", "layer 'deep'",
                "layers: {deep: {inputs: [1], outputs: [2], nanos: [[-1]]}}", "layer 'deep'",
                "layers: {deep: {inputs: [16], outputs: [24], nanos: [[.nan]]}}", "layer 'deep'").entrySet()) {
            Files.writeString(file, bad.getKey());
            ModelException e = assertThrows(ModelException.class, () -> ChannelLatencies.read(file), bad.getKey());
            assertTrue(e.getMessage().contains(bad.getValue()), e.getMessage());
        }
        Files.writeString(file, "layers: {deep: {inputs: [16], outputs: [24], nanos: [[1]]}}");
        ModelException e = assertThrows(ModelException.class,
                () -> ChannelLatencies.read(file).forNetwork(NETWORK, "table"));
        assertTrue(e.getMessage().contains("table: does not have the layer 'first'"), e.getMessage());
    }
}
