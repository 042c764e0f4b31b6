package dev.shrike.calibration.prune;

import dev.shrike.calibration.prune.channels.ChannelDependencies;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The order in which units of a group of layers go, those worth least first, and what is lost with them. Groups do not
 * share units, so that how many go of each is all that there is to choose.
 *
 * @param units that can go while each layer keeps its share
 * @param losses what is lost with the first of them, one more than units
 */
record RemovalOrder(int[] units, double[] losses) {
    /**
     * The orders of all groups that have units to remove.
     *
     * @param keep least share of its channels that each layer keeps
     * @param redundancy where a unit counts only for what others do not predict; else null. It is used up
     */
    static List<RemovalOrder> of(ChannelDependencies dependencies, Map<Integer, Double> scores, double keep,
            ChannelRedundancy redundancy) {
        // One for all groups, so that no value is emptied by several of them together.
        RemovalAllowance allowance = new RemovalAllowance(dependencies, keep);
        List<RemovalOrder> orders = new ArrayList<>();
        for (Set<String> group : dependencies.groups()) {
            Set<Integer> open = new TreeSet<>();
            for (String layer : group) {
                for (int unit : dependencies.layers().get(layer)) {
                    if (scores.containsKey(unit)) {
                        open.add(unit);
                    }
                }
            }
            RemovalOrder order = order(dependencies, open, scores, allowance, redundancy);
            if (order.units().length > 0) {
                orders.add(order);
            }
        }
        return orders;
    }

    private static RemovalOrder order(ChannelDependencies dependencies, Set<Integer> open,
            Map<Integer, Double> scores, RemovalAllowance allowance, ChannelRedundancy redundancy) {
        List<Integer> units = new ArrayList<>();
        List<Double> losses = new ArrayList<>(List.of(0.0));
        while (!open.isEmpty()) {
            int next = -1;
            double lowest = Double.POSITIVE_INFINITY;
            for (int unit : open) {
                double worth = scores.get(unit)
                        * (redundancy == null ? 1 : redundancy.residual(dependencies.members(unit)));
                if (next < 0 || worth < lowest) {
                    next = unit;
                    lowest = worth;
                }
            }
            open.remove(next);
            if (!allowance.allows(next)) {
                continue;
            }
            allowance.remove(next);
            if (redundancy != null) {
                redundancy.remove(dependencies.members(next));
            }
            units.add(next);
            losses.add(losses.getLast() + Math.max(0, lowest));
        }
        return new RemovalOrder(units.stream().mapToInt(unit -> unit).toArray(),
                losses.stream().mapToDouble(loss -> loss).toArray());
    }

    /** The first units of each order. */
    static Set<Integer> removed(List<RemovalOrder> orders, int[] counts) {
        Set<Integer> removed = new TreeSet<>();
        for (int i = 0; i < counts.length; i++) {
            Arrays.stream(orders.get(i).units(), 0, counts[i]).forEach(removed::add);
        }
        return removed;
    }

    /** About this share of the units of each order. */
    static int[] counts(List<RemovalOrder> orders, double share) {
        return orders.stream().mapToInt(order -> (int) Math.round(share * order.units().length)).toArray();
    }
}
