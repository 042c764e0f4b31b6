package dev.shrike.calibration.quantize;

import dev.shrike.ModelException;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.activations.Elements;
import dev.shrike.calibration.ranges.ActivationStatistics;
import dev.shrike.graph.Node;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.spi.StepTime;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What each layer takes with each width of its weights on some machine, as YAML that can be carried to another one.
 *
 * @param engine what was measured, for people
 * @param activations width of what the layers read, the first and last ones apart, which have 8 bits
 * @param nanos medians in nanoseconds by layer and width; the first and last layers have one of 8 bits only
 */
public record LayerLatencies(String engine, int activations, Map<String, Map<Integer, Long>> nanos) {
    private static final int WARM_UP = 2;
    private static final int ROUNDS = 9;
    private static final long MOST = 1_000_000_000_000L;

    public LayerLatencies {
        Map<String, Map<Integer, Long>> copy = new LinkedHashMap<>();
        nanos.forEach((layer, costs) -> copy.put(layer, new TreeMap<>(costs)));
        nanos = copy;
    }

    /**
     * Measures on this machine: a network for each width, one after the other in every round, since machines drift.
     *
     * @param widths of weights, 8 among them
     * @param activations width of what the layers read
     */
    public static LayerLatencies measure(Quantizer quantizer, Map<String, ActivationStatistics> statistics,
            CalibrationImages images, Set<Integer> widths, int activations, Quantizer.LayerListener listener) {
        Map<String, Map<Integer, List<Long>>> times = new LinkedHashMap<>();
        quantizer.layers().nodes().forEach(layer -> times.put(layer.name(), new TreeMap<>()));
        Map<Integer, GraphExecutor> executors = new TreeMap<>();
        String engine;
        try {
            for (int width : new TreeSet<>(widths)) {
                listener.layer("all with " + width + " bits", executors.size(), widths.size() + ROUNDS);
                executors.put(width, quantizer.open(quantizer.quantize(
                        quantizer.uniform(new BitWidths(width, activations)), statistics, images, PtqOptions.NEAREST,
                        (_, _, _) -> {}).graph()));
            }
            float[] image = new float[Math.toIntExact(quantizer.prepared().inputs().getFirst().shape().elements())];
            executors.values().forEach(executor -> Elements.write(image, executor.inputs().getFirst()));
            for (int round = 0; round < WARM_UP + ROUNDS; round++) {
                listener.layer("all, round " + round, widths.size() + Math.max(0, round - WARM_UP),
                        widths.size() + ROUNDS);
                for (Map.Entry<Integer, GraphExecutor> entry : executors.entrySet()) {
                    entry.getValue().run();
                    if (round >= WARM_UP) {
                        add(entry.getValue().times(), entry.getKey(), times);
                    }
                }
            }
            engine = executors.get(8).description();
        } finally {
            executors.values().forEach(GraphExecutor::close);
        }
        Set<String> ends = quantizer.ends();
        Map<String, Map<Integer, Long>> medians = new LinkedHashMap<>();
        times.forEach((layer, byWidth) -> {
            if (ends.contains(layer)) {
                byWidth.keySet().retainAll(Set.of(8));
            }
            Map<Integer, Long> costs = new TreeMap<>();
            byWidth.forEach((width, all) -> costs.put(width, median(all)));
            medians.put(layer, costs);
        });
        return new LayerLatencies(engine, activations, medians);
    }

    private static void add(List<StepTime> steps, int width, Map<String, Map<Integer, List<Long>>> times) {
        for (StepTime step : steps) {
            Map<Integer, List<Long>> own = times.get(step.node());
            if (own != null) {
                own.computeIfAbsent(width, _ -> new ArrayList<>()).add(step.nanos());
            }
        }
    }

    /** The middle one of times, of an even number the later one. */
    public static long median(Collection<Long> all) {
        return all.stream().sorted().skip(all.size() / 2).findFirst().orElseThrow();
    }

