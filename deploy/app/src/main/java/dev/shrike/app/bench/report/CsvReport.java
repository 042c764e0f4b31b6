package dev.shrike.app.bench.report;

import java.util.List;
import java.util.Locale;
import java.util.StringJoiner;

/** The results as a table for spreadsheets (RFC 4180), a row each. */
public final class CsvReport {
    private static final List<String> COLUMNS = List.of("device", "model", "engine", "precision", "width", "height",
            "threads", "batch", "runs", "min_ms", "mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms",
            "stddev_ms", "network_p50_ms", "images_per_second", "cold_ms", "load_ms", "first_ms", "resident_bytes",
            "peak_bytes", "allocated_bytes_per_run", "millijoules_per_run", "disturbed");

    private CsvReport() {}

    /** The table, with names in its first line. */
    public static String text(BenchReport report) {
        StringBuilder text = new StringBuilder(String.join(",", COLUMNS));
        report.results().forEach(result -> text.append('\n').append(row(report.device(), result)));
        return text.toString();
    }

    private static String row(BenchReport.Device device, BenchReport.Result result) {
        StringJoiner row = new StringJoiner(",");
        row.add(quoted(device.name())).add(quoted(result.model().name())).add(quoted(result.engine()))
                .add(quoted(result.precision()));
        for (long value : new long[] {result.width(), result.height(), result.threads(), result.batch(),
                result.latency().count()}) {
            row.add(Long.toString(value));
        }
        for (double value : new double[] {result.latency().min(), result.latency().mean(), result.latency().p50(),
                result.latency().p90(), result.latency().p95(), result.latency().p99(), result.latency().max(),
                result.latency().stddev(), result.network().p50(), result.imagesPerSecond()}) {
            row.add(number(value));
        }
        row.add(result.opening() == null ? "" : number(result.opening().cold()));
        row.add(number(result.warmUp().loadMs())).add(number(result.warmUp().firstMs()));
        row.add(orEmpty(result.memory().residentBytes())).add(orEmpty(result.memory().peakBytes()));
        row.add(Long.toString(result.memory().allocatedPerRun()));
        row.add(result.energy().millijoules() == null ? "" : number(result.energy().millijoules()));
        row.add(quoted(String.join("; ", result.quality().disturbed())));
        return row.toString();
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.4f", value);
    }

    private static String orEmpty(Object value) {
        return value == null ? "" : value.toString();
    }

    /** In quotes where it must be, and so that no program takes it for a formula. */
    private static String quoted(String text) {
        String harmless = text.matches("(?s)[=+@\\-\\t\\r].*") ? "'" + text : text;
        return harmless.matches("(?s).*[\",\\r\\n].*") ? '"' + harmless.replace("\"", "\"\"") + '"' : harmless;
    }
}
