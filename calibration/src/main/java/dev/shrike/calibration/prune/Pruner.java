package dev.shrike.calibration.prune;

import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.activations.ActivationMemory;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.prune.channels.ChannelDependencies;
import dev.shrike.calibration.prune.channels.ChannelRemoval;
import dev.shrike.calibration.prune.channels.ConstantChannels;
import dev.shrike.calibration.training.ChannelSensitivity;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.spi.Backend;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Removes channels of a float network after training.
 *
 * <ol>
 * <li>Make a pruner of the network.
 * <li>{@link #prune}: chooses channels, removes them and repairs what is left on images, without labels.
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
     * @param repair how to fit what is left on images; empty to leave weights as they are
     * @param search how to divide what goes among layers
     * @param latencies of layers, for budgets of latency
     */
    public record Options(Criterion criterion, boolean readers, Budget budget, UnitSelection.Scope scope, double keep,
            long seed,
            int steps, Optional<LayerwiseReconstruction.Options> repair, Search search,
            Optional<ChannelLatencies> latencies) {
        public Options {
            if (budget.measure() == Budget.Measure.LATENCY && latencies.isEmpty()) {
                throw new IllegalArgumentException("a budget of latency needs a table of latencies");
            }
            if (!(search instanceof Search.Greedy)
                    && (steps != 1 || budget.measure() == Budget.Measure.CHANNELS)) {
                throw new IllegalArgumentException(
                        "a search goes in one step, within a budget of MACs, parameters, size"
                                + " or latency");
            }
        }

        /** Options without a search or a table. */
        public Options(Criterion criterion, boolean readers, Budget budget, UnitSelection.Scope scope, double keep,
                long seed, int steps, Optional<LayerwiseReconstruction.Options> repair) {
            this(criterion, readers, budget, scope, keep, seed, steps, repair, new Search.Greedy(), Optional.empty());
        }
    }

    /** How to divide what goes among layers. */
    public sealed interface Search {
        /** Channels go by their scores, where the scope lets them compete. */
        record Greedy() implements Search {}

        /**
         * Ratios by dynamic programming, judged on images; see SPDY, Frantar and Alistarh 2022.
         *
         * @param weightings of layers to try
         */
        record DynamicProgramming(int weightings) implements Search {}

        /**
         * Ratios by NSGA-II (Deb et al. 2002), which finds the front of cost and divergence.
         *
         * @param population plans at a time, half of them parents
         * @param generations that follow the first
         * @param accuracy of a network, the higher the better, where the plans of the front are to be measured by it
         */
        record Evolution(int population, int generations, Optional<ToDoubleFunction<Graph>> accuracy)
                implements Search {}
    }

    /**
     * A pruned network.
     *
     * @param graph for files and engines
     * @param removed number of channels of layers that are gone
     * @param note what people should know, or empty
     * @param front that an evolution found
     */
    public record Result(Graph graph, int removed, String note, Optional<ParetoFront> front) {}

    /** What goes, and the front where one was looked for. */
    private record Choice(Set<Integer> removed, Optional<ParetoFront> front) {}

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
     * @param images opens images for criteria and repair; not asked where neither needs any
     * @throws dev.shrike.ModelException if the budget cannot be met
     */
    public Result prune(Options options, Supplier<CalibrationImages> images, ActivationMemory memory,
            Listener listener) {
        Graph current = graph;
        Map<String, int[]> kept = new HashMap<>();
        Optional<ParetoFront> front = Optional.empty();
        boolean folded = false;
        ChannelLatencies latencies = options.latencies().orElse(null);
        double whole = options.budget().measure() == Budget.Measure.CHANNELS ? 1
                : new MacModel(dependencies, latencies).value(options.budget().measure());
        double goal = options.budget().absolute(whole);
        for (int step = 1; step <= options.steps(); step++) {
            // Equal ratios, so that each step takes the same share of what is left.
            double remaining = whole * Math.pow(goal / whole, (double) step / options.steps());
            Budget budget = options.budget().measure() == Budget.Measure.CHANNELS
                    ? new Budget(Budget.Measure.CHANNELS, true,
                            Math.pow(options.budget().amount(), 1.0 / options.steps()))
                    : new Budget(options.budget().measure(), false, remaining);
            ChannelDependencies channels = ChannelDependencies.of(current);
            ChannelSensitivity measured = options.criterion().needsImages()
                    ? measure(current, options.criterion(), images, listener) : null;
            ChannelSaliency saliency = new ChannelSaliency(channels, measured);
            Choice choice = choose(channels, options.readers()
                    ? saliency.readingWeights(options.criterion())
                    : saliency.scores(options.criterion(), options.seed()), options, budget,
                    options.criterion() == Criterion.OBS ? measured : null, images, memory, listener);
            Set<Integer> removed = choice.removed();
            front = choice.front();
            folded |= saliency.scalesAreFolded();
            kept = composed(kept, channels, removed);
            current = ChannelRemoval.apply(channels, removed,
                    ConstantChannels.shifts(channels, removed, ConstantChannels.of(channels, removed, backend)));
            if (options.repair().isPresent() && !removed.isEmpty()) {
                try (CalibrationImages opened = images.get()) {
                    current = LayerwiseReconstruction.apply(graph, current, kept, opened, memory,
                            options.repair().get(), backend,
                            (name, done, total) -> listener.at("fitting " + name, done, total));
                }
            }
        }
        int count = kept.entrySet().stream()
                .mapToInt(layer -> dependencies.layers().get(layer.getKey()).length - layer.getValue().length).sum();
        return new Result(current, count, folded
                ? "batch normalisation is folded into some filters: their norms stand for its scales" : "", front);
    }

    private Choice choose(ChannelDependencies channels, Map<Integer, Double> scores, Options options,
            Budget budget, ChannelSensitivity measured, Supplier<CalibrationImages> images,
            ActivationMemory memory, Listener listener) {
        ChannelLatencies latencies = options.latencies().orElse(null);
        Set<Integer> greedy = UnitSelection.choose(channels, scores, selection(options, budget, options.scope()),
                measured, latencies);
        if (options.search() instanceof Search.Greedy) {
            return new Choice(greedy, Optional.empty());
        }
        Set<Integer> uniform = UnitSelection.choose(channels, scores,
                selection(options, budget, UnitSelection.Scope.LAYER), measured, latencies);
        List<RemovalOrder> orders = RemovalOrder.of(channels, scores, options.keep(),
                measured == null ? null : new ChannelRedundancy(measured));
        MacModel costs = new MacModel(channels, latencies);
        PlanJudge judge = new PlanJudge(channels, images, memory, backend, threads);
        return switch (options.search()) {
            case Search.Greedy _ -> throw new IllegalStateException("has its plan");
            case Search.DynamicProgramming search -> {
                SensitivitySearch plans =
                        new SensitivitySearch(orders, costs, budget.measure(), budget.amount(), judge::divergence);
                plans.consider(greedy);
                plans.consider(uniform);
                yield new Choice(plans.run(search.weightings(), options.seed(), listener), Optional.empty());
            }
            case Search.Evolution search -> {
                ParetoSearch plans = new ParetoSearch(orders, costs, budget.measure(), judge);
                plans.consider(greedy);
                plans.consider(uniform);
                plans.run(search.population(), search.generations(), options.seed(), listener);
                List<ParetoSearch.Plan> front = plans.front(search.population());
                ParetoFront drawn = ParetoFront.of(channels, budget, costs, front, judge, search.accuracy(), listener);
                yield new Choice(plans.best(budget.amount(), drawn), Optional.of(drawn));
            }
        };
    }

    private static UnitSelection.Options selection(Options options, Budget budget, UnitSelection.Scope scope) {
        boolean isLoss = switch (options.criterion()) {
            case FISHER, OBS, TAYLOR -> true;
            case L1, L2, FPGM, BN_SCALE, ACTIVATION_MEAN, ACTIVATION_DEVIATION, HRANK, MUTUAL_INFORMATION, RANDOM ->
                false;
        };
        return new UnitSelection.Options(budget, scope, options.keep(),
                isLoss && scope == UnitSelection.Scope.GLOBAL);
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
            Supplier<CalibrationImages> images, Listener listener) {
        try (CalibrationImages opened = images.get()) {
            return ChannelSensitivity.measure(network, opened, 2, criterion == Criterion.HRANK, threads,
                    done -> listener.at("measuring channels", done, opened.size()));
        }
    }
}
