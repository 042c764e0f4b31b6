package dev.shrike.app.compress;

import dev.shrike.ShrikeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What each step cost in accuracy and brought in bytes and milliseconds.
 *
 * @param targetMs latency that was wanted
 * @param rows the networks that there are
 * @param plan the steps
 * @param disturbed why times count as disturbed, a line for each network whose do
 * @param prunings what was asked for of each pruning, and what came of it
 */
record CompressReport(double targetMs, List<Row> rows, CompressPlan plan, List<String> disturbed,
        List<String> prunings) {
    /**
     * A network.
     *
     * @param name of it
     * @param file its file
     * @param bytes of the file
     * @param ms median latency; where a share is wanted, that share of the float network's, as one bench had both
     * @param map mAP50-95; empty if there are no labels
     */
    record Row(String name, Path file, long bytes, double ms, Optional<Double> map) {}

    static CompressReport of(CompressPlan plan, CompressRequest request, Steps steps, Path folder) {
        List<Row> rows = new ArrayList<>();
        List<String> disturbed = new ArrayList<>();
        for (Steps.Variant variant : Steps.VARIANTS) {
            if (Steps.missing(plan, variant).isPresent()) {
                continue;
            }
            Path file = steps.model(plan, variant);
            Path bench = folder.resolve(plan.step("bench-" + variant.name()).output());
            List<String> reasons = Measured.disturbed(bench, file);
            if (!reasons.isEmpty()) {
                disturbed.add(variant.name() + ": " + String.join("; ", reasons));
            }
            CompressPlan.Step val = plan.step("val-" + variant.name());
            rows.add(new Row(variant.name(), file, size(file), steps.milliseconds(plan, variant),
                    val.state() == CompressPlan.State.DONE ? Optional.of(Measured.map(folder.resolve(val.output())))
                            : Optional.empty()));
        }
        double target = request.share() ? request.budget() * rows.getFirst().ms() : request.budget();
        return new CompressReport(target, rows, plan, disturbed, prunings(plan, steps));
    }

    private static List<String> prunings(CompressPlan plan, Steps steps) {
        return steps.prunings(plan).stream()
                .map(tried -> String.format(Locale.ROOT, "pruned to %.3f of the layers' time: %s in the trial",
                        tried.share(), steps.text(tried.found())))
                .toList();
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new ShrikeException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /** The most accurate network that is quick enough; without labels the one that lost least on the way, the first. */
    Optional<Row> chosen() {
        List<Row> quick = rows.stream().filter(row -> row.ms() <= targetMs).toList();
        return quick.stream().anyMatch(row -> row.map().isEmpty()) ? quick.stream().findFirst()
                : quick.stream().max(Comparator.comparingDouble(row -> row.map().orElseThrow()));
    }

    /** For a terminal. */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(String.format(Locale.ROOT, "%-18s %10s %10s %8s %9s %8s", "network", "kB", "ms", "of float",
                "mAP50-95", "cost"));
        Row first = rows.getFirst();
        for (Row row : rows) {
            lines.add(String.format(Locale.ROOT, "%-18s %10.1f %10.2f %8.3f %9s %8s", row.name(), row.bytes() / 1000.0,
                    row.ms(), row.ms() / first.ms(),
                    row.map().map(map -> String.format(Locale.ROOT, "%.4f", map)).orElse("-"), cost(first, row)));
        }
        lines.addAll(prunings);
        lines.add("wanted: at most " + wanted());
        disturbed.forEach(reason -> lines.add("disturbed: " + reason));
        return lines;
    }

    /** The target, also as a share of the float network's time. */
    String wanted() {
        return String.format(Locale.ROOT, "%.2f ms (%.3f of float)", targetMs, targetMs / rows.getFirst().ms());
    }

    private static String cost(Row first, Row row) {
        return first.map().isEmpty() || row.map().isEmpty() ? "-"
                : String.format(Locale.ROOT, "%+.4f", row.map().get() - first.map().get());
    }

    /** The report as Markdown, with the steps. */
    String markdown() {
        StringBuilder text = new StringBuilder("# What compressing cost and brought\n\n");
        plan.request().forEach(line -> text.append("* ").append(line).append('\n'));
        text.append(
                "\n| network | file | bytes | median ms | of float | mAP50-95 | cost"
                        + " |\n|---|---|---|---|---|---|---|\n");
        Row first = rows.getFirst();
        for (Row row : rows) {
            text.append(String.format(Locale.ROOT, "| %s | %s | %d | %.2f | %.3f | %s | %s |%n", row.name(),
                    row.file().getFileName(), row.bytes(), row.ms(), row.ms() / first.ms(),
                    row.map().map(map -> String.format(Locale.ROOT, "%.4f", map)).orElse("-"), cost(first, row)));
        }
        prunings.forEach(pruning -> text.append("\n* ").append(pruning));
        text.append(prunings.isEmpty() ? "" : "\n").append("\nWanted: at most ").append(wanted()).append(". ");
        text.append(chosen().map(row -> "Taken: " + row.name() + ".").orElse("Nothing is as quick."));
        text.append(" Accuracy against latency: bench.html.\n");
        disturbed.forEach(reason -> text.append("\nDisturbed: ").append(reason).append('\n'));
        text.append("\n| step | seconds | command |\n|---|---|---|\n");
        for (CompressPlan.Step step : plan.steps()) {
            text.append("| ").append(step.name()).append(" | ")
                    .append(step.seconds() == null ? "" : String.format(Locale.ROOT, "%.1f", step.seconds()))
                    .append(" | ").append(step.command() == null ? "skipped: " + step.reason()
                            : "`shrike " + String.join(" ", step.command()) + "`")
                    .append(" |\n");
        }
        return text.toString();
    }
}
