package dev.shrike.calibration.quantize;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * The exact choice of one option for each of several layers with the least sum of losses among all whose sum of costs
 * keeps a budget: dynamic programming over the layers, keeping for every attainable cost the least loss, and of these
 * only what no cheaper choice beats (the multiple-choice knapsack of HAWQ-V3 and SPDY, without their rounding of
 * costs).
 */
public final class BudgetChoice {
    private BudgetChoice() {}

    /**
     * An option of a layer.
     *
     * @param cost not negative, in any unit
     * @param loss finite
     */
    public record Option(long cost, double loss) {
        public Option {
            if (cost < 0 || !Double.isFinite(loss)) {
                throw new IllegalArgumentException("cost " + cost + ", loss " + loss);
            }
        }
    }

    /** A choice for the layers up to some one, in a list by rising cost and falling loss. */
    private record State(long cost, double loss, int option, State before) {}

    /**
     * The number of the option of every layer.
     *
     * @param layers options of each layer, at least one
     * @throws IllegalArgumentException if even the cheapest options exceed the budget; says their cost
     */
    public static int[] choose(List<List<Option>> layers, long budget) {
        long least = layers.stream().mapToLong(o -> o.stream().mapToLong(Option::cost).min().orElseThrow()).sum();
        if (least > budget) {
            throw new IllegalArgumentException("the least possible is " + least + ", more than " + budget);
        }
        long[] after = new long[layers.size() + 1];
        for (int i = layers.size() - 1; i >= 0; i--) {
            after[i] = after[i + 1] + layers.get(i).stream().mapToLong(Option::cost).min().orElseThrow();
        }
        List<State> states = List.of(new State(0, 0, -1, null));
        for (int i = 0; i < layers.size(); i++) {
            states = extended(states, layers.get(i), budget - after[i + 1]);
        }
        int[] chosen = new int[layers.size()];
        State at = Objects.requireNonNull(states.getLast());
        for (int i = layers.size() - 1; i >= 0; i--) {
            chosen[i] = at.option();
            at = at.before();
        }
        return chosen;
    }

    private static List<State> extended(List<State> states, List<Option> options, long budget) {
        List<State> result = List.of();
        for (int number = 0; number < options.size(); number++) {
            Option option = options.get(number);
            List<State> moved = new ArrayList<>();
            for (State state : states) {
                if (state.cost() + option.cost() <= budget) {
                    moved.add(new State(state.cost() + option.cost(), state.loss() + option.loss(), number, state));
                }
            }
            result = merged(result, moved);
        }
        return result;
    }

    /** Both lists by rising cost, without what something of at most that cost equals or beats. */
    private static List<State> merged(List<State> a, List<State> b) {
        List<State> result = new ArrayList<>(a.size() + b.size());
        double best = Double.POSITIVE_INFINITY;
        int i = 0;
        int j = 0;
        while (i < a.size() || j < b.size()) {
            boolean first = j == b.size() || i < a.size() && (a.get(i).cost() < b.get(j).cost()
                    || a.get(i).cost() == b.get(j).cost() && a.get(i).loss() <= b.get(j).loss());
            State next = first ? a.get(i++) : b.get(j++);
            if (next.loss() < best) {
                best = next.loss();
                result.add(next);
            }
        }
        return result;
    }
}
