package dev.shrike.calibration.quantize;

import dev.shrike.ShrikeException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.quantize.rounding.EntropySteps;
import dev.shrike.calibration.ranges.ActivationStatistics;
import dev.shrike.graph.Node;
import dev.shrike.graph.Tensor;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Divides a budget of bits among layers with entropy-coded weights. Rounding row r of a layer with step d adds
 * {@code d^2 N / 12} to the squared error of its result, N being what error-compensated rounding leaves of an error in
 * every weight, and that moves the head by G of it ({@link SampledPositions.Choice#importance}). Halving the step of n
 * weights
 * takes n bits. So the least sum of what moves the head has {@code d^2 = c n / (G N)} in every row, with one c for the
 * whole network (reverse water-filling; Cover and Thomas, Elements of Information Theory, 10.3.3).
 */
public final class RateAllocation {
    private final Quantizer quantizer;
    private final Map<String, EntropySteps> steps = new LinkedHashMap<>();
    /** Weights of each layer, the first and last ones too. */
    private final Map<String, Long> sizes = new LinkedHashMap<>();

    /**
     * Measures on images what rounding does in each layer.
     *
     * @param quantizer with positions whose importance is known
     * @param activations bits of what layers read
     * @throws UnsupportedModelException if the importance of positions is not known
     */
    public RateAllocation(Quantizer quantizer, Map<String, ActivationStatistics> statistics, CalibrationImages images,
            int activations, PtqOptions effort, Quantizer.LayerListener listener) {
        this.quantizer = quantizer;
        Reconstruction probe = quantizer.reconstruction(quantizer.uniform(new BitWidths(4, activations)), statistics,
                effort, Set.of());
        probe.run(images, quantizer.memory(), listener);
        for (Node layer : quantizer.layers().nodes()) {
            Tensor weights = quantizer.prepared().constants().get(layer.input(1));
            sizes.put(layer.name(), weights.elements());
            double[] noise = probe.unitNoises().get(layer.name());
            if (noise == null || quantizer.ends().contains(layer.name())) {
                continue;
            }
            LayerWeights form = LayerWeights.of(weights);
            double[] importance = quantizer.importance(layer.name());
            if (importance.length == 0) {
                throw new UnsupportedModelException("what errors in each layer do to its results is not known, since an"
                        + " operation has no gradient here; give all layers the same bits instead of 'auto'");
            }
            steps.put(layer.name(), new EntropySteps(form.fromTensor(weights),
                    LayerFit.relativeSteps(importance, noise, form.depth())));
        }
    }

    /**
     * The plan that keeps the budget.
     *
     * @param activations bits of what the layers read, the first and last ones apart
     * @throws ShrikeException if nothing keeps the budget; says the least that is possible
     */
    public QuantizationPlan plan(MixedPrecision.Budget.Bits budget, int activations) {
        long free = steps.keySet().stream().mapToLong(sizes::get).sum();
        long all = sizes.values().stream().mapToLong(Long::longValue).sum();
        double limit = budget.limit(free, all - free);
        double coarsest = steps.values().stream().mapToDouble(EntropySteps::coarsest).max().orElse(1);
        if (bits(coarsest) > limit) {
            throw new ShrikeException(String.format(Locale.ROOT,
                    "no choice of steps keeps the budget: it leaves %.0f bits to %d weights, and %.0f is the least",
                    limit, free, bits(coarsest)));
        }
        double factor = EntropySteps.finest(coarsest, this::bits, limit);
        Map<String, Optional<BitWidths>> layers = new LinkedHashMap<>();
        for (String name : sizes.keySet()) {
            layers.put(name, Optional.of(steps.containsKey(name)
                    ? BitWidths.entropyCoded(Math.floor(100 * rate(name, factor)) / 100, activations)
                    : BitWidths.EIGHT));
        }
        return quantizer.plan("auto, entropy-coded, " + budget.about(), layers);
    }

    private double bits(double factor) {
        return steps.keySet().stream().mapToDouble(name -> rate(name, factor) * sizes.get(name)).sum();
    }

    private double rate(String name, double factor) {
        return Math.clamp(steps.get(name).entropy(factor), BitWidths.LEAST_RATE, 8);
    }
}
