package dev.shrike.app.bench.harness;

import com.sun.management.ThreadMXBean;
import dev.shrike.app.bench.statistics.Bootstrap;
import dev.shrike.app.bench.statistics.WarmUp;
import dev.shrike.app.device.SystemFiles;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Runs contestants in turn, round by round, so that whatever disturbs the machine disturbs all of them, and goes on
 * until
 * their medians are known well enough or the time is up. Before the first round each of them is run until it is warm.
 */
public final class Harness {
    private static final double CONFIDENCE = 0.95;
    private static final int MOST_WARM_UP_RUNS = 500;
    private static final double WARM_UP_SHARE = 0.25;
    private static final double NANOS = 1e9;
    /** Judging the intervals takes longer the more rounds there are, so it is done ever more seldom. */
    private static final int FIRST_JUDGED = 10;

    private final SystemFiles files;
    private final Pace pace;
    private final Stopping stopping;
    private final LongSupplier allocated;

    /**
     * What was measured of a group of contestants.
     *
     * @param recordings of each contestant, in their order
     * @param warmUps how each became warm
     * @param disturbance what disturbed the machine
     * @param moments what was seen of temperature, clock and power
     * @param tight whether all medians are known as well as was wanted
     * @param late runs that began after their tick of the camera
     * @param gigahertz the clock by the calibrated loop, at its best
     * @param collections garbage collections meanwhile
     * @param collectionMillis time that they took
     */
    public record Outcome(List<Recording> recordings, List<Warm> warmUps, Disturbance.Finding disturbance,
            List<Observer.Moment> moments, boolean tight, long late, double gigahertz, long collections,
            long collectionMillis) {}

    /**
     * A warm-up.
     *
     * @param runs that it took
     * @param converged whether the latest were as long as those before
     */
    public record Warm(int runs, boolean converged) {}

    /** A harness that reads what happens on the machine from these files. */
    public Harness(SystemFiles files, Pace pace, Stopping stopping) {
        this.files = files;
        this.pace = pace;
        this.stopping = stopping;
        this.allocated = ManagementFactory.getThreadMXBean() instanceof ThreadMXBean bean
                && bean.isThreadAllocatedMemorySupported() ? bean::getCurrentThreadAllocatedBytes : () -> 0;
    }

    /** Hears after each round how many there were. */
    @FunctionalInterface
    public interface Listener {
        void round(int done, int atLeast);
    }

    /** Measures the contestants; each has had its first run. */
    public Outcome measure(List<? extends Contestant> contestants, Listener listener) {
        long begin = System.nanoTime();
        CalibratedLoop loop = new CalibratedLoop();
        List<Warm> warmUps = new ArrayList<>();
        for (Contestant contestant : contestants) {
            warmUps.add(warmUp(contestant, stopping.mostSeconds() * WARM_UP_SHARE / contestants.size()));
        }
        List<Recording> recordings =
                contestants.stream().map(_ -> new Recording(stopping.runsPerRound())).toList();
        long[] collections = collections();
        try (Observer observer = new Observer(files)) {
            Disturbance disturbance = new Disturbance(files);
            Rounds rounds = new Rounds(contestants, recordings, loop, (System.nanoTime() - begin) / NANOS);
            while (rounds.goOn()) {
                rounds.next();
                listener.round(rounds.done, stopping.leastRounds());
            }
            double[] loops = Arrays.copyOf(rounds.loops, rounds.done);
            Disturbance.Finding finding = disturbance.find(loops, observer.throttled());
            long[] after = collections();
            return new Outcome(recordings, warmUps, finding, observer.moments(), tight(recordings), rounds.late,
                    CalibratedLoop.gigahertz(Arrays.stream(loops).min().orElseThrow()), after[0] - collections[0],
                    after[1] - collections[1]);
        }
    }

    private static Warm warmUp(Contestant contestant, double seconds) {
        WarmUp warm = new WarmUp();
        long end = System.nanoTime() + (long) (seconds * NANOS);
        while (!warm.converged() && warm.runs() < MOST_WARM_UP_RUNS && System.nanoTime() < end) {
            long start = System.nanoTime();
            contestant.run();
            warm.add(System.nanoTime() - start);
        }
        return new Warm(warm.runs(), warm.converged());
    }

    /** The rounds of one measurement. */
    private final class Rounds {
        private final List<? extends Contestant> contestants;
        private final List<Recording> recordings;
        private final CalibratedLoop loop;
        private final long begin = System.nanoTime();
        private final double spent;
        private double[] loops = new double[1024];
        private int done;
        private int nextJudged = FIRST_JUDGED;
        private boolean tight;
        private long ticks;
        private long late;

        /** Rounds of a measurement that has taken so many seconds. */
        Rounds(List<? extends Contestant> contestants, List<Recording> recordings, CalibratedLoop loop, double spent) {
            this.spent = spent;
            this.contestants = contestants;
            this.recordings = recordings;
            this.loop = loop;
        }

        boolean goOn() {
            double seconds = (System.nanoTime() - begin) / NANOS;
            if (pace.minutes() > 0) {
                return done == 0 || seconds < pace.minutes() * 60;
            }
            return done < stopping.leastRounds() || spent + seconds < stopping.mostSeconds() && !judged();
        }

        private boolean judged() {
            if (done >= nextJudged) {
                nextJudged = done + Math.max(FIRST_JUDGED, done / 4);
                tight = tight(recordings);
            }
            return tight;
        }

        void next() {
            if (done == loops.length) {
                loops = Arrays.copyOf(loops, 2 * done);
            }
            // Without the interruption that one of several may meet.
            loops[done++] = Math.min(loop.nanos(), loop.nanos());
            for (int i = 0; i < recordings.size(); i++) {
                // Who comes first in a round changes, so that nobody always runs behind the same one.
                int turn = (i + done) % recordings.size();
                recordings.get(turn).reserve(stopping.runsPerRound());
                for (int run = 0; run < stopping.runsPerRound(); run++) {
                    one(contestants.get(turn), recordings.get(turn));
                }
            }
        }

        private void one(Contestant contestant, Recording recording) {
            if (pace.framesPerSecond() > 0) {
                long period = (long) (NANOS / pace.framesPerSecond());
                long lateness = Pace.await(begin + ticks++ * period);
                if (lateness > period / 10) {
                    late++;
                    // A camera drops what nobody takes.
                    ticks = (System.nanoTime() - begin) / period + 1;
                }
            }
            long bytes = allocated.getAsLong();
            long start = System.nanoTime();
            contestant.run();
            long total = System.nanoTime() - start;
            recording.add(start, total, contestant.stages(), allocated.getAsLong() - bytes);
        }
    }

    private boolean tight(List<Recording> recordings) {
        double[] first = recordings.getFirst().roundNetworks();
        for (Recording recording : recordings) {
            double[] rounds = recording.roundNetworks();
            if (rounds.length < 6
                    || Bootstrap.median(rounds, CONFIDENCE).relativeHalfWidth() > stopping.precision()
                    || Bootstrap.ratio(rounds, first, CONFIDENCE).relativeHalfWidth() > stopping.precision()) {
                return false;
            }
        }
        return true;
    }

    private static long[] collections() {
        long count = 0;
        long millis = 0;
        for (GarbageCollectorMXBean bean : ManagementFactory.getGarbageCollectorMXBeans()) {
            count += Math.max(0, bean.getCollectionCount());
            millis += Math.max(0, bean.getCollectionTime());
        }
        return new long[] {count, millis};
    }
}
