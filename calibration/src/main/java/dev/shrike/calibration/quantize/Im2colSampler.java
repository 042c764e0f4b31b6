package dev.shrike.calibration.quantize;

import dev.shrike.calibration.activations.Im2col;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Window;

/** Gathers what a convolution reads at positions of an image, and what it is to give there. */
final class Im2colSampler {
    private final Im2col windows;
    private final int positions;
    private final int outputs;
    private final float[] row;

    /**
     * A sampler for a convolution of one group.
     *
     * @param input {@code [1, channels, height, width]}
     * @param output {@code [1, outputs, outHeight, outWidth]}
     */
    Im2colSampler(Window window, Shape input, Shape output) {
        this.windows = new Im2col(window, (int) input.dim(2), (int) input.dim(3), (int) input.dim(1),
                (int) output.dim(3));
        this.positions = (int) (output.dim(2) * output.dim(3));
        this.outputs = (int) output.dim(1);
        this.row = new float[windows.size()];
    }

    /** Number of positions. */
    int positions() {
        return positions;
    }

    /**
     * Adds these positions of an image.
     *
     * @param x what is read, channels together
     * @param y what is to be given, channels together
     */
    void sample(float[] x, float[] y, SampledPositions chosen, LayerSamples pairs) {
        for (int i = 0; i < chosen.indices().length; i++) {
            int position = chosen.indices()[i];
            windows.gather(x, position, row, 0);
            pairs.add(row, 0, y, position * outputs, chosen.weights()[i]);
        }
    }
}
