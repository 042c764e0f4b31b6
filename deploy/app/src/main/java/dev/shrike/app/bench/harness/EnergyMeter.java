package dev.shrike.app.bench.harness;

import dev.shrike.OperationInterruptedException;
import dev.shrike.app.device.PowerRails;
import dev.shrike.app.device.SystemFiles;
import java.util.Optional;

/**
 * The energy of a run, from the meters that a board has: what it takes while this runs, less what it takes when idle.
 */
public final class EnergyMeter {
    private static final long PERIOD = 20_000_000;
    private static final double NANOS = 1e9;

    private final SystemFiles files;
    private final double seconds;

    /**
     * A meter.
     *
     * @param seconds that it looks at each state
     */
    public EnergyMeter(SystemFiles files, double seconds) {
        this.files = files;
        this.seconds = seconds;
    }

    /** Watts and the energy of a run in millijoules. */
    public record Measured(double loadedWatts, double millijoules) {}

    /** What the board takes now, if it has a meter, in watts: the mean over some time in which nothing is run. */
    public Optional<Double> idle() {
        if (PowerRails.read(files).total().isEmpty()) {
            return Optional.empty();
        }
        double sum = 0;
        int count = 0;
        for (long end = System.nanoTime() + (long) (seconds * NANOS); count == 0 || System.nanoTime() < end;) {
            sum += PowerRails.read(files).total().orElse(0.0);
            count++;
            pause();
        }
        return Optional.of(sum / count);
    }

    /** What a contestant takes that runs alone; a thread beside it reads the meter. */
    public Measured loaded(Contestant contestant, double idleWatts) {
        Sampler sampler = new Sampler();
        Thread thread = Thread.ofPlatform().name("shrike-bench-energy").daemon().start(sampler);
        long start = System.nanoTime();
        long runs = 0;
        try {
            for (long end = start + (long) (seconds * NANOS); runs == 0 || System.nanoTime() < end; runs++) {
                contestant.run();
            }
        } finally {
            thread.interrupt();
        }
        double elapsed = (System.nanoTime() - start) / NANOS;
        double watts = sampler.mean();
        return new Measured(watts, Math.max(0, watts - idleWatts) * elapsed / runs * 1000);
    }

    private final class Sampler implements Runnable {
        private double sum;
        private int count;

        @Override
        public void run() {
            try {
                while (true) {
                    Optional<Double> watts = PowerRails.read(files).total();
                    synchronized (this) {
                        sum += watts.orElse(0.0);
                        count += watts.isPresent() ? 1 : 0;
                    }
                    Thread.sleep(PERIOD / 1_000_000);
                }
            } catch (InterruptedException e) {
                // The run has ended.
            }
        }

        synchronized double mean() {
            return count == 0 ? 0 : sum / count;
        }
    }

    private static void pause() {
        try {
            Thread.sleep(PERIOD / 1_000_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new OperationInterruptedException("interrupted while it measured the power", e);
        }
    }
}
