package dev.shrike.calibration.prune;

import dev.shrike.calibration.prune.channels.ChannelDependencies;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which units may still go: each layer keeps a share of its channels, and each value, such as a part of a split, keeps
 * one.
 */
final class RemovalAllowance {
    private final Map<Integer, List<int[]>> spare = new HashMap<>();

    /**
     * An allowance of which nothing is used.
     *
     * @param keep least share of its channels that each layer keeps
     */
    RemovalAllowance(ChannelDependencies dependencies, double keep) {
        dependencies.layers().values().forEach(units -> {
            Set<Integer> distinct = new HashSet<>();
            Arrays.stream(units).forEach(distinct::add);
            add(distinct, Math.max(1, (int) Math.ceil(keep * distinct.size())));
        });
        dependencies.values().forEach(units -> add(units, 1));
    }

    private void add(Set<Integer> units, int least) {
        int[] left = {units.size() - least};
        units.forEach(unit -> spare.computeIfAbsent(unit, _ -> new ArrayList<>()).add(left));
    }

    boolean allows(int unit) {
        return spare.getOrDefault(unit, List.of()).stream().allMatch(left -> left[0] > 0);
    }

    void remove(int unit) {
        spare.getOrDefault(unit, List.of()).forEach(left -> left[0]--);
    }
}