    /** Nanoseconds of all layers with this width, the first and last ones with 8 bits. */
    public long total(int width) {
        return nanos.values().stream().mapToLong(costs -> costs.getOrDefault(width, costs.getOrDefault(8, 0L))).sum();
    }

    /** Nanoseconds of all layers under a plan. */
    public long total(QuantizationPlan plan) {
        long sum = 0;
        for (Map.Entry<String, Map<Integer, Long>> layer : nanos.entrySet()) {
            BitWidths widths = plan.widths(layer.getKey());
            sum += widths == null ? 0 : layer.getValue().getOrDefault(widths.weights(), 0L);
        }
        return sum;
    }

    /** The table as text. */
    String toYaml() {
        StringBuilder text = new StringBuilder();
        text.append("# Nanoseconds that each layer takes by bits of its weights, for 'shrike quantize --latencies'.\n");
        text.append("engine: ").append(YamlText.quoted(engine)).append('\n');
        text.append("activations: ").append(activations).append('\n');
        text.append("layers:\n");
        nanos.forEach((layer, costs) -> {
            StringBuilder row = new StringBuilder();
            costs.forEach((width, time) -> row.append(row.isEmpty() ? "" : ", ").append(width).append(": ")
                    .append(time));
            text.append("  ").append(YamlText.quoted(layer)).append(": {").append(row).append("}\n");
        });
        return text.toString();
    }

    /** Writes the table, all of it or nothing. */
    public void write(Path file) {
        YamlText.write(file, toYaml());
    }

    /**
     * The table in a file.
     *
     * @throws ModelException if it is none; names the layer
     */
    public static LayerLatencies read(Path file) {
        return parse(YamlText.read(file), file.toString());
    }

    static LayerLatencies parse(String text, String label) {
        Object loaded = YamlText.parse(text, label);
        if (!(loaded instanceof Map<?, ?> map) || !(map.get("layers") instanceof Map<?, ?> entries)
                || !(map.get("activations") instanceof Integer activations)) {
            throw new ModelException(label + ": is no table of latencies: a map 'layers' of nanoseconds by layer and"
                    + " width, or the number 'activations', is missing");
        }
        Map<String, Map<Integer, Long>> nanos = new LinkedHashMap<>();
        entries.forEach((layer, costs) -> nanos.put(String.valueOf(layer), costs(label, layer, costs)));
        return new LayerLatencies(String.valueOf(map.get("engine")), activations, nanos);
    }

    private static Map<Integer, Long> costs(String label, Object layer, Object costs) {
        Map<Integer, Long> own = new TreeMap<>();
        if (costs instanceof Map<?, ?> map) {
            map.forEach((width, time) -> {
                if (width instanceof Integer bits && bits >= 2 && bits <= 8 && time instanceof Number number
                        && number.doubleValue() >= 0 && number.doubleValue() <= MOST) {
                    own.put(bits, number.longValue());
                }
            });
            if (own.size() == map.size() && own.containsKey(8)) {
                return own;
            }
        }
        throw new ModelException(label + ": layer '" + layer + "': " + costs
                + " are no nanoseconds by bits from 2 to 8, 8 among them");
    }

    /**
     * Fails unless the table serves a network.
     *
     * @throws ModelException if it was made for other layers or another width of activations; names the first
     */
    public LayerLatencies forNetwork(Quantizer quantizer, int wanted, String label) {
        if (activations != wanted) {
            throw new ModelException(
                    label + ": was measured with activations of " + activations + " bits, not " + wanted
                            + "; measure again with another file, or give --activations " + activations);
        }
        for (Node layer : quantizer.layers().nodes()) {
            if (!nanos.containsKey(layer.name())) {
                throw new ModelException(label + ": does not have the layer '" + layer.name()
                        + "', so it is of another network; measure again with another file");
            }
        }
        return this;
    }
}
