package dev.shrike.cpu.plan;

import dev.shrike.spi.Binding;
import dev.shrike.spi.BuildOptions;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Measures plans of one network that differ in their kernels. */
@FunctionalInterface
public interface PlanMeter {
    /** Nanoseconds of every step, by plan; each as quick as this machine runs it. */
    long[][] measure(List<Plan> plans, BuildOptions.Progress progress);

    /** The least time of each step over some runs of whole networks, in turn, so that all see the same disturbances. */
    PlanMeter RUNNING = (plans, progress) -> {
        int most = 15;
        int least = 3;
        long budget = 6_000_000_000L;
        long[][] best = new long[plans.size()][];
        for (int i = 0; i < best.length; i++) {
            fill(plans.get(i));
            best[i] = new long[plans.get(i).times().size()];
            Arrays.fill(best[i], Long.MAX_VALUE);
        }
        long start = System.nanoTime();
        // The first round brings code and weights into memory and is not counted.
        for (int round = -1; round < most; round++) {
            for (int i = 0; i < best.length; i++) {
                plans.get(i).run();
                long[] nanos = plans.get(i).nanos();
                for (int step = 0; round >= 0 && step < nanos.length; step++) {
                    best[i][step] = Math.min(best[i][step], nanos[step]);
                }
            }
            progress.at("tuning", round + 2, most + 1);
            if (round >= least - 1 && System.nanoTime() - start > budget) {
                break;
            }
        }
        return best;
    };

    private static void fill(Plan plan) {
        Random random = new Random(1);
        for (Binding input : plan.inputs()) {
            long floats = input.memory().byteSize() / Float.BYTES;
            for (long i = 0; i < floats; i++) {
                input.memory().setAtIndex(ValueLayout.JAVA_FLOAT, i, random.nextFloat());
            }
        }
    }
}
