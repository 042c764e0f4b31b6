package dev.shrike.training.torch;

import dev.shrike.training.qat.QuantizedLayer;
import dev.shrike.training.qat.QuantizedTwin;
import dev.shrike.training.qat.QuantizedValue;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/**
 * Learned steps, with two changes for weights. Their gradients are scaled element by element by how far they are from
 * their codes, {@code g (1 + delta sign(g) (x - code))} (Lee et al. 2021, EWGS). And a weight near the border of two
 * codes
 * goes to the one that its last update led towards, not to the nearest: so a small step in the right direction counts,
 * and
 * a small one back does not undo it. The part of a code in which that holds shrinks to nothing at the end of the run.
 */
final class DirectedRounding implements QuantizationMethod {
    private static final double SCALING = 0.2;
    /** Largest distance from the border, in codes. */
    private static final double REACH = 0.15;

    private final Map<String, Tensor> before = new HashMap<>();
    private final Map<String, Tensor> directions = new HashMap<>();
    private double reach = REACH;

    @Override
    public Tensor weights(QuantizedLayer layer, Tensor weights, Tensor step) {
        Tensor leaning = directions.get(layer.weights());
        // The shift has no gradient, so what is rounded moves and what is learned does not.
        return LearnedRounding.weights(leaning == null ? weights : weights.add(shift(leaning, step)), layer.how(),
                step);
    }

    private Tensor shift(Tensor direction, Tensor step) {
        return TensorMath.mul(direction, reach).mul(step.detach().exp().reshape(-1, 1, 1, 1));
    }

    @Override
    public Tensor values(QuantizedValue value, String name, Tensor x, Tensor step) {
        return LSQ.values(value, name, x, step);
    }

    @Override
    public Tensor rounded(QuantizedLayer layer, Tensor weights, Tensor step) {
        Tensor direction = directions.get(layer.weights());
        return direction == null ? weights : weights.add(shift(direction, step));
    }

    @Override
    public void addGradients(TorchNetwork network, QuantizedTwin twin) {
        for (QuantizedLayer layer : twin.layers()) {
            Tensor weights = network.parameters().get(layer.weights());
            Tensor gradient = weights.grad();
            put(before, layer.weights(), weights.detach().clone());
            if (!gradient.defined()) {
                continue;
            }
            Tensor factor = network.parameters().get(layer.step()).detach().exp().reshape(-1, 1, 1, 1);
            LearnedRounding.Bounds bounds = LearnedRounding.Bounds.of(layer.how(), weights);
            Tensor position = weights.detach().div(factor).maximum(bounds.low()).minimum(bounds.high());
            gradient.add_(TensorMath.mul(
                    gradient.detach().abs().mul(position.sub(LearnedRounding.codes(layer.how(), position))), SCALING));
        }
    }

    @Override
    public void afterStep(TorchNetwork network, QuantizedTwin twin, double progress) {
        reach = REACH * (1 - progress);
        for (QuantizedLayer layer : twin.layers()) {
            Tensor earlier = before.get(layer.weights());
            if (earlier != null) {
                Tensor moved = network.parameters().get(layer.weights()).detach().sub(earlier);
                put(directions, layer.weights(), moved.sign());
            }
        }
    }

    private static void put(Map<String, Tensor> tensors, String name, Tensor tensor) {
        tensor.retainReference();
        Tensor old = tensors.put(name, tensor);
        if (old != null) {
            old.releaseReference();
        }
    }
}
