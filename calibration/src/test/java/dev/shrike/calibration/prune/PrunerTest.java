package dev.shrike.calibration.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.activations.ActivationMemory;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.activations.Elements;
import dev.shrike.calibration.prune.channels.ChannelDependencies;
import dev.shrike.calibration.prune.channels.ChannelRemoval;
import dev.shrike.calibration.quantize.BitWidths;
import dev.shrike.calibration.quantize.QuantizationPlan;
import dev.shrike.calibration.quantize.Quantizer;
import dev.shrike.calibration.quantize.SmallNetwork;
import dev.shrike.calibration.ranges.ActivationStatistics;
import dev.shrike.calibration.training.ChannelSensitivity;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class PrunerTest {
    private static final Backend BACKEND = Backends.usable(Backends.installed(), "").getFirst();
    private static final Graph NETWORK = SmallNetwork.graph(1);
    private static final LayerwiseReconstruction.Options FIT =
            new LayerwiseReconstruction.Options(256, 0.01, false, true, 1);

    @TempDir
    private static Path folder;
    private static List<Path> files;

    @BeforeAll
    static void writeImages() {
        files = SmallNetwork.images(folder, 24);
    }

    /** Sixteen images to prune with; the others are to judge by. */
    private static Supplier<CalibrationImages> images() {
        return () -> new CalibrationImages(files.subList(0, 16), NETWORK.inputs().getFirst(), 0);
    }

    private static Pruner.Options options(Criterion criterion, double share,
            Optional<LayerwiseReconstruction.Options> fit) {
        return new Pruner.Options(criterion, false, new Budget(Budget.Measure.MACS, true, share),
                UnitSelection.Scope.GLOBAL,
                0.25, 1, 1, fit);
    }

    private static Graph pruned(Pruner.Options options) {
        return new Pruner(NETWORK, Map.of(), BACKEND, 1)
                .prune(options, images(), ActivationMemory.unlimited(), (_, _, _) -> {}).graph();
    }

    /** Mean squared distance of the results from those of the network, as a share of their mean square. */
    private static double error(Graph other) {
        double error = 0;
        double whole = 0;
        try (CalibrationImages held = new CalibrationImages(files.subList(16, 24), NETWORK.inputs().getFirst(), 0);
                GraphExecutor a = open(NETWORK);
                GraphExecutor b = open(other)) {
            float[] pixels = new float[(int) held.shape().elements()];
            for (int i = 0; i < held.size(); i++) {
                held.read(i, pixels);
                Map<String, float[]> expected = run(a, pixels);
                Map<String, float[]> actual = run(b, pixels);
                for (String name : expected.keySet()) {
                    for (int j = 0; j < expected.get(name).length; j++) {
                        error += Math.pow(expected.get(name)[j] - actual.get(name)[j], 2);
                        whole += Math.pow(expected.get(name)[j], 2);
                    }
                }
            }
        }
        return error / whole;
    }

    private static GraphExecutor open(Graph graph) {
        return BACKEND.open(GraphPasses.forInference(graph, Map.of()), ExecutorOptions.DEFAULT.withThreads(1));
    }

    private static Map<String, float[]> run(GraphExecutor executor, float[] pixels) {
        Binding input = executor.inputs().getFirst();
        Elements.write(pixels, input);
        executor.run();
        return Elements.all(executor.outputs());
    }

    @ParameterizedTest
    @EnumSource(Criterion.class)
    void everyCriterionMeetsTheBudgetAndKeepsEachLayer(Criterion criterion) {
        Graph graph = pruned(options(criterion, 0.7, Optional.empty()));
        List<LayerCost> before = LayerCost.of(NETWORK);
        List<LayerCost> after = LayerCost.of(graph);
        double share = (double) LayerCost.macs(after) / LayerCost.macs(before);
        assertTrue(share <= 0.7 && share > 0.55, criterion + " leaves " + share);
        assertEquals(before.size(), after.size());
        for (int i = 0; i < before.size(); i++) {
            assertTrue(after.get(i).outputs() >= 0.25 * before.get(i).outputs(), after.get(i).toString());
        }
    }

    @Test
    void measuredCriteriaLoseLessThanNone() {
        double random = 0;
        for (int seed = 0; seed < 5; seed++) {
            random +=
                    error(pruned(new Pruner.Options(Criterion.RANDOM, false, new Budget(Budget.Measure.MACS, true, 0.8),
                            UnitSelection.Scope.GLOBAL, 0.25, seed, 1, Optional.empty()))) / 5;
        }
        for (Criterion criterion : List.of(Criterion.FISHER, Criterion.OBS)) {
            double own = error(pruned(options(criterion, 0.8, Optional.empty())));
            assertTrue(own < 0.7 * random, criterion + " " + own + ", random " + random);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void repairOnImagesBringsUnseenOnesNearer(int steps) {
        double bare = error(pruned(options(Criterion.OBS, 0.7, Optional.empty())));
        double fitted =
                error(pruned(new Pruner.Options(Criterion.OBS, false, new Budget(Budget.Measure.MACS, true, 0.7),
                        UnitSelection.Scope.GLOBAL, 0.25, 1, steps, Optional.of(FIT))));
        assertTrue(fitted < 0.6 * bare, "fitted " + fitted + ", bare " + bare);
    }

    @Test
    void layersOfAScopeLoseTheSameShare() {
        Graph graph = pruned(new Pruner.Options(Criterion.L1, false, new Budget(Budget.Measure.CHANNELS, true, 0.5),
                UnitSelection.Scope.LAYER, 0.1, 1, 1, Optional.empty()));
        for (LayerCost layer : LayerCost.of(graph)) {
            if (!layer.layer().equals("head") && !layer.layer().equals("coarse")) {
                double before = LayerCost.of(NETWORK).stream().filter(own -> own.layer().equals(layer.layer()))
                        .findFirst().orElseThrow().outputs();
                assertEquals(0.5, layer.outputs() / before, 0.13, layer.toString());
            }
        }
    }

    @Test
    void theWeightsThatReadAChannelMayJudge() {
        Map<Integer, Double> scores = new ChannelSaliency(ChannelDependencies.of(NETWORK), null)
                .readingWeights(Criterion.L1);
        ChannelDependencies channels = ChannelDependencies.of(NETWORK);
        // "joined" alone reads what "right" makes, behind 8 channels of "sum".
        float[] weights = NETWORK.constants().get("joined.w").toFloats();
        double sum = 0;
        for (int output = 0; output < 16; output++) {
            sum += Math.abs(weights[output * 16 + 8 + 5]);
        }
        assertEquals(sum, scores.get(channels.layers().get("right")[5]), 1e-5);
    }

    @Test
    void aBudgetThatCannotBeMetSaysWhatCan() {
        ModelException e = assertThrows(ModelException.class,
                () -> pruned(new Pruner.Options(Criterion.L1, false, new Budget(Budget.Measure.MACS, true, 0.01),
                        UnitSelection.Scope.GLOBAL, 0.5, 1, 1, Optional.empty())));
        assertTrue(e.getMessage().contains("cannot be pruned to") && e.getMessage().contains("remain"),
                e.getMessage());
    }

    @Test
    void quantisedNetworksAreRefused() {
        Quantizer quantizer = Quantizer.withoutFit(GraphPasses.forInference(NETWORK, Map.of()));
        QuantizationPlan plan = quantizer.uniform(BitWidths.EIGHT);
        Map<String, ActivationStatistics> ranges = new java.util.HashMap<>();
        quantizer.valuesToMeasure(plan).forEach(name -> ranges.put(name, ActivationStatistics.ofRange(-1, 1)));
        Graph quantised = quantizer.quantize(plan, ranges).graph();
        UnsupportedModelException e = assertThrows(UnsupportedModelException.class,
                () -> new Pruner(quantised, Map.of(), BACKEND, 1));
        assertTrue(e.getMessage().contains("quantised already"), e.getMessage());
    }

    @Test
    void channelsThatAnUnknownOperationReadsStay() {
        List<Node> nodes = new ArrayList<>(NETWORK.nodes());
        int at = nodes.indexOf(nodes.stream().filter(node -> node.output().equals("sum")).findFirst().orElseThrow());
        nodes.add(at + 1, new Node("softened", new Op.Softmax(1), List.of("sum"), List.of("softened")));
        nodes.replaceAll(node -> node.op() instanceof Op.Concat && node.inputs().contains("sum")
                ? node.withInputs(List.of("softened", "right")) : node);
        ChannelDependencies channels = ChannelDependencies.of(NETWORK.withNodes(nodes));
        int unit = channels.layers().get("left")[3];
        assertEquals("softened", channels.pinnedBy(unit).name());
        ModelException e = assertThrows(ModelException.class,
                () -> ChannelRemoval.apply(channels, java.util.Set.of(unit), Map.of()));
        assertTrue(e.getMessage().contains("softened"), e.getMessage());
    }

    @Test
    void aResidualBranchGoesAsAWhole() {
        List<ResidualBranches.Branch> branches = ResidualBranches.of(NETWORK);
        assertEquals(List.of("sum.node"), branches.stream().map(branch -> branch.sum().name()).toList());
        Graph without = ResidualBranches.remove(NETWORK, ResidualBranches.cheapest(NETWORK, 1, null));
        assertEquals(LayerCost.of(NETWORK).size() - 1, LayerCost.of(without).size());
        double bare = error(without);
        try (CalibrationImages opened = images().get()) {
            Graph fitted = LayerwiseReconstruction.apply(NETWORK, without, Map.of(), opened,
                    ActivationMemory.unlimited(), FIT, BACKEND, (_, _, _) -> {});
            double repaired = error(fitted);
            assertTrue(repaired < bare, "repaired " + repaired + ", bare " + bare);
        }
    }

    @Test
    void theSensitivityOfABranchDecides() {
        try (CalibrationImages opened = images().get()) {
            ChannelSensitivity measured = ChannelSensitivity.measure(NETWORK, opened, 1, false, 1, _ -> {});
            assertEquals(1, ResidualBranches.cheapest(NETWORK, 1, measured).size());
            assertEquals(0, ResidualBranches.cheapest(NETWORK, 0.2, measured).size());
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.3, 0.5})
    void exactlyTheShareOfWeightsBecomesZero(double share) {
        for (boolean global : new boolean[] {true, false}) {
            List<LayerCost> costs =
                    LayerCost.of(WeightPruning.apply(NETWORK, new WeightPruning.Pattern.Weights(share, global)));
            long weights = costs.stream().mapToLong(LayerCost::weights).sum();
            long zeros = costs.stream().mapToLong(LayerCost::zeros).sum();
            assertEquals(global ? Math.round(share * weights) : share * weights, zeros, global ? 0 : costs.size());
            if (!global) {
                costs.forEach(layer -> assertEquals(share * layer.weights(), layer.zeros(), 1, layer.toString()));
            }
        }
    }

    @Test
    void twoOfFourStay() {
        Graph graph = WeightPruning.apply(NETWORK, new WeightPruning.Pattern.OfEach(2, 4));
        float[] weights = graph.constants().get("deep.w").toFloats();
        for (int output = 0; output < 24; output++) {
            for (int first = 0; first < 16; first += 4) {
                for (int place = 0; place < 9; place++) {
                    int zeros = 0;
                    for (int i = 0; i < 4; i++) {
                        zeros += weights[(output * 16 + first + i) * 9 + place] == 0 ? 1 : 0;
                    }
                    assertEquals(2, zeros);
                }
            }
        }
        assertTrue(Arrays.equals(NETWORK.constants().get("first.w").toFloats(),
                graph.constants().get("first.w").toFloats()), "three input channels are no four");
    }

    @Test
    void wholeKernelsGo() {
        Graph graph = WeightPruning.apply(NETWORK, new WeightPruning.Pattern.Kernels(0.4, false));
        float[] weights = graph.constants().get("fine.w").toFloats();
        int gone = 0;
        for (int kernel = 0; kernel < weights.length / 9; kernel++) {
            int zeros = 0;
            for (int i = 0; i < 9; i++) {
                zeros += weights[kernel * 9 + i] == 0 ? 1 : 0;
            }
            assertTrue(zeros == 0 || zeros == 9);
            gone += zeros / 9;
        }
        assertEquals(Math.round(0.4 * weights.length / 9), gone);
    }

    @Test
    void weightsThatStayMakeUpForThoseThatGo() {
        for (WeightPruning.Pattern pattern : List.of(new WeightPruning.Pattern.Weights(0.5, true),
                new WeightPruning.Pattern.OfEach(2, 4), new WeightPruning.Pattern.Kernels(0.3, true))) {
            Graph bare = WeightPruning.apply(NETWORK, pattern);
            try (CalibrationImages opened = images().get()) {
                Graph compensated = WeightPruning.compensated(NETWORK, pattern, opened, ActivationMemory.unlimited(),
                        FIT, BACKEND, (_, _, _) -> {});
                assertEquals(zeros(bare), zeros(compensated), pattern.toString());
                double before = error(bare);
                double after = error(compensated);
                assertTrue(after < 0.5 * before, pattern + ": " + after + ", bare " + before);
            }
        }
    }

    private static long zeros(Graph graph) {
        return LayerCost.of(graph).stream().mapToLong(LayerCost::zeros).sum();
    }
}
