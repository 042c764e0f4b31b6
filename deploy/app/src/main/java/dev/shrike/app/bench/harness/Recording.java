package dev.shrike.app.bench.harness;

import dev.shrike.StageTimes;
import dev.shrike.app.bench.statistics.Quantiles;
import java.util.Arrays;

/**
 * The exact times of one contestant's runs, in nanoseconds and in the order in which they were taken. Its arrays grow
 * outside of what is timed.
 */
public final class Recording {
    private static final int FIRST_ROOM = 1024;

    private final int runsPerRound;
    private long[] starts = new long[FIRST_ROOM];
    private long[] totals = new long[FIRST_ROOM];
    private long[] letterboxes = new long[FIRST_ROOM];
    private long[] networks = new long[FIRST_ROOM];
    private long[] decodes = new long[FIRST_ROOM];
    private int count;
    private boolean staged;
    private long allocated;

    /** An empty recording. */
    public Recording(int runsPerRound) {
        this.runsPerRound = runsPerRound;
    }

    /**
     * Adds a run.
     *
     * @param start on the clock of {@link System#nanoTime}
     * @param total wall time
     * @param stages its stages, or null if it is the network alone
     * @param bytes that it allocated on the Java heap
     */
    public void add(long start, long total, StageTimes stages, long bytes) {
        starts[count] = start;
        totals[count] = total;
        networks[count] = stages == null ? total : stages.network();
        if (stages != null) {
            staged = true;
            letterboxes[count] = stages.letterbox();
            decodes[count] = stages.decode();
        }
        allocated += bytes;
        count++;
    }

    /** Makes room for so many further runs. */
    public void reserve(int runs) {
        if (count + runs > totals.length) {
            int room = Math.max(2 * totals.length, count + runs);
            starts = Arrays.copyOf(starts, room);
            totals = Arrays.copyOf(totals, room);
            letterboxes = Arrays.copyOf(letterboxes, room);
            networks = Arrays.copyOf(networks, room);
            decodes = Arrays.copyOf(decodes, room);
        }
    }

    /** Number of runs. */
    public int count() {
        return count;
    }

    /** Runs of a round. */
    public int runsPerRound() {
        return runsPerRound;
    }

    /** Whether there are stages beside the network. */
    public boolean staged() {
        return staged;
    }

    /** Bytes that a run allocated on the Java heap, on average. */
    public long allocatedPerRun() {
        return count == 0 ? 0 : allocated / count;
    }

    /** When each run began, on the clock of {@link System#nanoTime}. */
    public long[] starts() {
        return Arrays.copyOf(starts, count);
    }

    /** Wall time of each run. */
    public long[] totals() {
        return Arrays.copyOf(totals, count);
    }

    /** Time of the network in each run. */
    public long[] networks() {
        return Arrays.copyOf(networks, count);
    }

    /** Mean time of the stages of a run: letterbox, network, decode; and what none of them took. */
    public double[] meanStages() {
        double total = mean(totals);
        double letterbox = mean(letterboxes);
        double network = mean(networks);
        double decode = mean(decodes);
        return new double[] {letterbox, network, decode, Math.max(0, total - letterbox - network - decode)};
    }

    private double mean(long[] values) {
        return Arrays.stream(values, 0, count).average().orElse(0);
    }

    /** The median wall time of each complete round, in milliseconds. */
    public double[] roundTotals() {
        return rounds(totals, count, runsPerRound);
    }

    /** The median time of the network in each complete round, in milliseconds. */
    public double[] roundNetworks() {
        return rounds(networks, count, runsPerRound);
    }

    /** The median of each complete round of so many runs, in milliseconds, of nanoseconds. */
    public static double[] rounds(long[] nanos, int count, int runsPerRound) {
        double[] medians = new double[count / runsPerRound];
        double[] round = new double[runsPerRound];
        for (int i = 0; i < medians.length; i++) {
            for (int run = 0; run < runsPerRound; run++) {
                round[run] = nanos[i * runsPerRound + run] / 1e6;
            }
            medians[i] = Quantiles.median(round);
        }
        return medians;
    }
}
