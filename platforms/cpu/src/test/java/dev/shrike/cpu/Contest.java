package dev.shrike.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Contestants that run in turn, a round after another, so that whatever disturbs the machine disturbs all of them.
 * Closing it closes them.
 */
final class Contest implements AutoCloseable {
    /** Something whose runs are timed. */
    interface Contestant extends AutoCloseable {
        void run();

        @Override
        void close();
    }

    private static final int WARM_UP = 4;

    private final Map<String, Contestant> contestants = new LinkedHashMap<>();
    private final Map<String, double[]> times = new LinkedHashMap<>();
    private final List<String> absent = new ArrayList<>();

    /** Adds a contestant. */
    void add(String name, Contestant contestant) {
        contestants.put(name, contestant);
    }

    /** Tells below the table why there is no such contestant. */
    void without(String name, String reason) {
        absent.add(name + ": " + reason);
    }

    /** Runs everyone once a round. */
    void measure(int rounds) {
        contestants.keySet().forEach(name -> times.put(name, new double[rounds]));
        for (int round = -WARM_UP; round < rounds; round++) {
            for (Map.Entry<String, Contestant> entry : contestants.entrySet()) {
                long start = System.nanoTime();
                entry.getValue().run();
                if (round >= 0) {
                    times.get(entry.getKey())[round] = (System.nanoTime() - start) / 1e6;
                }
            }
        }
    }

    /** Median milliseconds by name. */
    Map<String, Double> medians() {
        Map<String, Double> medians = new LinkedHashMap<>();
        times.forEach((name, values) -> medians.put(name, quantile(values, 0.5)));
        return medians;
    }

    /**
     * Prints a row each: the median and the 10th to 90th percentile of its times, and the same of its ratios to each
     * rival, taken round by round.
     */
    void print(String title, List<String> rivals) {
        List<String> present = rivals.stream().filter(times::containsKey).toList();
        System.out.printf("%n%s%n%-16s %9s %18s", title, "", "median ms", "p10-p90");
        present.forEach(rival -> System.out.printf(" | %8s %s", "ratio to", pad(rival)));
        System.out.println();
        times.forEach((name, values) -> {
            System.out.printf(Locale.ROOT, "%-16s %9.2f %8.2f -%8.2f", name, quantile(values, 0.5),
                    quantile(values, 0.1), quantile(values, 0.9));
            for (String rival : present) {
                double[] ratios = ratios(values, times.get(rival));
                System.out.printf(Locale.ROOT, " | %8.3f %5.3f - %5.3f", quantile(ratios, 0.5), quantile(ratios, 0.1),
                        quantile(ratios, 0.9));
            }
            System.out.println();
        });
        absent.forEach(line -> System.out.println("not taken: " + line));
    }

    /** Prints how much quicker everyone became with more threads. */
    static void printScaling(int fewer, Map<String, Double> slow, int more, Map<String, Double> quick) {
        StringBuilder line = new StringBuilder("scaling " + fewer + " -> " + more + " threads:");
        slow.forEach((name, ms) -> {
            if (quick.containsKey(name)) {
                line.append(String.format(Locale.ROOT, "  %s %.2fx", name, ms / quick.get(name)));
            }
        });
        System.out.println(line);
    }

    private static String pad(String rival) {
        return String.format("%-13s", rival);
    }

    private static double[] ratios(double[] a, double[] b) {
        double[] ratios = new double[a.length];
        Arrays.setAll(ratios, i -> a[i] / b[i]);
        return ratios;
    }

    /** The value below which that share of all values lies. */
    static double quantile(double[] values, double quantile) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[(int) Math.round(quantile * (sorted.length - 1))];
    }

    @Override
    public void close() {
        contestants.values().forEach(Contestant::close);
    }
}
