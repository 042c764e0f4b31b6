package dev.shrike.app.bench.report;

import dev.shrike.app.bench.statistics.MannWhitney;
import dev.shrike.app.bench.statistics.Quantiles;
import dev.shrike.app.bench.statistics.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Two runs of the bench side by side.
 *
 * @param rows what both have
 * @param notes what keeps them from being compared like with like
 * @param onlyFirst what only the first has
 * @param onlySecond what only the second has
 */
public record RunComparison(List<Row> rows, List<String> notes, List<String> onlyFirst, List<String> onlySecond) {
    /**
     * A result that both have.
     *
     * @param name of it
     * @param first median of the first in milliseconds
     * @param second median of the second
     * @param p of the rank test
     * @param verdict what that tells of the second against the first
     */
    public record Row(String name, double first, double second, double p, Verdict verdict) {}

    public RunComparison {
        rows = List.copyOf(rows);
        notes = List.copyOf(notes);
        onlyFirst = List.copyOf(onlyFirst);
        onlySecond = List.copyOf(onlySecond);
    }

    /** The comparison of two reports. */
    public static RunComparison of(BenchReport first, BenchReport second) {
        List<Row> rows = new ArrayList<>();
        List<String> notes = new ArrayList<>();
        List<String> onlyFirst = new ArrayList<>();
        List<BenchReport.Result> rest = new ArrayList<>(second.results());
        if (!first.device().name().equals(second.device().name())) {
            notes.add("two devices: " + first.device().name() + ", " + second.device().name());
        }
        if (!first.settings().mode().equals(second.settings().mode())) {
            notes.add("two modes: " + first.settings().mode() + ", " + second.settings().mode());
        }
        for (BenchReport.Result a : first.results()) {
            BenchReport.Result b = rest.stream().filter(result -> key(result).equals(key(a))).findFirst().orElse(null);
            if (b == null) {
                onlyFirst.add(key(a));
                continue;
            }
            rest.remove(b);
            double[] roundsA = rounds(a);
            double[] roundsB = rounds(b);
            rows.add(new Row(key(a), a.latency().p50(), b.latency().p50(), MannWhitney.pValue(roundsA, roundsB),
                    Verdict.ofRuns(roundsB, roundsA)));
            if (!a.model().sha256().equals(b.model().sha256())) {
                notes.add(key(a) + ": the model files are not the same");
            }
            disturbed(a, "A", notes);
            disturbed(b, "B", notes);
        }
        return new RunComparison(rows, notes, onlyFirst, rest.stream().map(RunComparison::key).toList());
    }

    private static void disturbed(BenchReport.Result result, String which, List<String> notes) {
        if (!result.quality().disturbed().isEmpty()) {
            notes.add(which + ", " + key(result) + ": was disturbed, " + result.quality().disturbed().getFirst());
        }
    }

    static String key(BenchReport.Result result) {
        return result.task() + ", " + result.name();
    }

    private static double[] rounds(BenchReport.Result result) {
        long[] nanos = result.samplesNs();
        double[] medians = new double[Math.max(1, nanos.length / result.runsPerRound())];
        for (int i = 0; i < medians.length; i++) {
            int from = i * result.runsPerRound();
            double[] round = new double[Math.min(result.runsPerRound(), nanos.length - from)];
            for (int run = 0; run < round.length; run++) {
                round[run] = nanos[from + run] / 1e6;
            }
            medians[i] = Quantiles.median(round);
        }
        return medians;
    }

    /** For a terminal. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        int width = rows.stream().mapToInt(row -> row.name().length()).max().orElse(0);
        if (!rows.isEmpty()) {
            lines.add(String.format(Locale.ROOT, "%-" + Math.max(1, width) + "s %10s %10s %8s %9s", "median ms", "A",
                    "B", "B/A", "p"));
        }
        for (Row row : rows) {
            lines.add(String.format(Locale.ROOT, "%-" + width + "s %10.3f %10.3f %8s %9.4f%s", row.name(), row.first(),
                    row.second(), row.verdict() == Verdict.UNDECIDED ? "~"
                            : String.format(Locale.ROOT, "%.3f", row.second() / row.first()),
                    row.p(), row.verdict() == Verdict.UNDECIDED ? ""
                            : row.verdict() == Verdict.FASTER ? " faster" : " slower"));
        }
        onlyFirst.forEach(name -> lines.add("only in A: " + name));
        onlySecond.forEach(name -> lines.add("only in B: " + name));
        notes.forEach(note -> lines.add("note: " + note));
        return lines;
    }
}
