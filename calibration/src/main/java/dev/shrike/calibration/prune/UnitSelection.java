package dev.shrike.calibration.prune;

import dev.shrike.ModelException;
import dev.shrike.calibration.prune.channels.ChannelDependencies;
import dev.shrike.calibration.training.ChannelSensitivity;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Chooses the units that go, those worth least first, until what remains is within a budget. From every layer at least
 * a share of its channels stays (the local safety threshold of SlimYOLOv3, Zhang, Zhong and Li 2019).
 */
public final class UnitSelection {
    private final ChannelDependencies dependencies;
    private final Map<Integer, Double> scores;
    private final Options options;
    private final MacModel costs;
    private final ChannelRedundancy redundancy;
    private final RemovalAllowance allowance;
    private final Set<Integer> removed = new TreeSet<>();

    /** Where channels compete. */
    public enum Scope {
        /** All channels of the network with each other. */
        GLOBAL,
        /** Channels of a layer with each other: each layer loses about the same share. */
        LAYER
    }

    /**
     * How to choose.
     *
     * @param budget what may remain
     * @param scope where channels compete
     * @param keep least share of its channels that each layer keeps, above 0 and at most 1
     * @param perCost whether a score counts in relation to what the unit saves; for scores that are losses
     */
    public record Options(Budget budget, Scope scope, double keep, boolean perCost) {
        public Options {
            if (!(keep > 0) || keep > 1) {
                throw new IllegalArgumentException("a layer cannot keep " + keep
                        + " of its channels; give a share above 0 and at most 1");
            }
        }
    }

    private UnitSelection(ChannelDependencies dependencies, Map<Integer, Double> scores, Options options,
            ChannelRedundancy redundancy, ChannelLatencies latencies) {
        this.dependencies = dependencies;
        this.options = options;
        this.redundancy = redundancy;
        this.costs = new MacModel(dependencies, latencies);
        this.allowance = new RemovalAllowance(dependencies, options.keep());
        this.scores = options.scope() == Scope.LAYER ? ranks(scores) : scores;
    }

    /**
     * The units that go.
     *
     * @param scores of the units; one without a score stays
     * @param measured where the score counts only for what other channels of the layer do not predict; else null
     * @throws ModelException if the budget cannot be met; says what can
     */
    public static Set<Integer> choose(ChannelDependencies dependencies, Map<Integer, Double> scores, Options options,
            ChannelSensitivity measured) {
        return choose(dependencies, scores, options, measured, null);
    }

    /** As the other method, with a table for budgets of latency; null where there is none. */
    static Set<Integer> choose(ChannelDependencies dependencies, Map<Integer, Double> scores, Options options,
            ChannelSensitivity measured, ChannelLatencies latencies) {
        return new UnitSelection(dependencies, scores, options,
                measured == null ? null : new ChannelRedundancy(measured), latencies).run();
    }

    /** The rank of each unit among those that compete with it, as a share. */
    private Map<Integer, Double> ranks(Map<Integer, Double> scores) {
        Map<Integer, Double> ranks = new HashMap<>();
        for (Set<String> group : dependencies.groups()) {
            Set<Integer> units = new LinkedHashSet<>();
            for (String layer : group) {
                for (int unit : dependencies.layers().get(layer)) {
                    if (scores.containsKey(unit)) {
                        units.add(unit);
                    }
                }
            }
            List<Integer> ordered = units.stream()
                    .sorted(Comparator.<Integer>comparingDouble(scores::get).thenComparing(unit -> unit)).toList();
            for (int i = 0; i < ordered.size(); i++) {
                ranks.put(ordered.get(i), (i + 0.5) / ordered.size());
            }
        }
        return ranks;
    }

    private Set<Integer> run() {
        double whole = remaining();
        double goal = options.budget().absolute(whole);
        Set<Integer> open = new TreeSet<>(scores.keySet());
        while (remaining() > goal) {
            int next = next(open);
            if (next < 0) {
                throw new ModelException(String.format(Locale.ROOT, "cannot be pruned to %s: with %.0f %% of each"
                        + " layer's channels kept, %s remain; give a larger budget, or let layers keep a smaller share",
                        options.budget().text(goal), 100 * options.keep(), options.budget().text(remaining())));
            }
            open.remove(next);
            if (allowance.allows(next)) {
                remove(next);
            }
        }
        return removed;
    }

    private double remaining() {
        return options.budget().measure() == Budget.Measure.CHANNELS ? scores.size() - (double) removed.size()
                : costs.value(options.budget().measure());
    }

    private int next(Set<Integer> open) {
        int best = -1;
        double lowest = Double.POSITIVE_INFINITY;
        for (int unit : open) {
            double worth = scores.get(unit);
            if (redundancy != null) {
                worth *= redundancy.residual(dependencies.members(unit));
            }
            if (options.perCost()) {
                worth /= Math.max(1, options.budget().measure() == Budget.Measure.CHANNELS ? 1
                        : costs.valueOf(options.budget().measure(), unit));
            }
            if (best < 0 || worth < lowest) {
                lowest = worth;
                best = unit;
            }
        }
        return best;
    }

    private void remove(int unit) {
        removed.add(unit);
        costs.remove(unit);
        allowance.remove(unit);
        if (redundancy != null) {
            redundancy.remove(dependencies.members(unit));
        }
    }
}
