package dev.shrike.app.bench;

import dev.shrike.ShrikeException;
import dev.shrike.app.bench.harness.Configuration;
import dev.shrike.app.bench.harness.Disturbance;
import dev.shrike.app.bench.harness.Harness;
import dev.shrike.app.bench.harness.Observer;
import dev.shrike.app.bench.harness.Recording;
import dev.shrike.app.bench.report.BenchReport;
import dev.shrike.app.bench.rivals.Rival;
import dev.shrike.app.bench.statistics.Bootstrap;
import dev.shrike.app.bench.statistics.Drift;
import dev.shrike.app.bench.statistics.Summary;
import dev.shrike.app.bench.statistics.Verdict;
import dev.shrike.files.FileDigest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Makes what a report holds of what was measured. */
final class ResultMaker {
    private static final double CONFIDENCE = 0.95;
    private static final double NANOS = 1e9;

    private final long begin;
    private final boolean isLong;
    private final Map<Path, String> hashes = new HashMap<>();

    /**
     * A configuration that ran.
     *
     * @param variants of its model
     * @param configuration what was opened
     * @param description what the engine says of itself
     * @param loadMs time to open it in this process, in milliseconds
     * @param firstMs time of its first run
     * @param cold processes of their own
     * @param energy what it takes
     * @param layers parts of the network
     */
    record Made(ModelVariants variants, Configuration configuration, String description, double loadMs,
            double firstMs, ColdStart.Measured cold, BenchReport.Energy energy,
            Optional<LayerProfile.Measured> layers) {}

    /**
     * A maker.
     *
     * @param begin of the bench, on the clock of {@link System#nanoTime}
     * @param isLong whether drift is asked for
     */
    ResultMaker(long begin, boolean isLong) {
        this.begin = begin;
        this.isLong = isLong;
    }

    /** The results of a model out of those that ran in turn, in their order. */
    List<BenchReport.Result> results(int group, ModelVariants variants, GroupRun.Outcome outcome) {
        List<BenchReport.Result> results = new ArrayList<>();
        BenchReport.Quality quality = quality(outcome.measured());
        for (int i = 0; i < outcome.made().size(); i++) {
            Made made = outcome.made().get(i);
            if (made.variants() != variants) {
                continue;
            }
            Recording recording = outcome.measured().recordings().get(i);
            Harness.Warm warm = outcome.measured().warmUps().get(i);
            long[] totals = recording.totals();
            Summary latency = Summary.of(milliseconds(totals));
            Configuration configuration = made.configuration();
            results.add(new BenchReport.Result(group, configuration.engine(), made.description(),
                    model(variants, configuration), configuration.precision(), variants.width(), variants.height(),
                    configuration.threads(), configuration.batch(), made.cold().opening(),
                    new BenchReport.WarmUp(warm.runs(), warm.converged(), made.firstMs(), made.loadMs()), latency,
                    Summary.of(milliseconds(recording.networks())),
                    Bootstrap.median(recording.roundTotals(), CONFIDENCE), configuration.batch() * 1000
                            / latency.mean(),
                    stages(recording), recording.runsPerRound(), since(recording.starts()), totals,
                    recording.networks(), memory(made, recording, outcome.measured()), made.energy(),
                    made.layers().map(LayerProfile.Measured::layers).orElse(List.of()),
                    isLong ? drift(milliseconds(totals)) : null, quality));
        }
        return results;
    }

    private static BenchReport.Drift drift(double[] milliseconds) {
        Drift drift = Drift.of(milliseconds);
        return new BenchReport.Drift(drift.medians(), drift.change(), drift.spread());
    }

    private static List<BenchReport.Stage> stages(Recording recording) {
        double[] means = recording.meanStages();
        double total = Arrays.stream(means).sum();
        String[] names = {"letterbox", "network", "decode", "rest"};
        List<BenchReport.Stage> stages = new ArrayList<>();
        for (int i = 0; i < names.length; i++) {
            if (recording.staged() || names[i].equals("network")) {
                stages.add(new BenchReport.Stage(names[i], means[i] / 1e6, means[i] / total));
            }
        }
        return stages;
    }

    private static BenchReport.Memory memory(Made made, Recording recording, Harness.Outcome measured) {
        return new BenchReport.Memory(made.cold().resident(), made.cold().peak(),
                made.layers().map(LayerProfile.Measured::nativeBytes).orElse(null), recording.allocatedPerRun(),
                measured.collections(), measured.collectionMillis());
    }

    private static BenchReport.Quality quality(Harness.Outcome measured) {
        Disturbance.Finding finding = measured.disturbance();
        return new BenchReport.Quality(finding.reasons(), measured.tight(), known(finding.stalled()),
                finding.stolen(), known(finding.involuntary()), finding.slowdown(), measured.gigahertz(),
                measured.late());
    }

    /** What the sensors said, in seconds since the bench began. */
    List<BenchReport.Moment> timeline(List<Observer.Moment> moments) {
        return moments.stream().map(moment -> new BenchReport.Moment((moment.nanos() - begin) / NANOS,
                known(moment.celsius()), known(moment.megahertz()), known(moment.watts()))).toList();
    }

    private static Double known(double value) {
        return Double.isNaN(value) ? null : value;
    }

    /** Each of ours against each rival; where there is none, each against the first. */
    static List<BenchReport.Comparison> comparisons(List<BenchReport.Result> results, int offset) {
        List<BenchReport.Comparison> comparisons = new ArrayList<>();
        boolean rivals = results.stream().anyMatch(ResultMaker::isRival);
        boolean ours = results.stream().anyMatch(result -> !isRival(result));
        for (int a = 0; a < results.size(); a++) {
            for (int b = 0; b < results.size(); b++) {
                boolean wanted = rivals && ours ? !isRival(results.get(a)) && isRival(results.get(b))
                        : b == 0 && a > 0;
                if (wanted) {
                    comparisons.add(comparison(results, a, b, offset));
                }
            }
        }
        return comparisons;
    }

    private static BenchReport.Comparison comparison(List<BenchReport.Result> results, int a, int b, int offset) {
        double[] first = rounds(results.get(a));
        double[] second = rounds(results.get(b));
        return new BenchReport.Comparison(offset + a, offset + b, Bootstrap.ratio(first, second, CONFIDENCE),
                first.length, Verdict.ofRounds(first, second));
    }

    private static double[] rounds(BenchReport.Result result) {
        return Recording.rounds(result.networkNs(), result.networkNs().length, result.runsPerRound());
    }

    private static boolean isRival(BenchReport.Result result) {
        return Rival.of(result.engine()).isPresent();
    }

    private BenchReport.Model model(ModelVariants variants, Configuration configuration) {
        try {
            return new BenchReport.Model(variants.name(), String.valueOf(variants.file().getFileName()),
                    hashes.computeIfAbsent(variants.file(), ResultMaker::sha256), Files.size(configuration.model()),
                    !configuration.precision().equals(variants.ownPrecision()));
        } catch (IOException e) {
            throw new ShrikeException(configuration.model() + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static String sha256(Path file) {
        try {
            return FileDigest.sha256(file);
        } catch (IOException e) {
            throw new ShrikeException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private long[] since(long[] nanos) {
        return Arrays.stream(nanos).map(start -> start - begin).toArray();
    }

    private static double[] milliseconds(long[] nanos) {
        return Arrays.stream(nanos).mapToDouble(value -> value / 1e6).toArray();
    }
}
