package dev.shrike.calibration.training;

import dev.shrike.calibration.quantize.LayerWeights;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import java.util.Arrays;

/**
 * Weights and bias of a convolution, rows in the order kernel row, kernel column, channel. Quantised weights are kept
 * in units of their codes, between which they move; what the network sees of them is rounded. Their scales move too, as
 * factors {@code exp(gain)} of the given ones.
 */
final class LayerParameters {
    /**
     * How far from its code a weight may begin, in codes. Less than a half, so that it begins with this code, and by so
     * much that the many that end here do not all go over to the next at once.
     */
    private static final float REACH = 0.3f;

    private final LayerWeights form;
    private final float[] latent;
    private final float[] bias;
    private final float[] seen;
    /** Null where the weights are real. */
    private final Quantization how;
    /** Logarithms of what has become of each scale. */
    private final float[] gains;
    private final float[] gainGradients;
    private Adam latentAdam;
    private Adam biasAdam;
    private Adam gainAdam;

    LayerParameters(Tensor weights, Quantization how, Tensor bias) {
        this.form = LayerWeights.of(weights);
        this.how = how;
        this.latent = new float[form.rows() * form.depth()];
        for (int i = 0; i < latent.length; i++) {
            latent[form.position(i)] = how == null ? weights.floatAt(i) : weights.longAt(i) - zero(i / form.depth());
        }
        this.seen = how == null ? latent : new float[latent.length];
        this.bias = bias == null ? new float[form.rows()] : bias.toFloats();
        this.gains = new float[how == null ? 0 : (int) how.scale().elements()];
        this.gainGradients = new float[gains.length];
        refresh();
    }

    private long zero(int row) {
        return how.zeroPoint().longAt(group(row));
    }

    private int group(int row) {
        return how.isPerTensor() ? 0 : row;
    }

    private float scale(int row) {
        int group = group(row);
        return how.scale().floatAt(group) * (float) Math.exp(gains[group]);
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

    /** Moves each weight within its code towards the real one it stands for, so that some are close to the next. */
    void lean(LayerParameters real) {
        for (int row = 0; row < rows(); row++) {
            float scale = scale(row);
            for (int i = row * depth(); i < (row + 1) * depth(); i++) {
                latent[i] = Math.clamp(real.latent[i] / scale, latent[i] - REACH, latent[i] + REACH);
            }
        }
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

    /** How far a step goes: in codes of the weights, in floats of the bias, and in the logarithm of the scales. */
    record Rates(float weights, float bias, float scales) {}

    /**
     * Takes a step.
     *
     * @param gradients of the weights; overwritten
     */
    void step(float[] gradients, float[] biasGradients, Rates rates) {
        if (latentAdam == null) {
            latentAdam = new Adam(latent.length);
            biasAdam = new Adam(rows());
            gainAdam = new Adam(gains.length);
        }
        Arrays.fill(gainGradients, 0);
        for (int row = 0; row < rows(); row++) {
            float scale = scale(row);
            float own = 0;
            for (int i = row * depth(); i < (row + 1) * depth(); i++) {
                own += gradients[i] * seen[i];
                gradients[i] *= scale;
            }
            gainGradients[group(row)] += own;
        }
        latentAdam.step(latent, gradients, rates.weights());
        biasAdam.step(bias, biasGradients, rates.bias());
        gainAdam.step(gains, gainGradients, rates.scales());
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
        return new float[][] {latent.clone(), bias.clone(), gains.clone()};
    }

    /** Moves saved parameters a share of the way to these. */
    void draw(float[][] saved, float share) {
        float[][] now = {latent, bias, gains};
        for (int i = 0; i < now.length; i++) {
            for (int j = 0; j < now[i].length; j++) {
                saved[i][j] += share * (now[i][j] - saved[i][j]);
            }
        }
    }

    void restore(float[][] saved) {
        System.arraycopy(saved[0], 0, latent, 0, latent.length);
        System.arraycopy(saved[1], 0, bias, 0, bias.length);
        System.arraycopy(saved[2], 0, gains, 0, gains.length);
        refresh();
    }

    /** The codes, in the shape and order of the given ones. */
    Tensor codes(Tensor given) {
        long[] codes = new long[latent.length];
        Arrays.setAll(codes, i -> Math.round(Math.rint(latent[form.position(i)])) + zero(i / form.depth()));
        return Tensor.of(given.type() == DataType.UINT8 ? DataType.UINT8 : DataType.INT8, given.shape(), codes);
    }

    /** What the codes stand for. */
    Quantization quantization() {
        float[] scales = new float[gains.length];
        for (int i = 0; i < scales.length; i++) {
            scales[i] = scale(i);
        }
        return new Quantization(Tensor.ofFloats(how.scale().shape(), scales), how.zeroPoint(), how.bits(),
                how.signed(), how.narrow(), how.axis());
    }
}
