package dev.shrike.app.bench.report;

import java.util.List;
import java.util.Locale;

/** The results as tables for Markdown. */
public final class MarkdownReport {
    private MarkdownReport() {}

    /** The device, a table for each task, and what was not taken. */
    public static String text(BenchReport report) {
        StringBuilder text = new StringBuilder("# " + escaped(report.device().name()) + "\n\n");
        text.append(escaped(report.version())).append(", ").append(escaped(report.started())).append(", ")
                .append(escaped(report.settings().mode())).append("\n");
        report.results().stream().map(BenchReport.Result::group).distinct().sorted()
                .forEach(group -> group(text, report, group));
        if (!report.absent().isEmpty()) {
            text.append("\nNot taken:\n\n");
            report.absent().forEach(absent -> text.append("* ").append(escaped(absent.what())).append(": ")
                    .append(escaped(absent.reason())).append('\n'));
        }
        return text.toString().stripTrailing();
    }

    private static void group(StringBuilder text, BenchReport report, int group) {
        List<BenchReport.Result> results =
                report.results().stream().filter(result -> result.group() == group).toList();
        text.append("\n## ").append(escaped(results.getFirst().task())).append("\n\n");
        text.append("| | median ms | 95 % | p90 | p99 | max | network | images/s | ratio of networks |\n");
        text.append("|---|---|---|---|---|---|---|---|---|\n");
        for (BenchReport.Result result : results) {
            text.append(String.format(Locale.ROOT,
                    "| %s | %.2f | %.2f-%.2f | %.2f | %.2f | %.2f | %.2f | %.1f | %s |%n",
                    escaped(result.name()), result.latency().p50(), result.median().low(), result.median().high(),
                    result.latency().p90(), result.latency().p99(), result.latency().max(), result.network().p50(),
                    result.imagesPerSecond(), ratios(report, result)));
        }
        BenchReport.Quality quality = results.getFirst().quality();
        quality.disturbed().forEach(reason -> text.append("\nDisturbed: ").append(escaped(reason)).append('\n'));
        if (!quality.tight()) {
            text.append("\nDisturbed: the intervals did not become as narrow as was wanted\n");
        }
    }

    private static String ratios(BenchReport report, BenchReport.Result result) {
        return String.join("<br>", report.comparisons().stream()
                .filter(comparison -> report.results().get(comparison.a()) == result)
                .map(comparison -> TextReport.ratio(comparison) + " of "
                        + escaped(report.results().get(comparison.b()).name()))
                .toList());
    }

    private static String escaped(String text) {
        return text.replaceAll("([\\\\|<>*_`\\[\\]])", "\\\\$1").replaceAll("\\s+", " ");
    }
}
