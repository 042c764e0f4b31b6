package dev.shrike.app.bench.report;

import dev.shrike.app.bench.statistics.Interval;
import dev.shrike.app.bench.statistics.Verdict;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** The report for a terminal. */
public final class TextReport {
    private static final double MEBI = 1 << 20;
    private static final int NAME = 24;

    private final BenchReport report;
    private final boolean layers;
    private final List<String> lines = new ArrayList<>();

    private TextReport(BenchReport report, boolean layers) {
        this.report = report;
        this.layers = layers;
    }

    /** The lines of it. */
    public static List<String> lines(BenchReport report, boolean layers) {
        TextReport text = new TextReport(report, layers);
        text.write();
        return text.lines;
    }

    private void write() {
        line("%s: %s", report.device().name(), report.settings().mode());
        List<Integer> groups = report.results().stream().map(BenchReport.Result::group).distinct().sorted().toList();
        groups.forEach(this::group);
        report.imported().forEach(this::imported);
        report.absent().forEach(absent -> line("not taken: %s: %s", absent.what(), absent.reason()));
    }

    private void group(int group) {
        List<BenchReport.Result> results =
                report.results().stream().filter(result -> result.group() == group).toList();
        BenchReport.Result first = results.getFirst();
        line("");
        line("%s: %d rounds of %d", first.task(), first.samplesNs().length / first.runsPerRound(),
                first.runsPerRound());
        line("%-" + NAME + "s %9s %6s %9s %9s %9s %9s %9s %8s %8s %8s %8s %7s", "milliseconds", "median", "+-%", "p90",
                "p95", "p99", "max", "stddev", "network", "img/s", "cold", "first", "RSS MiB");
        results.forEach(this::row);
        comparisons(group);
        for (BenchReport.Result result : results) {
            stages(result);
            notes(result);
        }
        quality(results);
        if (layers) {
            results.forEach(this::layers);
        }
    }

    private void row(BenchReport.Result result) {
        line("%-" + NAME + "s %9.2f %6.1f %9.2f %9.2f %9.2f %9.2f %9.2f %8.2f %8.1f %8s %8.1f %7s", result.name(),
                result.latency().p50(), 100 * result.median().relativeHalfWidth(), result.latency().p90(),
                result.latency().p95(), result.latency().p99(), result.latency().max(), result.latency().stddev(),
                result.network().p50(), result.imagesPerSecond(),
                result.opening() == null ? "-" : String.format(Locale.ROOT, "%.0f", result.opening().cold()),
                result.warmUp().firstMs(), result.memory().residentBytes() == null ? "-"
                        : String.format(Locale.ROOT, "%.0f", result.memory().residentBytes() / MEBI));
    }

    private void comparisons(int group) {
        for (BenchReport.Comparison comparison : report.comparisons()) {
            BenchReport.Result a = report.results().get(comparison.a());
            if (a.group() == group) {
                line("  network of %s / %s: %s", a.name(), report.results().get(comparison.b()).name(),
                        ratio(comparison));
            }
        }
    }

    /** A ratio with its interval and what it tells; {@code ~} where nothing can be told. */
    static String ratio(BenchReport.Comparison comparison) {
        Interval ratio = comparison.ratio();
        return String.format(Locale.ROOT, "%.3f (%.3f to %.3f)%s", ratio.estimate(), ratio.low(), ratio.high(),
                comparison.verdict() == Verdict.UNDECIDED ? " ~" : "");
    }

    private void stages(BenchReport.Result result) {
        if (result.stages().size() < 2) {
            return;
        }
        StringBuilder text = new StringBuilder("  " + result.name() + ":");
        for (BenchReport.Stage stage : result.stages()) {
            text.append(String.format(Locale.ROOT, " %s %.2f ms (%.1f %%)", stage.name(), stage.ms(),
                    100 * stage.share()));
        }
        line("%s", text);
    }

    private void notes(BenchReport.Result result) {
        if (!result.warmUp().converged()) {
            line("  %s: still grew quicker or slower after %d runs of warming up", result.name(),
                    result.warmUp().runs());
        }
        if (result.energy().millijoules() != null) {
            line("  %s: %.1f mJ a run (%.2f W, idle %.2f W)", result.name(), result.energy().millijoules(),
                    result.energy().loadedWatts(), result.energy().idleWatts());
        }
        if (result.drift() != null) {
            line("  %s: median moved by %+.1f %% over the run, within %.1f %%", result.name(),
                    100 * result.drift().change(), 100 * result.drift().spread());
        }
    }

    private void quality(List<BenchReport.Result> results) {
        BenchReport.Result first = results.getFirst();
        BenchReport.Quality quality = first.quality();
        if (first.energy().millijoules() == null) {
            line("  energy: %s", first.energy().note());
        }
        line("  Java: %s", java(results));
        if (quality.late() > 0) {
            line("  late: %d runs began after their tick", quality.late());
        }
        if (!quality.tight()) {
            line("  disturbed: the intervals did not become as narrow as +-%.1f %%",
                    100 * report.settings().precision());
        }
        quality.disturbed().forEach(reason -> line("  disturbed: %s", reason));
    }

    /** What the heap had to do with it. */
    static String java(List<BenchReport.Result> results) {
        BenchReport.Memory memory = results.getFirst().memory();
        return String.format(Locale.ROOT, "%d garbage collections in %d ms; bytes that a run allocates: %s",
                memory.collections(), memory.collectionMs(), String.join(", ", results.stream()
                        .map(result -> result.name() + " " + result.memory().allocatedPerRun()).toList()));
    }

    private void layers(BenchReport.Result result) {
        if (result.layers().isEmpty()) {
            return;
        }
        line("");
        line("%s, %s: the layers that take longest, medians", result.task(), result.name());
        line("%-34s %8s %10s %9s %8s %6s  %s", "layer", "ms", "MACs", "bytes", "GMAC/s", "peak", "kernel");
        result.layers().stream().sorted(Comparator.comparingDouble(BenchReport.Layer::ms).reversed())
                .forEach(layer -> line("%-34s %8.3f %10d %9s %8.1f %6s  %s", cut(layer.node()), layer.ms(),
                        layer.macs(), layer.bytes() == null ? "-" : layer.bytes(), layer.gmacs(),
                        layer.peak() == null ? "-" : String.format(Locale.ROOT, "%.0f %%", 100 * layer.peak()),
                        layer.kernel()));
    }

    private void imported(BenchReport.Imported imported) {
        line("%s, %s: min %.2f, mean %.2f, median %s, max %.2f ms", imported.tool(), imported.name(), imported.minMs(),
                imported.meanMs(),
                imported.p50Ms() == null ? "unknown" : String.format(Locale.ROOT, "%.2f", imported.p50Ms()),
                imported.maxMs());
    }

    private static String cut(String text) {
        int most = 34;
        return text.length() > most ? "…" + text.substring(text.length() - most + 1) : text;
    }

    private void line(String format, Object... values) {
        lines.add(String.format(Locale.ROOT, format, values).stripTrailing());
    }
}
