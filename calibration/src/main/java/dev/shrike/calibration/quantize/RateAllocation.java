package dev.shrike.calibration.quantize;

import dev.shrike.ShrikeException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.activations.CalibrationPictures;
import dev.shrike.calibration.ranges.ValueStatistics;
import dev.shrike.graph.Node;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Divides a budget of bits among layers with entropy-coded weights. Rounding row r of a layer with step d adds
 * {@code d^2 N / 12} to the squared error of its result, N being what error-compensated rounding leaves of an error in
 * every weight, and that moves the head by G of it ({@link Places.Choice#importance}). Halving the step of n weights
 * takes n bits. So the least sum of what moves the head has {@code d^2 = c n / (G N)} in every row, with one c for the
 * whole network (reverse water-filling; Cover and Thomas, Elements of Information Theory, 10.3.3).
 */
public final class RateAllocation {
    private final Quantizer quantizer;
    private final Map<String, double[]> weights = new LinkedHashMap<>();
    private final Map<String, double[]> relative = new LinkedHashMap<>();

    /**
     * Measures on pictures what rounding does in each layer.
     *
     * @param quantizer with places whose importance is known
     * @param activations bits of what layers read
     * @throws UnsupportedModelException if the importance of places is not known
     */
    public RateAllocation(Quantizer quantizer, Map<String, ValueStatistics> statistics, CalibrationPictures pictures,
            int activations, Effort effort, Quantizer.LayerListener listener) {
        this.quantizer = quantizer;
        Reconstruction probe = quantizer.reconstruction(quantizer.uniform(new Widths(4, activations)), statistics,
                effort, Set.of());
        probe.run(pictures, quantizer.memory(), listener);
        for (Node layer : CodedValues.layers(quantizer.prepared())) {
            double[] noise = probe.unitNoises().get(layer.name());
            if (noise == null || quantizer.ends().contains(layer.name())) {
                continue;
            }
            var tensor = quantizer.prepared().constants().get(layer.input(1));
            LayerWeights form = LayerWeights.of(tensor);
            double[] importance = quantizer.importance(layer.name());
            if (importance.length == 0) {
                throw new UnsupportedModelException("what errors in each layer do to its results is not known, since an"
                        + " operation has no gradient here; give all layers the same bits instead of 'auto'");
            }
            weights.put(layer.name(), form.fromTensor(tensor));
            relative.put(layer.name(), LayerFit.relativeSteps(importance, noise, form.depth()));
        }
    }

    /**
     * The plan that keeps the budget.
     *
     * @param budget not of latency, which entropy does not change
     * @param activations bits of what the layers read, the first and last ones apart
     * @throws ShrikeException if nothing keeps the budget; says the least that is possible
     */
    public QuantizationPlan plan(MixedPrecision.Budget budget, int activations) {
        double limit = limit(budget);
        double high = weights.keySet().stream().mapToDouble(name -> largest(weights.get(name), relative.get(name)))
                .max().orElse(1) * 3;
        double low = high * 1e-9;
        if (bits(high) > limit) {
            throw new ShrikeException(String.format(Locale.ROOT,
                    "no choice of steps keeps the budget: it leaves %.0f bits to %d weights, and %.0f is the least",
                    limit, count(), bits(high)));
        }
        for (int i = 0; i < 60; i++) {
            double middle = Math.sqrt(low * high);
            if (bits(middle) > limit) {
                low = middle;
            } else {
                high = middle;
            }
        }
        Map<String, Optional<Widths>> layers = new LinkedHashMap<>();
        for (Node layer : CodedValues.layers(quantizer.prepared())) {
            String name = layer.name();
            layers.put(name, Optional.of(weights.containsKey(name)
                    ? Widths.entropyCoded(Math.floor(100 * rate(name, high)) / 100, activations)
                    : Widths.EIGHT));
        }
        return new QuantizationPlan("auto, entropy-coded, " + budget.about(), Optional.empty(), Optional.empty(),
                layers);
    }

    private double limit(MixedPrecision.Budget budget) {
        return switch (budget) {
            case MixedPrecision.Budget.AverageBits(double bits) -> bits * count();
            case MixedPrecision.Budget.Size(long bytes) -> 8.0 * bytes - 8.0 * (all() - count());
            case MixedPrecision.Budget.Latency _ ->
                throw new IllegalArgumentException("entropy coding does not change the latency");
        };
    }

    private long count() {
        return weights.values().stream().mapToLong(own -> own.length).sum();
    }

    private long all() {
        return CodedValues.layers(quantizer.prepared()).stream()
                .mapToLong(layer -> quantizer.prepared().constants().get(layer.input(1)).elements()).sum();
    }

    private double bits(double factor) {
        return weights.keySet().stream().mapToDouble(name -> rate(name, factor) * weights.get(name).length).sum();
    }

    private double rate(String name, double factor) {
        double[] own = weights.get(name);
        return Math.clamp(EntropySteps.entropy(own, EntropySteps.scaled(own, relative.get(name), factor)),
                Widths.LEAST_RATE, 8);
    }

    private static double largest(double[] weights, double[] relative) {
        double weight = Arrays.stream(weights).map(Math::abs).max().orElse(0);
        return weight / Arrays.stream(relative).min().orElse(1);
    }
}
