package dev.shrike.app.bench.harness;

import dev.shrike.app.bench.statistics.Quantiles;
import dev.shrike.app.device.Activity;
import dev.shrike.app.device.SystemFiles;
import dev.shrike.app.device.Throttling;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Finds out what disturbed a measurement: tasks that waited for a processor, time that a hypervisor took away, threads
 * of ours that were put aside, a board that held itself back, a clock that fell.
 */
public final class Disturbance {
    private static final double MOST_STALLED = 0.05;
    private static final double MOST_STOLEN = 0.01;
    private static final double MOST_INVOLUNTARY = 50;
    private static final double MOST_SLOWDOWN = 0.05;
    private static final int BLOCK = 10;

    private final SystemFiles files;
    private final Activity before;
    private final Throttling throttlingBefore;

    /**
     * What was found.
     *
     * @param stalled share of the time in which some task waited for a processor; NaN if it is not known
     * @param stolen share of the processors' time that the hypervisor took
     * @param involuntary times a second that a thread of ours was put aside; NaN if it is not known
     * @param slowdown by how much the calibrated loop was slower than at its best, for some rounds on end
     * @param reasons why the measurement counts as disturbed, for people; none if it does not
     */
    public record Finding(double stalled, double stolen, double involuntary, double slowdown, List<String> reasons) {
        public Finding {
            reasons = List.copyOf(reasons);
        }
    }

    /** Begins to look. */
    public Disturbance(SystemFiles files) {
        this.files = files;
        before = Activity.read(files);
        throttlingBefore = Throttling.read(files);
    }

    /**
     * What happened since.
     *
     * @param loops times of the calibrated loop, in order
     * @param throttled what was seen to hold the board back meanwhile
     */
    public Finding find(double[] loops, List<String> throttled) {
        Activity now = Activity.read(files);
        Optional<Double> stalled = now.stalledSince(before);
        double stolen = now.stolenSince(before);
        Optional<Double> involuntary = now.involuntarySince(before);
        double slowdown = slowdown(loops);
        List<String> reasons = new ArrayList<>();
        stalled.filter(share -> share > MOST_STALLED)
                .ifPresent(share -> reasons.add(percent(share) + " of the time a task waited for a processor"));
        if (stolen > MOST_STOLEN) {
            reasons.add("the hypervisor took " + percent(stolen) + " of the processors' time");
        }
        involuntary.filter(rate -> rate > MOST_INVOLUNTARY).ifPresent(rate -> reasons.add(
                String.format(Locale.ROOT, "%.0f times a second another task took the place of one of ours", rate)));
        if (slowdown > MOST_SLOWDOWN) {
            reasons.add("a loop of known length took " + percent(slowdown) + " longer than at its best");
        }
        List<String> held = new ArrayList<>(Throttling.read(files).since(throttlingBefore));
        throttled.stream().filter(cause -> !held.contains(cause)).forEach(held::add);
        held.forEach(cause -> reasons.add("the board held itself back: " + cause));
        return new Finding(stalled.orElse(Double.NaN), stolen, involuntary.orElse(Double.NaN), slowdown, reasons);
    }

    /** How much slower the slowest ten rounds were than the quickest ten, by their medians. */
    static double slowdown(double[] loops) {
        if (loops.length < 2 * BLOCK) {
            return 0;
        }
        double least = Double.POSITIVE_INFINITY;
        double most = 0;
        for (int from = 0; from + BLOCK <= loops.length; from += BLOCK) {
            double median = Quantiles.median(Arrays.copyOfRange(loops, from, from + BLOCK));
            least = Math.min(least, median);
            most = Math.max(most, median);
        }
        return most / least - 1;
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }
}
