package dev.shrike.app.serve;

import dev.shrike.StageTimes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Mean times of each stage by second, for the last minutes. Use from any thread. */
final class LatencyHistory {
    /** Seconds that are kept. */
    static final int SECONDS = 180;

    private static final int VALUES = 5;
    private static final double MILLI = 1e-6;

    private final long[] second = new long[SECONDS];
    private final double[][] sums = new double[SECONDS][VALUES];

    /**
     * The means of one second, in milliseconds.
     *
     * @param second on the clock of {@link System#nanoTime}
     * @param age from capture to the end of the detection
     * @param frames how many there were
     */
    record Point(long second, double letterbox, double network, double decode, double age, int frames) {}

    /** Adds a frame. */
    synchronized void add(long now, StageTimes times, long ageNanos) {
        long at = TimeUnit.NANOSECONDS.toSeconds(now);
        int slot = Math.floorMod(at, SECONDS);
        double[] sum = sums[slot];
        if (second[slot] != at) {
            second[slot] = at;
            Arrays.fill(sum, 0);
        }
        sum[0] += times.letterbox();
        sum[1] += times.network();
        sum[2] += times.decode();
        sum[3] += ageNanos;
        sum[4]++;
    }

    /** The last whole seconds with frames, oldest first. */
    synchronized List<Point> points(long now, int seconds) {
        long newest = TimeUnit.NANOSECONDS.toSeconds(now) - 1;
        List<Point> points = new ArrayList<>();
        for (long at = newest - Math.min(seconds, SECONDS - 1) + 1; at <= newest; at++) {
            int slot = Math.floorMod(at, SECONDS);
            double[] sum = sums[slot];
            if (second[slot] == at && sum[4] > 0) {
                double mean = MILLI / sum[4];
                points.add(new Point(at, sum[0] * mean, sum[1] * mean, sum[2] * mean, sum[3] * mean, (int) sum[4]));
            }
        }
        return points;
    }
}
