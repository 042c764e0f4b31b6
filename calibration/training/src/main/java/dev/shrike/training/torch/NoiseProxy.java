package dev.shrike.training.torch;

import dev.shrike.graph.Quantization;
import dev.shrike.training.qat.QuantizedLayer;
import dev.shrike.training.qat.QuantizedTwin;
import dev.shrike.training.qat.QuantizedValue;
import dev.shrike.training.qat.WidthBudget;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Noise as wide as a step in place of rounding, so that the width of codes has a gradient, as the range has (Shin et
 * al. 2023, NIPQ): {@code y = clamp(x, low, high) + step u} with u uniform within half and {@code step = range
 * 2^-bits}. Widths stay on a budget that shrinks to its limit: their gradients lose what would change the cost, and
 * after each step all are moved by as much until the cost is right. In a later part of the run widths are whole and
 * stay, and what follows is training with learned steps.
 *
 * <p>What is evaluated is rounded at all times, with whole widths within the budget.
 */
final class NoiseProxy implements QuantizationMethod {
    /** Bits for a unit of a parameter: widths move further than other parameters do. */
    private static final double BITS = 4;
    /** Of gradients of widths, which sum over all values, in the norm of all gradients. */
    private static final double GRADIENT = 0.01;
    /** The part of the noisy steps in which the budget shrinks. */
    private static final double SHRINKING = 0.5;

    private final TorchNetwork network;
    private final QuantizedTwin twin;
    private final WidthBudget budget;
    private final double until;
    private final Map<String, Tensor> widths = new HashMap<>();
    private final Tensor fixed;
    private boolean begun;
    private int[] held;

    /**
     * The method for a network, which gets a parameter for each width.
     *
     * @param until share of the run after which widths stay, above 0
     */
    NoiseProxy(TorchNetwork network, QuantizedTwin twin, WidthBudget budget, double until) {
        this.network = network;
        this.twin = twin;
        this.budget = budget;
        this.until = until;
        for (WidthBudget.Item item : budget.items()) {
            widths.put(item.name(), network.addParameter(item.name() + ".width", TensorMath.ofFloats(new float[1], 1)));
        }
        // Saved with the others, so that a run that goes on knows.
        this.fixed = network.addParameter("widths.fixed", TensorMath.ofFloats(new float[1], 1));
    }

    @Override
    public Tensor weights(QuantizedLayer layer, Tensor weights, Tensor step) {
        Tensor width = widths.get(layer.weights());
        if (width == null) {
            return LSQ.weights(layer, weights, step);
        }
        Quantization how = layer.how();
        if (!isNoisy()) {
            int bits = widths().get(layer.weights());
            return LearnedRounding.weights(inSteps(layer, bits, weights), layer.withBits(bits).how(), step);
        }
        Tensor factor = LearnedRounding.step(step.reshape(-1, 1, 1, 1), (double) weights.numel() / weights.size(0),
                Math.max(1, how.maxCode()));
        Tensor low = LearnedRounding.Bounds.of(how, weights).low().mul(factor);
        Tensor given =
                TensorMath.onto(TensorMath.ofFloats(how.scale().toFloats(), how.scale().elements(), 1, 1, 1), weights);
        return noisy(weights, low, factor, how, width).mul(given);
    }

    @Override
    public Tensor rounded(QuantizedLayer layer, Tensor weights, Tensor step) {
        return inSteps(layer, widths().getOrDefault(layer.weights(), layer.how().bits()), weights);
    }

    /** Weights in units of the given steps in those of another width. */
    private static Tensor inSteps(QuantizedLayer layer, int bits, Tensor weights) {
        return bits == layer.how().bits() ? weights : TensorMath.mul(weights, Math.pow(2, bits - layer.how().bits()));
    }

    @Override
    public Tensor values(QuantizedValue value, String name, Tensor x, Tensor step) {
        Tensor width = widths.get(value.step());
        if (width == null) {
            return LSQ.values(value, name, x, step);
        }
        if (!isNoisy()) {
            return LSQ.values(value.withBits(widths().get(value.step())), name, x, step);
        }
        if (twin.isMoved(name)) {
            // It has its noise already.
            return x;
        }
        Quantization how = value.how();
        int zero = (int) how.zeroPoint().longAt(0);
        int high = Math.max(how.maxCode() - zero, zero - how.minCode());
        Tensor size = TensorMath.mul(LearnedRounding.step(step, (double) x.numel() / x.size(0), high),
                how.scale().floatAt(0));
        return noisy(x, TensorMath.mul(size, how.minCode() - zero), size, how, width);
    }

    /** Values clipped to the range of the codes, with noise as wide as their step. */
    private static Tensor noisy(Tensor x, Tensor low, Tensor given, Quantization how, Tensor width) {
        Tensor scaled = TensorMath.straightThrough(width, TensorMath.mul(width, GRADIENT));
        Tensor step = given.mul(TensorMath.mul(scaled, -BITS * Math.log(2)).exp());
        Tensor high = low.add(TensorMath.mul(given, how.maxCode() - how.minCode() + 1.0)).sub(step);
        Tensor noise = TensorMath.add(torch.rand_like(x), -0.5);
        return x.maximum(low).minimum(high).add(noise.mul(step));
    }

    private boolean isNoisy() {
        return network.isTraining() && !isFixed();
    }

    private boolean isFixed() {
        if (held == null && fixed.detach().item_float() == 1) {
            // A run that goes on.
            begun = true;
            held = budget.whole(current());
        }
        return held != null;
    }

    private double[] current() {
        double[] bits = budget.given();
        for (int i = 0; i < bits.length; i++) {
            bits[i] += BITS * parameter(i).detach().item_float();
        }
        return bits;
    }

    private Tensor parameter(int item) {
        return widths.get(budget.items().get(item).name());
    }

    /** Whole widths within the budget; before the first step, the given ones. */
    @Override
    public Map<String, Integer> widths() {
        List<WidthBudget.Item> items = budget.items();
        int[] bits = isFixed() ? held : begun ? budget.whole(current()) : null;
        Map<String, Integer> found = new HashMap<>();
        for (int i = 0; i < items.size(); i++) {
            found.put(items.get(i).name(), bits == null ? items.get(i).given() : bits[i]);
        }
        return found;
    }

    @Override
    public void addGradients(TorchNetwork same, QuantizedTwin sameTwin) {
        double[] gradient = new double[budget.items().size()];
        for (int i = 0; i < gradient.length; i++) {
            Tensor own = parameter(i).grad();
            gradient[i] = own.defined() && !isFixed() ? own.item_float() : 0;
        }
        double[] along = budget.tangential(gradient, current());
        for (int i = 0; i < along.length; i++) {
            Tensor own = parameter(i).grad();
            if (own.defined()) {
                own.fill_(new Scalar(along[i]));
            }
        }
    }

    @Override
    public void afterStep(TorchNetwork same, QuantizedTwin sameTwin, double progress) {
        boolean wasFixed = isFixed();
        begun = true;
        if (wasFixed) {
            set(held);
            return;
        }
        double[] bits = budget.within(current(), Math.clamp(progress / (SHRINKING * until), 0, 1));
        set(bits);
        if (progress >= until) {
            held = budget.whole(bits);
            set(held);
            fixed.detach().fill_(new Scalar(1.0));
        }
    }

    private void set(int[] bits) {
        set(java.util.Arrays.stream(bits).asDoubleStream().toArray());
    }

    private void set(double[] bits) {
        double[] given = budget.given();
        for (int i = 0; i < bits.length; i++) {
            parameter(i).detach().fill_(new Scalar((bits[i] - given[i]) / BITS));
        }
    }
}
