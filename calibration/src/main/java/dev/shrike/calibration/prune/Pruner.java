package dev.shrike.calibration.prune;

import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.activations.ActivationMemory;
import dev.shrike.calibration.activations.CalibrationPictures;
import dev.shrike.calibration.training.ChannelSensitivity;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPasses;
import dev.shrike.graph.Shape;
import dev.shrike.spi.Backend;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Removes channels of a float network after training.
 *
 * <ol>
 * <li>Make a pruner of the network.
 * <li>{@link #prune}: chooses channels, removes them and repairs what is left on pictures, without labels.
 * </ol>
 */
public final class Pruner {
    private final Graph graph;
    private final ChannelDependencies dependencies;
    private final Backend backend;
    private final int threads;

    /**
     * How to prune.
     *
     * @param criterion what a channel is worth
     * @param readers whether a channel is judged by the weights that read it, not by those that make it
     * @param budget what may remain
     * @param scope where channels compete
     * @param keep least share of its channels that each layer keeps
     * @param seed of random choices
     * @param steps 1 for all at once; else what goes is divided into steps, and channels are measured anew after each
     * @param repair how to fit what is left on pictures; empty to leave weights as they are
     */
    public record Options(Criterion criterion, boolean readers, Budget budget, UnitSelection.Scope scope, double keep,
            long seed,
            int steps, Optional<LayerwiseReconstruction.Options> repair) {}

    /**
     * A pruned network.
     *
     * @param graph for files and engines
     * @param removed number of channels of layers that are gone
     * @param note what people should know, or empty
     */
    public record Result(Graph graph, int removed, String note) {}

    /** Told of progress. */
    @FunctionalInterface
    public interface Listener {
        /** {@code done} of {@code total} parts of {@code what} are done. */
        void at(String what, int done, int total);
    }

    /**
     * A pruner.
     *
     * @param model a float network
     * @param inputShapes shapes for inputs with open dimensions
     * @param threads worker threads of the engine; 0 takes one per processor
     * @throws UnsupportedModelException if the network is quantised already or no channel can be removed; names the
     *     node that ties them
     */
    public Pruner(Graph model, Map<String, Shape> inputShapes, Backend backend, int threads) {
        this.graph = GraphPasses.simplify(model, inputShapes);
        this.dependencies = ChannelDependencies.of(graph);
        this.backend = backend;
        this.threads = threads;
        if (dependencies.removable().isEmpty()) {
            String pin = dependencies.layers().values().stream().flatMapToInt(java.util.Arrays::stream)
                    .mapToObj(dependencies::pinnedBy).filter(node -> node != null && !node.name().isEmpty())
                    .map(node -> ": node '" + node.name() + "' (" + node.op().getClass().getSimpleName()
                            + ") ties them in a way that is not known")
                    .findFirst().orElse(": all of them are outputs of the network");
            throw new UnsupportedModelException("has no channels that can be removed" + pin);
        }
    }

    /** The network with known shapes, as it is pruned. */
    public Graph graph() {
        return graph;
    }

    /** Its channels. */
    public ChannelDependencies dependencies() {
        return dependencies;
    }

    /**
     * The network without channels.
     *
     * @param pictures opens pictures for criteria and repair; not asked where neither needs any
     * @throws dev.shrike.ModelException if the budget cannot be met
     */
    public Result prune(Options options, Supplier<CalibrationPictures> pictures, ActivationMemory memory,
            Listener listener) {
        Graph current = graph;
        Map<String, int[]> kept = new HashMap<>();
        boolean folded = false;
        double whole = measure(options.budget(), graph);
        double goal = options.budget().absolute(whole);
        for (int step = 1; step <= options.steps(); step++) {
            // Equal ratios, so that each step takes the same share of what is left.
            double remaining = whole * Math.pow(goal / whole, (double) step / options.steps());
            Budget budget = options.budget().measure() == Budget.Measure.CHANNELS
                    ? new Budget(Budget.Measure.CHANNELS, true,
                            Math.pow(options.budget().amount(), 1.0 / options.steps()))
                    : new Budget(options.budget().measure(), false, remaining);
            ChannelDependencies channels = ChannelDependencies.of(current);
            ChannelSensitivity measured = options.criterion().needsPictures()
                    ? measure(current, options.criterion(), pictures, listener) : null;
            ChannelSaliency saliency = new ChannelSaliency(channels, measured);
            Set<Integer> removed = UnitSelection.choose(channels,
                    options.readers() ? saliency.readingWeights(options.criterion())
                            : saliency.scores(options.criterion(), options.seed()),
                    selection(options, budget),
                    options.criterion() == Criterion.OBS ? measured : null);
            folded |= saliency.scalesAreFolded();
            kept = composed(kept, channels, removed);
            current = ChannelRemoval.apply(channels, removed,
                    ConstantChannels.shifts(channels, removed, ConstantChannels.of(channels, removed, backend)));
            if (options.repair().isPresent() && !removed.isEmpty()) {
                try (CalibrationPictures opened = pictures.get()) {
                    current = LayerwiseReconstruction.apply(graph, current, kept, opened, memory,
                            options.repair().get(), backend,
                            (name, done, total) -> listener.at("fitting " + name, done, total));
                }
            }
        }
        int count = kept.entrySet().stream()
                .mapToInt(layer -> dependencies.layers().get(layer.getKey()).length - layer.getValue().length).sum();
        return new Result(current, count, folded
                ? "batch normalisation is folded into some filters: their norms stand for its scales" : "");
    }

    private static UnitSelection.Options selection(Options options, Budget budget) {
        boolean isLoss = switch (options.criterion()) {
            case FISHER, OBS, TAYLOR -> true;
            case L1, L2, FPGM, BN_SCALE, ACTIVATION_MEAN, ACTIVATION_DEVIATION, HRANK, MUTUAL_INFORMATION, RANDOM ->
                false;
        };
        return new UnitSelection.Options(budget, options.scope(), options.keep(),
                isLoss && options.scope() == UnitSelection.Scope.GLOBAL);
    }

    private static double measure(Budget budget, Graph graph) {
        return switch (budget.measure()) {
            case MACS -> LayerCost.macs(LayerCost.of(graph));
            case PARAMETERS -> LayerCost.parameters(LayerCost.of(graph));
            case CHANNELS -> 1;
        };
    }

    /** The channels of the original network that each layer has after a further step. */
    private static Map<String, int[]> composed(Map<String, int[]> before, ChannelDependencies channels,
            Set<Integer> removed) {
        Map<String, int[]> kept = new HashMap<>();
        channels.layers().forEach((name, units) -> {
            int[] positions = IntStream.range(0, units.length).filter(i -> !removed.contains(units[i])).toArray();
            int[] earlier = before.get(name);
            kept.put(name, earlier == null ? positions : Arrays.stream(positions).map(i -> earlier[i]).toArray());
        });
        return kept;
    }

    private ChannelSensitivity measure(Graph network, Criterion criterion,
            Supplier<CalibrationPictures> pictures, Listener listener) {
        try (CalibrationPictures opened = pictures.get()) {
            return new ChannelSensitivity(network, opened, 2, criterion == Criterion.HRANK, threads,
                    done -> listener.at("measuring channels", done, opened.size()));
        }
    }
}
