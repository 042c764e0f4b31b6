package dev.shrike.calibration.training;

import dev.shrike.calibration.quantize.LayerWeights;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import java.util.Arrays;

/**
 * Weights and bias of a convolution, rows in the order kernel row, kernel column, channel. Quantised weights are kept
 * in units of their codes, between which they move; what the network sees of them is rounded.
 */
final class LayerParameters {
    private final LayerWeights form;
    private final float[] latent;
    private final float[] bias;
    private final float[] seen;
    /** Null where the weights are real. */
    private final Quantization how;
    private Adam latentAdam;
    private Adam biasAdam;

    LayerParameters(Tensor weights, Quantization how, Tensor bias) {
        this.form = LayerWeights.of(weights);
        this.how = how;
        this.latent = new float[form.rows() * form.depth()];
        for (int i = 0; i < latent.length; i++) {
            latent[form.position(i)] = how == null ? weights.floatAt(i) : weights.longAt(i) - zero(i / form.depth());
        }
        this.seen = how == null ? latent : new float[latent.length];
        this.bias = bias == null ? new float[form.rows()] : bias.toFloats();
        refresh();
    }

    private long zero(int row) {
        return how.zeroPoint().longAt(how.isPerTensor() ? 0 : row);
    }

    private float scale(int row) {
        return how.scale().floatAt(how.isPerTensor() ? 0 : row);
    }

    int rows() {
        return form.rows();
    }

    int depth() {
        return form.depth();
    }

    boolean isQuantized() {
        return how != null;
    }

    int bits() {
        return how.bits();
    }

    /** The weights that the network computes with. */
    float[] weights() {
        return seen;
    }

    float[] bias() {
        return bias;
    }

    private void refresh() {
        if (how == null) {
            return;
        }
        for (int row = 0; row < rows(); row++) {
            float scale = scale(row);
            for (int i = row * depth(); i < (row + 1) * depth(); i++) {
                seen[i] = (float) Math.rint(latent[i]) * scale;
            }
        }
    }

    /**
     * Takes a step.
     *
     * @param gradients of the weights; overwritten
     * @param rate in codes of the weights
     * @param biasRate in reals
     */
    void step(float[] gradients, float[] biasGradients, float rate, float biasRate) {
        if (latentAdam == null) {
            latentAdam = new Adam(latent.length);
            biasAdam = new Adam(rows());
        }
        for (int row = 0; row < rows(); row++) {
            float scale = scale(row);
            for (int i = row * depth(); i < (row + 1) * depth(); i++) {
                gradients[i] *= scale;
            }
        }
        latentAdam.step(latent, gradients, rate);
        biasAdam.step(bias, biasGradients, biasRate);
        for (int row = 0; row < rows(); row++) {
            float low = how.minCode() - zero(row);
            float high = how.maxCode() - zero(row);
            for (int i = row * depth(); i < (row + 1) * depth(); i++) {
                latent[i] = Math.clamp(latent[i], low, high);
            }
        }
        refresh();
    }

    /** A copy of all parameters, for {@link #restore}. */
    float[][] saved() {
        return new float[][] {latent.clone(), bias.clone()};
    }

    void restore(float[][] saved) {
        System.arraycopy(saved[0], 0, latent, 0, latent.length);
        System.arraycopy(saved[1], 0, bias, 0, bias.length);
        refresh();
    }

    /** The codes, in the shape and order of the given ones. */
    Tensor codes(Tensor given) {
        long[] codes = new long[latent.length];
        Arrays.setAll(codes, i -> Math.round(Math.rint(latent[form.position(i)])) + zero(i / form.depth()));
        return Tensor.of(given.type() == DataType.UINT8 ? DataType.UINT8 : DataType.INT8, given.shape(), codes);
    }
}
