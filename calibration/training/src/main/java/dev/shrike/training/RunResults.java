package dev.shrike.training;

import dev.shrike.ModelException;
import dev.shrike.calibration.charts.CurveChart;
import dev.shrike.calibration.charts.Series;
import dev.shrike.files.FileReplacement;
import dev.shrike.vision.Images;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** The epochs of a run as {@code results.csv}, and as curves in {@code results.png}. */
final class RunResults {
    private static final List<String> BEFORE = List.of("epoch", "seconds", "megabytes", "rate", "mAP50", "mAP");
    private static final int[] COLOURS = {0x1f77b4, 0xff7f0e, 0x2ca02c, 0xd62728, 0x9467bd, 0x8c564b, 0xe377c2};

    private final Path folder;
    private final List<EpochResult> epochs = new ArrayList<>();

    RunResults(Path folder) {
        this.folder = folder;
    }

    private Path csv() {
        return folder.resolve("results.csv");
    }

    List<EpochResult> epochs() {
        return List.copyOf(epochs);
    }

    /**
     * Reads what an earlier run wrote of its first epochs.
     *
     * @param most epochs that count; later ones are run again
     */
    void read(int most) {
        if (!Files.exists(csv())) {
            return;
        }
        try {
            List<String> lines = Files.readAllLines(csv(), StandardCharsets.UTF_8);
            List<String> names = List.of(lines.getFirst().split(","));
            for (String line : lines.subList(1, lines.size())) {
                EpochResult result = parse(names, line.split(","));
                if (result.epoch() == epochs.size() + 1 && result.epoch() <= most) {
                    epochs.add(result);
                }
            }
        } catch (IOException | IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new ModelException(csv() + ": is no table of a run: " + e.getMessage() + "; delete the folder and"
                    + " begin anew", e);
        }
    }

    private EpochResult parse(List<String> names, String[] values) {
        Map<String, Double> losses = new LinkedHashMap<>();
        for (int i = BEFORE.size(); i < names.size(); i++) {
            losses.put(names.get(i), Double.parseDouble(values[i]));
        }
        EpochResult plain = new EpochResult(Integer.parseInt(values[0]), losses, Double.parseDouble(values[3]),
                Double.parseDouble(values[1]), Long.parseLong(values[2]), Double.parseDouble(values[4]),
                Double.parseDouble(values[5]), false);
        return marked(plain);
    }

    private EpochResult marked(EpochResult result) {
        boolean best = epochs.stream().allMatch(before -> before.fitness() < result.fitness());
        return new EpochResult(result.epoch(), result.losses(), result.rate(), result.seconds(),
                result.peakMegabytes(), result.map50(), result.map(), best);
    }

    /** Adds an epoch and writes the files; the epoch with whether it is the best so far. */
    EpochResult add(EpochResult result) {
        EpochResult marked = marked(result);
        epochs.add(marked);
        FileReplacement.write(csv(), stream -> stream.write(table().getBytes(StandardCharsets.UTF_8)));
        if (epochs.size() > 1) {
            Images.write(CurveChart.draw("Training", "epochs, from 1 to " + epochs.size(),
                    "mAP; losses as parts of their largest", series()), folder.resolve("results.png"));
        }
        return marked;
    }

    /** Names of all losses; an epoch that was measured after its run was stopped has none. */
    private Set<String> lossNames() {
        Set<String> names = new LinkedHashSet<>();
        epochs.forEach(epoch -> names.addAll(epoch.losses().keySet()));
        return names;
    }

    private String table() {
        Set<String> losses = lossNames();
        StringBuilder text = new StringBuilder(String.join(",", BEFORE));
        losses.forEach(name -> text.append(',').append(name));
        text.append('\n');
        for (EpochResult epoch : epochs) {
            text.append(String.format(Locale.ROOT, "%d,%.1f,%d,%.7g,%.5f,%.5f", epoch.epoch(), epoch.seconds(),
                    epoch.peakMegabytes(), epoch.rate(), epoch.map50(), epoch.map()));
            losses.forEach(name -> text.append(String.format(Locale.ROOT, ",%.6g",
                    epoch.losses().getOrDefault(name, 0.0))));
            text.append('\n');
        }
        return text.toString();
    }

    private List<Series> series() {
        List<Series> series = new ArrayList<>();
        for (String name : lossNames()) {
            double[] values = epochs.stream().mapToDouble(epoch -> epoch.losses().getOrDefault(name, 0.0)).toArray();
            double largest = java.util.Arrays.stream(values).max().orElse(0);
            if (largest > 0) {
                series.add(curve(String.format(Locale.ROOT, "%s loss (%.3g = 1)", name, largest),
                        java.util.Arrays.stream(values).map(value -> value / largest).toArray(), series.size(), 1));
            }
        }
        series.add(curve("mAP50", epochs.stream().mapToDouble(EpochResult::map50).toArray(), series.size(), 2));
        series.add(curve("mAP", epochs.stream().mapToDouble(EpochResult::map).toArray(), series.size(), 2));
        return series;
    }

    private static Series curve(String label, double[] values, int index, int thickness) {
        return new Series(label, values, COLOURS[index % COLOURS.length], thickness);
    }
}
