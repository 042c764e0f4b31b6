package dev.shrike.training;

import dev.shrike.ModelException;
import dev.shrike.calibration.charts.HistogramChart;
import dev.shrike.files.FileReplacement;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import dev.shrike.vision.Images;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * How large the gammas of batch normalisation are after each epoch: {@code gammas.csv} with the share below 0.01 and
 * the
 * counts of bins of 0.05, and {@code gammas.png} with them as a chart.
 */
final class GammaHistory {
    private static final int BINS = 40;
    private static final double LIMIT = 2;
    private static final double SMALL = 0.01;

    private final Path csv;
    private final Path chart;
    private final List<long[]> counts = new ArrayList<>();
    private final List<Double> shares = new ArrayList<>();

    /**
     * The history in a folder.
     *
     * @param epochs that are done; later ones that are there are forgotten
     */
    GammaHistory(Path folder, int epochs) {
        this.csv = folder.resolve("gammas.csv");
        this.chart = folder.resolve("gammas.png");
        if (epochs > 0 && Files.exists(csv)) {
            read(epochs);
        }
    }

    private void read(int epochs) {
        try {
            List<String> lines = Files.readAllLines(csv);
            for (String line : lines.subList(Math.min(1, lines.size()), Math.min(epochs + 1, lines.size()))) {
                String[] values = line.split(",");
                long[] bins = new long[BINS];
                for (int i = 0; i < BINS; i++) {
                    bins[i] = Long.parseLong(values[i + 2]);
                }
                shares.add(Double.parseDouble(values[1]));
                counts.add(bins);
            }
        } catch (IOException | NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw new ModelException(csv + ": cannot be read: " + e.getMessage() + "; delete it", e);
        }
    }

    /** Adds the network of an epoch; the share of its gammas below 0.01. */
    double add(Graph network) {
        long[] bins = new long[BINS];
        long all = 0;
        long small = 0;
        Set<String> seen = new HashSet<>();
        for (Node node : network.nodes()) {
            Tensor gammas = network.constants().get(node.input(1));
            if (!(node.op() instanceof Op.BatchNormalization) || gammas == null || !seen.add(node.input(1))) {
                continue;
            }
            for (float gamma : gammas.toFloats()) {
                double size = Math.abs(gamma);
                bins[(int) Math.min(BINS - 1, size * BINS / LIMIT)]++;
                small += size < SMALL ? 1 : 0;
                all++;
            }
        }
        if (all == 0) {
            return 0;
        }
        counts.add(bins);
        shares.add((double) small / all);
        write();
        return shares.getLast();
    }

    private void write() {
        StringBuilder text = new StringBuilder("epoch,below 0.01");
        for (int i = 0; i < BINS; i++) {
            text.append(String.format(Locale.ROOT, ",%.2f", i * LIMIT / BINS));
        }
        for (int epoch = 0; epoch < counts.size(); epoch++) {
            text.append(String.format(Locale.ROOT, "%n%d,%.4f", epoch + 1, shares.get(epoch)));
            for (long count : counts.get(epoch)) {
                text.append(',').append(count);
            }
        }
        byte[] bytes = text.append('\n').toString().getBytes(StandardCharsets.UTF_8);
        FileReplacement.write(csv, stream -> stream.write(bytes));
        Images.write(HistogramChart.draw("Gammas of batch normalisation", "epoch", "size", LIMIT, counts), chart);
    }
}
