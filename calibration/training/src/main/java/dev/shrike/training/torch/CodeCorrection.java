package dev.shrike.training.torch;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * The last part of a run, in which no code of a weight changes any more (Gupta et al. 2024): the codes are those of the
 * averaged weights, and what is learned on are the scales and biases behind them and the steps of values, while batch
 * normalisation takes the statistics that these codes have. What weights that swing between two codes have changed is
 * corrected so.
 */
final class CodeCorrection implements Regularizer {
    private final FakeQuantization rounding;
    private final double from;
    private final Supplier<Map<String, Tensor>> averages;
    private final Map<String, Tensor> held = new HashMap<>();

    /**
     * A correction.
     *
     * @param from share of the run after which codes stay
     * @param averages of the parameters, asked for then
     */
    CodeCorrection(FakeQuantization rounding, double from, Supplier<Map<String, Tensor>> averages) {
        this.rounding = rounding;
        this.from = from;
        this.averages = averages;
    }

    @Override
    public void addGradients(TorchNetwork network, double progress) {
        if (progress < from || !held.isEmpty()) {
            return;
        }
        try (PointerScope _ = new PointerScope()) {
            for (String name : rounding.codeParameters()) {
                Tensor copy = averages.get().get(name).detach().clone();
                copy.retainReference();
                held.put(name, copy);
            }
        }
    }

    @Override
    public void afterStep(TorchNetwork network, double progress) {
        if (!held.isEmpty()) {
            rounding.hold(held);
        }
    }
}
