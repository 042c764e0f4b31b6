package dev.shrike.calibration.prune;

import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/**
 * Finds how many units of each group go, as SPDY does (Frantar and Alistarh 2022): a dynamic programme gives the plan
 * with the least sum of losses within a budget, for many weightings of the groups' losses, and a judge says which plan
 * is best. Weightings are drawn around the best one so far, ever nearer to it.
 *
 * <p>What a group saves depends on what is left of the layers around it, so savings are those next to the plan that
 * takes the same share of each group; what a plan really costs is counted.
 */
final class SensitivitySearch {
    private static final int LEVELS = 24;
    private static final int BUCKETS = 4096;
    private static final double WIDEST = 1;
    private static final double NARROWEST = 0.1;

    private final List<RemovalOrder> orders;
    private final MacModel costs;
    private final Budget.Measure measure;
    private final double goal;
    private final ToDoubleFunction<Set<Integer>> judge;
    private final int[][] counts;
    private final int[][] savings;
    private Set<Integer> best;
    private double lowest = Double.POSITIVE_INFINITY;

    /**
     * A search.
     *
     * @param costs of the network
     * @param goal what may remain, in absolute terms
     * @param judge of plans, by the units that go; the lower the better
     */
    SensitivitySearch(List<RemovalOrder> orders, MacModel costs, Budget.Measure measure, double goal,
            ToDoubleFunction<Set<Integer>> judge) {
        this.orders = orders;
        this.costs = costs;
        this.measure = measure;
        this.goal = goal;
        this.judge = judge;
        this.counts = orders.stream().map(order -> levels(order.units().length)).toArray(int[][]::new);
        this.savings = savings();
    }

    private static int[] levels(int units) {
        int most = Math.min(LEVELS, units);
        int[] levels = new int[most + 1];
        for (int i = 0; i <= most; i++) {
            levels[i] = Math.round((float) i * units / most);
        }
        return levels;
    }

    /** The smallest share of each group that must go. */
    private int[] even() {
        double low = 0;
        double high = 1;
        for (int i = 0; i < 20; i++) {
            double middle = (low + high) / 2;
            if (cost(RemovalOrder.counts(orders, middle)) <= goal) {
                high = middle;
            } else {
                low = middle;
            }
        }
        return RemovalOrder.counts(orders, high);
    }

    private double cost(int[] plan) {
        return costs.value(measure, RemovalOrder.removed(orders, plan));
    }

    private int[][] savings() {
        int[] around = even();
        double[][] exact = new double[orders.size()][];
        double sum = 0;
        for (int group = 0; group < exact.length; group++) {
            exact[group] = new double[counts[group].length];
            int[] plan = around.clone();
            plan[group] = 0;
            double whole = cost(plan);
            double most = 0;
            for (int level = 1; level < exact[group].length; level++) {
                plan[group] = counts[group][level];
                exact[group][level] = Math.max(0, whole - cost(plan));
                most = Math.max(most, exact[group][level]);
            }
            sum += most;
        }
        int[][] whole = new int[exact.length][];
        for (int group = 0; group < exact.length; group++) {
            whole[group] = new int[exact[group].length];
            for (int level = 0; level < exact[group].length; level++) {
                whole[group][level] = sum == 0 ? 0 : (int) Math.floor(exact[group][level] / sum * BUCKETS);
            }
        }
        return whole;
    }

    /** Judges a plan that meets the budget. */
    void consider(Set<Integer> removed) {
        double own = judge.applyAsDouble(removed);
        if (best == null || own < lowest) {
            best = removed;
            lowest = own;
        }
    }

    /**
     * The best plan.
     *
     * @param weightings how many to try
     */
    Set<Integer> run(int weightings, long seed, Pruner.Listener listener) {
        double[][] summed = losses(true);
        double[][] square = losses(false);
        double[][] start = {ones(), ones()};
        double[] judged = new double[2];
        for (int prior = 0; prior < 2; prior++) {
            Set<Integer> plan = plan(prior == 0 ? summed : square, start[prior]);
            judged[prior] = plan == null ? Double.POSITIVE_INFINITY : judge.applyAsDouble(plan);
            if (plan != null) {
                consider(plan);
            }
        }
        double[][] prior = judged[0] <= judged[1] ? summed : square;
        double[] centre = ones();
        double reached = Math.min(judged[0], judged[1]);
        Random random = new Random(seed);
        for (int i = 0; i < weightings; i++) {
            listener.at("weighing layers", i, weightings);
            double width = WIDEST * Math.pow(NARROWEST / WIDEST, (double) i / Math.max(1, weightings - 1));
            double[] weights = centre.clone();
            for (int group = 0; group < weights.length; group++) {
                weights[group] *= Math.exp(width * random.nextGaussian());
            }
            Set<Integer> plan = plan(prior, weights);
            double own = plan == null ? Double.POSITIVE_INFINITY : judge.applyAsDouble(plan);
            if (own < reached) {
                reached = own;
                centre = weights;
                consider(plan);
            }
        }
        return best;
    }

    private double[] ones() {
        double[] ones = new double[orders.size()];
        java.util.Arrays.fill(ones, 1);
        return ones;
    }

    /** The loss of each level: that of the units, or the square of the share with the loss of all of them. */
    private double[][] losses(boolean summed) {
        double[][] losses = new double[orders.size()][];
        for (int group = 0; group < losses.length; group++) {
            double[] own = orders.get(group).losses();
            losses[group] = new double[counts[group].length];
            for (int level = 0; level < losses[group].length; level++) {
                double share = (double) counts[group][level] / (own.length - 1);
                losses[group][level] = summed ? own[counts[group][level]] : own[own.length - 1] * share * share;
            }
        }
        return losses;
    }

    /** The plan of the least loss that is within the budget, or null if none of them is. */
    private Set<Integer> plan(double[][] losses, double[] weights) {
        double[][] weighted = new double[losses.length][];
        for (int group = 0; group < losses.length; group++) {
            double weight = weights[group];
            weighted[group] = java.util.Arrays.stream(losses[group]).map(loss -> loss * weight).toArray();
        }
        MultipleChoiceKnapsack knapsack = new MultipleChoiceKnapsack(weighted, savings);
        int low = 0;
        int high = knapsack.most();
        if (cost(counts(knapsack.levels(high))) > goal) {
            return null;
        }
        while (low < high) {
            int middle = (low + high) / 2;
            if (cost(counts(knapsack.levels(middle))) <= goal) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return RemovalOrder.removed(orders, counts(knapsack.levels(high)));
    }

    private int[] counts(int[] levels) {
        int[] plan = new int[levels.length];
        for (int group = 0; group < plan.length; group++) {
            plan[group] = counts[group][levels[group]];
        }
        return plan;
    }
}
