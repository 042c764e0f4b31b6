package dev.shrike.training.torch;

import dev.shrike.training.qat.QuantizedLayer;
import dev.shrike.training.qat.QuantizedTwin;
import dev.shrike.training.qat.QuantizedValue;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** How rounding is trained through. What it gives in the end is always what the engine computes. */
interface QuantizationMethod {
    /**
     * The weights that a layer computes with.
     *
     * @param step logarithms of the steps, one for each output channel, as factors of the given ones
     */
    Tensor weights(QuantizedLayer layer, Tensor weights, Tensor step);

    /**
     * What readers see of values.
     *
     * @param name of the value that x is, one of those that have these codes
     * @param step logarithm of the step, as a factor of the given one; null if it is not learned
     */
    Tensor values(QuantizedValue value, String name, Tensor x, Tensor step);

    /** Changes the gradients of weights, before the optimiser steps. */
    default void addGradients(TorchNetwork network, QuantizedTwin twin) {}

    /**
     * Called after the optimiser's step.
     *
     * @param progress share of the run that is done
     */
    default void afterStep(TorchNetwork network, QuantizedTwin twin, double progress) {}

    /** Weights whose nearest codes are those that {@link #weights} rounds to, in units of the steps of their width. */
    default Tensor rounded(QuantizedLayer layer, Tensor weights, Tensor step) {
        return weights;
    }

    /**
     * Bits of weights by their name and of values by that of their step, where they are others than those that were
     * given.
     */
    default Map<String, Integer> widths() {
        return Map.of();
    }

    /** Learned steps (Esser et al. 2020). */
    QuantizationMethod LSQ = new QuantizationMethod() {
        @Override
        public Tensor weights(QuantizedLayer layer, Tensor weights, Tensor step) {
            return LearnedRounding.weights(weights, layer.how(), step);
        }

        @Override
        public Tensor values(QuantizedValue value, String name, Tensor x, Tensor step) {
            return LearnedRounding.values(x, value.how(), step);
        }
    };
}
