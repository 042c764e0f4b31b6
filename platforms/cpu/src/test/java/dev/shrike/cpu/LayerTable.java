package dev.shrike.cpu;

import dev.shrike.spi.GraphExecutor;
import dev.shrike.spi.StepTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Times by layer: a row for each convolution or product, in the order of the network, and two columns, milliseconds and
 * GMAC/s, for each executor. The rows below hold all other steps and the whole network; then come the kernels.
 */
final class LayerTable {
    private static final int RUNS = 10;
    private static final Pattern SHAPE = Pattern.compile("\\d+x\\d+s\\d.*");

    /** The quickest of several runs of a step. */
    private record Cell(double ms, double rate) {}

    private final Map<String, Map<String, Cell>> rows = new LinkedHashMap<>();
    private final Map<String, String> shapes = new LinkedHashMap<>();
    private final Map<String, Double> others = new LinkedHashMap<>();
    private final Map<String, Double> sums = new LinkedHashMap<>();
    private final Map<String, Map<String, Integer>> kernels = new LinkedHashMap<>();

    /** Runs an executor, whose input is filled, and adds its columns. */
    void add(String name, GraphExecutor executor) {
        executor.run();
        List<StepTime> steps = executor.times();
        long[] best = steps.stream().mapToLong(StepTime::nanos).toArray();
        for (int run = 1; run < RUNS; run++) {
            executor.run();
            steps = executor.times();
            for (int i = 0; i < best.length; i++) {
                best[i] = Math.min(best[i], steps.get(i).nanos());
            }
        }
        double other = 0;
        double sum = 0;
        Map<String, Integer> used = new TreeMap<>();
        for (int i = 0; i < best.length; i++) {
            StepTime step = steps.get(i);
            double ms = best[i] / 1e6;
            sum += ms;
            if (step.macs() == 0) {
                other += ms;
                continue;
            }
            int blank = step.kernel().indexOf(' ');
            used.merge(blank < 0 ? step.kernel() : step.kernel().substring(0, blank), 1, Integer::sum);
            shapes.putIfAbsent(step.node(), shape(step.kernel()));
            rows.computeIfAbsent(step.node(), _ -> new LinkedHashMap<>())
                    .put(name, new Cell(ms, step.macs() / (double) best[i]));
        }
        others.put(name, other);
        sums.put(name, sum);
        kernels.put(name, used);
    }

    /** What a kernel's text says of the layer, such as {@code 3x3s2 16->32 160x160}. */
    private static String shape(String kernel) {
        Matcher matcher = SHAPE.matcher(kernel);
        return matcher.find() ? matcher.group() : "";
    }

    /** Prints the table, and below it the whole times of others for comparison. */
    void print(Map<String, Double> rivals) {
        System.out.printf("%n%-50s", "layer (quickest of " + RUNS + " runs: ms, GMAC/s)");
        sums.keySet().forEach(name -> System.out.printf(" |%15s", name));
        System.out.println();
        rows.forEach((node, cells) -> {
            System.out.printf("%-50s", cut(node, 25) + " " + cut(shapes.get(node), 24));
            for (String name : sums.keySet()) {
                Cell cell = cells.get(name);
                System.out.printf(" |%15s",
                        cell == null ? "" : String.format(Locale.ROOT, "%.3f %6.0f", cell.ms(), cell.rate()));
            }
            System.out.println();
        });
        row("all other steps", others);
        row("whole network", sums);
        rivals.forEach((name, ms) -> System.out.printf(Locale.ROOT, "%-50s |%8.3f%n", name + ", whole network", ms));
        kernels.forEach((name, used) -> System.out.println("kernels of " + name + ": " + used));
    }

    private void row(String title, Map<String, Double> values) {
        System.out.printf("%-50s", title);
        values.values().forEach(ms -> System.out.printf(Locale.ROOT, " |%8.3f %6s", ms, ""));
        System.out.println();
    }

    private static String cut(String text, int most) {
        String tail = text.length() > most ? "…" + text.substring(text.length() - most + 1) : text;
        return String.format("%-" + most + "s", tail);
    }
}
