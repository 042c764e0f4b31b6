package dev.shrike.calibration.prune;

import dev.shrike.calibration.activations.ActivationMemory;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.prune.channels.ChannelDependencies;
import dev.shrike.calibration.prune.channels.ChannelRemoval;
import dev.shrike.calibration.prune.channels.ConstantChannels;
import dev.shrike.graph.Graph;
import dev.shrike.spi.Backend;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Judges which units should go without labels, as EagleEye does (Li et al. 2020): mean and deviation of each channel
 * are estimated anew on some images, and the divergence of the heads is measured on others.
 */
final class PlanJudge {
    /** Images for each of the two purposes; what is judged is an order, which few images show. */
    private static final int IMAGES = 8;
    private static final int POSITIONS = 64;

    private final ChannelDependencies dependencies;
    private final Supplier<CalibrationImages> images;
    private final ActivationMemory memory;
    private final Backend backend;
    private final int threads;
    private final HeadDivergence divergence;
    private final Map<Set<Integer>, Double> known = new HashMap<>();

    PlanJudge(ChannelDependencies dependencies, Supplier<CalibrationImages> images, ActivationMemory memory,
            Backend backend, int threads) {
        this.dependencies = dependencies;
        this.images = images;
        this.memory = memory;
        this.backend = backend;
        this.threads = threads;
        try (CalibrationImages all = images.get();
                CalibrationImages held = all.part(all.size() > 1 ? 1 : 0, step(all), IMAGES)) {
            this.divergence = HeadDivergence.from(dependencies.graph(), held, backend, threads);
        }
    }

    /** At even distances, an even number so that the two parts share no image. */
    private static int step(CalibrationImages all) {
        return Math.max(2, all.size() / IMAGES / 2 * 2);
    }

    /** The divergence without these units; infinite if a value would be left without channels. */
    double divergence(Set<Integer> removed) {
        return known.computeIfAbsent(Set.copyOf(removed), _ -> {
            if (!dependencies.emptied(removed).isEmpty()) {
                return Double.POSITIVE_INFINITY;
            }
            return divergence.of(normalized(removed));
        });
    }

    /** The network without these units and with statistics of the whole one. */
    Graph normalized(Set<Integer> removed) {
        Graph smaller = ChannelRemoval.apply(dependencies, removed, ConstantChannels.shifts(dependencies, removed,
                ConstantChannels.of(dependencies, removed, backend)));
        Map<String, int[]> kept = new HashMap<>();
        dependencies.layers().forEach((name, units) -> kept.put(name,
                IntStream.range(0, units.length).filter(i -> !removed.contains(units[i])).toArray()));
        try (CalibrationImages all = images.get(); CalibrationImages some = all.part(0, step(all), IMAGES)) {
            return LayerwiseReconstruction.apply(dependencies.graph(), smaller, kept, some, memory,
                    new LayerwiseReconstruction.Options(POSITIONS, 1, true, false, threads), backend, (_, _, _) -> {});
        }
    }
}
