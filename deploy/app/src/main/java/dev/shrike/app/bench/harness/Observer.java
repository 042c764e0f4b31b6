package dev.shrike.app.bench.harness;

import dev.shrike.app.device.PowerRails;
import dev.shrike.app.device.SystemFiles;
import dev.shrike.app.device.ThermalZones;
import dev.shrike.app.device.Throttling;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * Watches temperature, clock, power and throttling from a thread of its own while engines run, a few times a second:
 * often enough to see what moves, seldom enough to cost nothing that can be measured. Closing it ends the thread.
 */
public final class Observer implements AutoCloseable {
    private static final long PERIOD_MILLIS = 500;
    private static final int MOST_MOMENTS = 100_000;
    private static final double KILO = 1000;

    private final SystemFiles files;
    private final List<Moment> moments = new ArrayList<>();
    private final Set<String> throttled = new LinkedHashSet<>();
    private final Thread thread;
    private volatile boolean ending;

    /**
     * What was seen at a moment; what there is no sensor for is NaN.
     *
     * @param nanos on the clock of {@link System#nanoTime}
     * @param celsius the hottest zone
     * @param megahertz the clock of the first core as the kernel tells it
     * @param watts what the whole board takes
     */
    public record Moment(long nanos, double celsius, double megahertz, double watts) {}

    /** Begins to watch. */
    public Observer(SystemFiles files) {
        this.files = files;
        observe();
        thread = Thread.ofPlatform().name("shrike-bench-observer").daemon().start(this::loop);
    }

    private void loop() {
        while (!ending) {
            try {
                Thread.sleep(PERIOD_MILLIS);
            } catch (InterruptedException e) {
                return;
            }
            observe();
        }
    }

    private void observe() {
        OptionalDouble hottest = ThermalZones.read(files).stream().mapToDouble(ThermalZones.Zone::celsius).max();
        double clock = files.number("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq")
                .map(kilohertz -> kilohertz / KILO).orElse(Double.NaN);
        double watts = PowerRails.read(files).total().orElse(Double.NaN);
        List<String> now = Throttling.read(files).now();
        synchronized (this) {
            throttled.addAll(now);
            if (moments.size() < MOST_MOMENTS) {
                moments.add(new Moment(System.nanoTime(), hottest.orElse(Double.NaN), clock, watts));
            }
        }
    }

    /** What was seen so far, in order. */
    public synchronized List<Moment> moments() {
        return List.copyOf(moments);
    }

    /** What held the board back at some moment that was looked at. */
    public synchronized List<String> throttled() {
        return List.copyOf(throttled);
    }

    @Override
    public void close() {
        ending = true;
        thread.interrupt();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
