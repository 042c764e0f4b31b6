package dev.shrike.app.bench.report;

import dev.shrike.app.bench.statistics.Interval;
import dev.shrike.app.bench.statistics.Summary;
import dev.shrike.app.bench.statistics.Verdict;
import java.util.List;
import java.util.Objects;

/**
 * All that a bench found on one device, as {@code docs/bench.schema.json} describes it. What is not known is null.
 *
 * @param schema version of the form
 * @param version of Shrike
 * @param started when the bench began, UTC, ISO 8601
 * @param seconds how long it took
 * @param device the machine
 * @param settings how it was measured
 * @param results a result for each model that ran on an engine
 * @param comparisons of results that ran in turn
 * @param absent what was asked for and could not be had
 * @param timeline temperature, clock and power over the time of the bench
 * @param imported results of other tools
 * @param accuracy results of {@code shrike val} for models of this bench
 */
public record BenchReport(int schema, String version, String started, double seconds, Device device, Settings settings,
        List<Result> results, List<Comparison> comparisons, List<Absent> absent, List<Moment> timeline,
        List<Imported> imported, List<Accuracy> accuracy) {
    /** The version of the form that is written. */
    public static final int SCHEMA = 1;

    public BenchReport {
        if (schema != SCHEMA) {
            throw new IllegalArgumentException("it is of version " + schema + ", this Shrike reads version " + SCHEMA);
        }
        Objects.requireNonNull(version, "version");
        Objects.requireNonNull(started, "started");
        Objects.requireNonNull(device, "device");
        Objects.requireNonNull(settings, "settings");
        results = List.copyOf(results);
        comparisons = List.copyOf(comparisons);
        absent = List.copyOf(absent);
        timeline = List.copyOf(timeline);
        imported = List.copyOf(imported);
        accuracy = List.copyOf(accuracy);
        for (Comparison comparison : comparisons) {
            if (Math.min(comparison.a(), comparison.b()) < 0
                    || Math.max(comparison.a(), comparison.b()) >= results.size()) {
                throw new IllegalArgumentException("a comparison of results " + comparison.a() + " and "
                        + comparison.b() + ", of which there are " + results.size());
            }
        }
    }

    /**
     * The machine.
     *
     * @param name for people
     * @param facts what its files say, with Java and the engines
     */
    public record Device(String name, List<Fact> facts) {
        public Device {
            Objects.requireNonNull(name, "name");
            facts = List.copyOf(facts);
        }

        /** The value of that fact, or an empty text. */
        public String fact(String wanted) {
            return facts.stream().filter(fact -> fact.name().equals(wanted)).map(Fact::value).findFirst().orElse("");
        }
    }

    /** A name and what was found. */
    public record Fact(String name, String value) {
        public Fact {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(value, "value");
        }
    }

    /**
     * How it was measured.
     *
     * @param mode back-to-back, paced or long
     * @param image the image that was looked at
     * @param runsPerRound runs of an engine before the next has its turn
     * @param leastRounds rounds that there were at least
     * @param precision half width of the intervals that was wanted, as a share
     */
    public record Settings(String mode, String image, int runsPerRound, int leastRounds, double precision) {
        public Settings {
            Objects.requireNonNull(mode, "mode");
            Objects.requireNonNull(image, "image");
            if (runsPerRound < 1) {
                throw new IllegalArgumentException(runsPerRound + " runs of a round");
            }
        }
    }

    /**
     * A model on an engine.
     *
     * @param group results of the same group ran in turn
     * @param engine name of the engine
     * @param engineDetails what it says of itself
     * @param model the file
     * @param precision of the numbers
     * @param width width of the input in pixels
     * @param height height of the input in pixels
     * @param threads worker threads
     * @param batch images of a run
     * @param opening how long it took to be ready, or null
     * @param warmUp how it became warm
     * @param latency wall time of a run, in milliseconds
     * @param network time of the network in a run, in milliseconds
     * @param median of the rounds' medians of the wall time, with its 95 % interval, in milliseconds
     * @param imagesPerSecond throughput
     * @param stages parts of a run, which together are the whole
     * @param runsPerRound runs of each round
     * @param startsNs when each run began, in nanoseconds since the bench began
     * @param samplesNs exact wall time of each run, in nanoseconds
     * @param networkNs exact time of the network of each run, in nanoseconds
     * @param memory what it holds
     * @param energy what it takes
     * @param layers parts of the network
     * @param drift how it moved over a long run, or null
     * @param quality whether it can be relied on
     */
    public record Result(int group, String engine, String engineDetails, Model model, String precision, int width,
            int height, int threads, int batch, Opening opening, WarmUp warmUp, Summary latency, Summary network,
            Interval median, double imagesPerSecond, List<Stage> stages, int runsPerRound, long[] startsNs,
            long[] samplesNs, long[] networkNs, Memory memory, Energy energy, List<Layer> layers, Drift drift,
            Quality quality) {
        public Result {
            Objects.requireNonNull(engine, "engine");
            Objects.requireNonNull(engineDetails, "engine_details");
            Objects.requireNonNull(model, "model");
            Objects.requireNonNull(precision, "precision");
            Objects.requireNonNull(warmUp, "warm_up");
            Objects.requireNonNull(latency, "latency");
            Objects.requireNonNull(network, "network");
            Objects.requireNonNull(median, "median");
            Objects.requireNonNull(memory, "memory");
            Objects.requireNonNull(energy, "energy");
            Objects.requireNonNull(quality, "quality");
            stages = List.copyOf(stages);
            layers = List.copyOf(layers);
            if (samplesNs.length == 0 || networkNs.length != samplesNs.length || startsNs.length != samplesNs.length) {
                throw new IllegalArgumentException(samplesNs.length + " samples, " + networkNs.length
                        + " of the network, " + startsNs.length + " starts: these are not the same number, or none");
            }
            for (int i = 0; i < samplesNs.length; i++) {
                if (samplesNs[i] < 1 || networkNs[i] < 1) {
                    throw new IllegalArgumentException("sample " + i + " is not positive");
                }
            }
            if (runsPerRound < 1 || width < 0 || height < 0 || threads < 1 || batch < 1) {
                throw new IllegalArgumentException("numbers of runs, threads or images that are not positive");
            }
        }

        /** Engine and precision: {@code "cpu w8a8"}. */
        public String name() {
            return engine + " " + precision;
        }

        /** What was run, without the engine: {@code "yolov5s 640x640, 4 threads"}. */
        public String task() {
            return model.name() + (width == 0 ? "" : " " + (width == height ? width + "" : width + "x" + height)) + ", "
                    + threads + (threads == 1 ? " thread" : " threads") + (batch == 1 ? "" : ", batch " + batch);
        }
    }

    /**
     * The file of a model.
     *
     * @param name the model that was asked for
     * @param file its file
     * @param sha256 hash of the file, in hexadecimal digits
     * @param bytes size of what the engine opened
     * @param made whether the precision was made for the bench, so that nothing is known of its accuracy
     */
    public record Model(String name, String file, String sha256, long bytes, boolean made) {
        public Model {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(file, "file");
            Objects.requireNonNull(sha256, "sha256");
        }
    }

    /**
     * How long it takes to be ready, in milliseconds, medians of several processes of their own.
     *
     * @param cold from the start of the process to the first result
     * @param jvm of it, until the first line of the program
     * @param load of it, opening the model
     * @param first of it, the first run
     * @param processes how many
     */
    public record Opening(double cold, double jvm, double load, double first, int processes) {}

    /**
     * A warm-up.
     *
     * @param runs that it took
     * @param converged whether the latest runs were as long as those before
     * @param firstMs the first run in this process, in milliseconds
     * @param loadMs opening the model in this process, in milliseconds
     */
    public record WarmUp(int runs, boolean converged, double firstMs, double loadMs) {}

    /** A part of a run: mean milliseconds, and its share of the wall time. */
    public record Stage(String name, double ms, double share) {}

    /**
     * Memory.
     *
     * @param residentBytes of a process of its own after the first run, or null
     * @param peakBytes the most that process ever had, or null
     * @param nativeBytes that the network holds outside of the Java heap, or null
     * @param allocatedPerRun bytes that a run allocates on the Java heap
     * @param collections of garbage while the whole group ran
     * @param collectionMs time that they took
     */
    public record Memory(Long residentBytes, Long peakBytes, Long nativeBytes, long allocatedPerRun, long collections,
            long collectionMs) {}

    /**
     * Energy.
     *
     * @param idleWatts what the board takes when nothing runs, or null
     * @param loadedWatts what it takes while only this runs, or null
     * @param millijoules of a run, what the board takes when idle taken off, or null
     * @param note why there is nothing, or how it was measured
     */
    public record Energy(Double idleWatts, Double loadedWatts, Double millijoules, String note) {}

    /**
     * A step of the network.
     *
     * @param node name of its first node
     * @param kernel what ran
     * @param ms median time
     * @param macs multiply-accumulates
     * @param bytes that are read or written at least: weights, input and output; null if it is not known
     * @param gmacs multiply-accumulates a second, in 10^9
     * @param peak share of what the cores could do at best; null if that is not known
     */
    public record Layer(String node, String kernel, double ms, long macs, Long bytes, double gmacs, Double peak) {}

    /** How the median moved over a long run; changes are shares, medians are in milliseconds. */
    public record Drift(double[] mediansMs, double change, double spread) {}

    /**
     * Whether a result can be relied on.
     *
     * @param disturbed why it counts as disturbed; none if it does not
     * @param tight whether the intervals are as narrow as was wanted
     * @param stalled share of the time in which a task waited for a processor; null if it is not known
     * @param stolen share of the processors' time that a hypervisor took
     * @param involuntary times a second that a thread was put aside; null if it is not known
     * @param slowdown of a loop of known length, as a share
     * @param gigahertz clock by that loop
     * @param late runs that began late in paced mode
     */
    public record Quality(List<String> disturbed, boolean tight, Double stalled, double stolen, Double involuntary,
            double slowdown, double gigahertz, long late) {
        public Quality {
            disturbed = List.copyOf(disturbed);
        }
    }

    /**
     * Two results that ran in turn, by the times of their networks.
     *
     * @param a number of the one in the list of results
     * @param b number of the other
     * @param ratio median over rounds of the time of a over that of b, with its 95 % interval
     * @param rounds number of rounds
     * @param verdict what it tells
     */
    public record Comparison(int a, int b, Interval ratio, int rounds, Verdict verdict) {
        public Comparison {
            Objects.requireNonNull(ratio, "ratio");
            Objects.requireNonNull(verdict, "verdict");
        }
    }

    /** What was asked for and could not be had. */
    public record Absent(String what, String reason) {}

    /** What the sensors said at a moment, in seconds since the bench began; null where there is no sensor. */
    public record Moment(double seconds, Double celsius, Double megahertz, Double watts) {}

    /**
     * A result of another tool.
     *
     * @param tool that measured it
     * @param name what it measured
     * @param threads that it used, or null
     * @param count of runs, or null
     * @param minMs quickest
     * @param meanMs mean
     * @param p50Ms median, or null if the tool does not keep its samples
     * @param p99Ms 99th percentile, or null
     * @param maxMs slowest
     */
    public record Imported(String tool, String name, Integer threads, Integer count, double minMs, double meanMs,
            Double p50Ms, Double p99Ms, double maxMs) {}

    /** What {@code shrike val} measured of a model file. */
    public record Accuracy(String model, String file, double map50, double map) {}
}
