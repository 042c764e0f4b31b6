package dev.shrike.calibration.prune;

import dev.shrike.ModelException;
import dev.shrike.calibration.training.ChannelSensitivity;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
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
    private final Map<String, Integer> left = new HashMap<>();
    private final Map<String, Integer> least = new HashMap<>();
    private final Map<Integer, Set<String>> layersOf = new HashMap<>();
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
            ChannelRedundancy redundancy) {
        this.dependencies = dependencies;
        this.options = options;
        this.redundancy = redundancy;
        this.costs = new MacModel(dependencies);
        dependencies.layers().forEach((name, units) -> {
            Set<Integer> distinct = new HashSet<>();
            for (int unit : units) {
                distinct.add(unit);
                layersOf.computeIfAbsent(unit, _ -> new LinkedHashSet<>()).add(name);
            }
            left.put(name, distinct.size());
            least.put(name, Math.max(1, (int) Math.ceil(options.keep() * distinct.size())));
        });
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
        return new UnitSelection(dependencies, scores, options,
                measured == null ? null : new ChannelRedundancy(measured)).run();
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
                throw new ModelException(String.format(Locale.ROOT, "cannot be pruned to %s %s: with %.0f %% of each"
                        + " layer's channels kept, %s remain; ask for less, or lower the share that layers keep",
                        number(goal), options.budget().measure().name().toLowerCase(Locale.ROOT),
                        100 * options.keep(), number(remaining())));
            }
            open.remove(next);
            if (layersOf.get(next).stream().allMatch(layer -> left.get(layer) > least.get(layer))) {
                remove(next);
            }
        }
        return removed;
    }

    private static String number(double value) {
        return value < 1e5 ? String.format(Locale.ROOT, "%.0f", value)
                : value < 1e9 ? String.format(Locale.ROOT, "%.3f million", value / 1e6)
                        : String.format(Locale.ROOT, "%.3f billion", value / 1e9);
    }

    private double remaining() {
        return switch (options.budget().measure()) {
            case MACS -> costs.macs();
            case PARAMETERS -> costs.parameters();
            case CHANNELS -> scores.size() - (double) removed.size();
        };
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
                worth /= Math.max(1, switch (options.budget().measure()) {
                    case MACS -> costs.macsOf(unit);
                    case PARAMETERS -> costs.parametersOf(unit);
                    case CHANNELS -> 1;
                });
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
        layersOf.get(unit).forEach(layer -> left.merge(layer, -1, Integer::sum));
        if (redundancy != null) {
            redundancy.remove(dependencies.members(unit));
        }
    }
}
