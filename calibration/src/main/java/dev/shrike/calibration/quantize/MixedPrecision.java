package dev.shrike.calibration.quantize;

import dev.shrike.ShrikeException;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.activations.HeapGarbage;
import dev.shrike.calibration.ranges.ActivationStatistics;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Chooses the width of every layer's weights under a budget. The network is quantised with 8 bits once; there each
 * layer's weights are rounded to every width as well, which says how much noise that width adds to the layer's own
 * result. How much noise of a layer moves the results of the network is measured by running it with that one layer at 3
 * bits. The product of both is the loss of a width, and {@link BudgetChoice} finds the least sum that the budget
 * allows. The first and last layers keep 8 bits.
 */
public final class MixedPrecision {
    private static final int PROBE = 3;
    private static final int PROBE_IMAGES = 8;

    private final Quantizer quantizer;
    private final Map<String, Map<Integer, Double>> losses = new LinkedHashMap<>();
    private final Map<String, Long> sizes = new LinkedHashMap<>();

    /** What must not be exceeded. */
    public sealed interface Budget {
        /** The limit, for people. */
        String about();

        /** A budget of what weights take, not of time. */
        sealed interface Bits extends Budget {
            /**
             * Bits that it leaves to layers.
             *
             * @param free weights of all layers but the first and last
             * @param fixed weights of these, which have 8 bits
             */
            double limit(long free, long fixed);
        }

        /** Bits a weight on the average of all layers but the first and last. */
        record AverageBits(double bits) implements Bits {
            @Override
            public double limit(long free, long fixed) {
                return bits * free;
            }

            @Override
            public String about() {
                return String.format(Locale.ROOT, "%.2f bits a weight", bits);
            }
        }

        /** Bytes of the codes of all weights. */
        record Size(long bytes) implements Bits {
            @Override
            public double limit(long free, long fixed) {
                return 8.0 * bytes - 8.0 * fixed;
            }

            @Override
            public String about() {
                return bytes + " bytes of weights";
            }
        }

        /** Nanoseconds of all layers, by what each of them takes with each width. */
        record Latency(long nanos, Map<String, Map<Integer, Long>> costs) implements Budget {
            @Override
            public String about() {
                return String.format(Locale.ROOT, "%.2f ms of layers", nanos / 1e6);
            }
        }
    }

    /**
     * What every width of every layer costs in accuracy; to measure it takes about as long as to quantise.
     *
     * @param widths to choose from, 8 among them
     */
    public static MixedPrecision measure(Quantizer quantizer, Map<String, ActivationStatistics> statistics,
            CalibrationImages images, Set<Integer> widths, PtqOptions effort, Quantizer.LayerListener listener) {
        MixedPrecision precision = new MixedPrecision(quantizer);
        precision.run(statistics, images, widths, effort, listener);
        return precision;
    }

    private MixedPrecision(Quantizer quantizer) {
        this.quantizer = quantizer;
    }

    private void run(Map<String, ActivationStatistics> statistics, CalibrationImages images, Set<Integer> widths,
            PtqOptions effort, Quantizer.LayerListener listener) {
        QuantizationPlan eight = quantizer.uniform(BitWidths.EIGHT);
        Set<Integer> tried = new java.util.TreeSet<>(widths);
        tried.add(PROBE);
        Reconstruction reconstruction = quantizer.reconstruction(eight, statistics, effort, tried);
        Graph quantized = reconstruction.run(images, quantizer.memory(), listener);
        Graph prepared = quantizer.prepared();
        Set<String> lastLayers = quantizer.layers().last();
        List<String> last = prepared.nodes().stream().filter(node -> lastLayers.contains(node.name()))
                .map(Node::output).toList();
        LayerTrials trials = quantizer.trials(quantized, last, images, PROBE_IMAGES);
        List<Node> layers = quantizer.layers().nodes();
        HeapGarbage garbage = new HeapGarbage();
        int done = 0;
        for (Node layer : layers) {
            garbage.check();
            listener.layer(layer.name(), done++, layers.size());
            sizes.put(layer.name(), prepared.constants().get(layer.input(1)).elements());
            Map<Integer, Reconstruction.Trial> own = reconstruction.trials().get(layer.name());
            if (own == null || quantizer.ends().contains(layer.name())) {
                continue;
            }
            Reconstruction.Trial probe = own.get(PROBE);
            double importance = probe.noise() <= 0 ? 0
                    : trials.distance(layer.name(), probe.codes(), probe.how()) / probe.noise();
            Map<Integer, Double> losses = new java.util.TreeMap<>();
            for (int width : widths) {
                losses.put(width, importance * Math.max(0, own.get(width).noise()));
            }
            this.losses.put(layer.name(), losses);
        }
    }

    /** The estimated loss of each width of each layer that may be narrowed. */
    public Map<String, Map<Integer, Double>> losses() {
        return losses;
    }

    /**
     * The best plan under the budget.
     *
     * @param activations width of what the layers read, the first and last ones apart
     * @throws ShrikeException if nothing keeps the budget; says the least that is possible
     */
    public QuantizationPlan plan(Budget budget, int activations) {
        List<String> names = List.copyOf(losses.keySet());
        List<List<Integer>> widths = new ArrayList<>();
        List<List<BudgetChoice.Option>> options = new ArrayList<>();
        for (String name : names) {
            List<Integer> own = List.copyOf(losses.get(name).keySet());
            widths.add(own);
            options.add(own.stream().map(width -> new BudgetChoice.Option(cost(budget, name, width),
                    losses.get(name).get(width))).toList());
        }
        int[] chosen;
        try {
            chosen = BudgetChoice.choose(options, limit(budget));
        } catch (IllegalArgumentException e) {
            throw new ShrikeException("no choice of widths keeps the budget: in its units " + e.getMessage(), e);
        }
        Map<String, Optional<BitWidths>> layers = new LinkedHashMap<>();
        sizes.keySet().forEach(name -> layers.put(name, Optional.of(BitWidths.EIGHT)));
        for (int i = 0; i < chosen.length; i++) {
            layers.put(names.get(i), Optional.of(new BitWidths(widths.get(i).get(chosen[i]), activations)));
        }
        return quantizer.plan("auto, " + budget.about(), layers);
    }

    private long cost(Budget budget, String layer, int width) {
        return switch (budget) {
            case Budget.Bits _ -> sizes.get(layer) * width;
            case Budget.Latency latency -> nanos(latency, layer, width) / 1000;
        };
    }

    private static long nanos(Budget.Latency latency, String layer, int width) {
        Long nanos = latency.costs().getOrDefault(layer, Map.of()).get(width);
        if (nanos == null) {
            throw new ShrikeException("the table of latencies does not have layer '" + layer + "' with " + width
                    + " bits; measure it again");
        }
        return nanos;
    }

    private long limit(Budget budget) {
        long free = losses.keySet().stream().mapToLong(sizes::get).sum();
        long fixed = sizes.values().stream().mapToLong(Long::longValue).sum() - free;
        return switch (budget) {
            case Budget.Bits bits -> (long) bits.limit(free, fixed);
            case Budget.Latency latency -> {
                long others = 0;
                for (String layer : sizes.keySet()) {
                    others += losses.containsKey(layer) ? 0 : nanos(latency, layer, 8);
                }
                yield (latency.nanos() - others) / 1000;
            }
        };
    }
}
