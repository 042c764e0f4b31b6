package dev.shrike.training.torch;

import dev.shrike.graph.Quantization;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Rounding to codes whose step is learned. Weights of one bit are their sign times the step; the gradient passes where
 * they are within it (Courbariaux et al. 2016, BNN). All others (Esser et al. 2020, LSQ): {@code y = s clamp(round(x /
 * s), low, high)}. The gradient of x passes straight through where nothing is clipped; that of s is {@code round(x /
 * s) - x / s} there and low
 * or high where something is, and is scaled by {@code 1 / sqrt(N high)} for N values that share s. The parameter is the
 * logarithm of s as a factor of a given step, so that s stays positive.
 */
final class LearnedRounding {
    private LearnedRounding() {}

    /**
     * Values rounded to the codes of a whole tensor.
     *
     * @param x {@code [batch, …]}
     * @param parameter one number, or null if the step is not learned
     */
    static Tensor values(Tensor x, Quantization how, Tensor parameter) {
        int zero = (int) how.zeroPoint().longAt(0);
        double given = how.scale().floatAt(0);
        if (parameter == null) {
            return torch.fake_quantize_per_tensor_affine(x, given, zero, how.minCode(), how.maxCode());
        }
        int high = how.maxCode() - zero;
        Tensor step = TensorMath.mul(step(parameter, (double) x.numel() / x.size(0),
                Math.max(high, zero - how.minCode())), given);
        return learnable(x, step, zero, how);
    }

    /**
     * PyTorch's own function of a learned step, with the gradients above. It stands in no header for C++ and so not in
     * the presets either; one pass over the values each way, where the same of single operations takes six and four.
     */
    private static Tensor learnable(Tensor x, Tensor step, int zero, Quantization how) {
        try (IValueVector stack = new IValueVector(new IValue(x), new IValue(step),
                new IValue(torch.full(new long[] {1}, new Scalar(zero), x.options())), new IValue((long) how.minCode()),
                new IValue((long) how.maxCode()), new IValue(1.0))) {
            Dispatcher.singleton().findSchemaOrThrow("aten::_fake_quantize_learnable_per_tensor_affine", "")
                    .callBoxed(stack);
            // A handle of its own: the one of the stack goes with it.
            return new Tensor(stack.get(0).toTensor());
        }
    }

    /**
     * Weights rounded to codes with a step for each output channel.
     *
     * @param x {@code [rows, channels, height, width]}, in given steps
     * @param parameter a number for each row
     */
    static Tensor weights(Tensor x, Quantization how, Tensor parameter) {
        Tensor given = TensorMath.onto(TensorMath.ofFloats(how.scale().toFloats(), how.scale().elements(), 1, 1, 1), x);
        Tensor factor = step(parameter.reshape(-1, 1, 1, 1), (double) x.numel() / x.size(0),
                Math.max(1, how.maxCode()));
        Bounds bounds = Bounds.of(how, x);
        Tensor position = x.div(factor).maximum(bounds.low()).minimum(bounds.high());
        return TensorMath.straightThrough(codes(how, position), position).mul(factor).mul(given);
    }

    /** The codes, less zero points, of positions among them: the nearest, of one bit the sign, of 0 being +1. */
    static Tensor codes(Quantization how, Tensor position) {
        return how.bipolar()
                ? TensorMath.add(TensorMath.mul(position.ge(new Scalar(0)).to(torch.ScalarType.Float), 2), -1)
                : position.round();
    }

    /** Lowest and highest codes of each row, from its zero point. */
    record Bounds(Tensor low, Tensor high) {
        static Bounds of(Quantization how, Tensor like) {
            float[] low = new float[(int) how.scale().elements()];
            float[] high = new float[low.length];
            for (int row = 0; row < low.length; row++) {
                low[row] = how.minCode() - how.zeroPoint().longAt(row);
                high[row] = how.maxCode() - how.zeroPoint().longAt(row);
            }
            return new Bounds(TensorMath.onto(TensorMath.ofFloats(low, low.length, 1, 1, 1), like),
                    TensorMath.onto(TensorMath.ofFloats(high, high.length, 1, 1, 1), like));
        }
    }

    /** The factor of the given step, with the gradient scaled for so many values. */
    static Tensor step(Tensor parameter, double values, double high) {
        Tensor scaled = TensorMath.mul(parameter, 1 / Math.sqrt(values * high));
        return TensorMath.straightThrough(parameter, scaled).exp();
    }
}
