package dev.shrike.calibration.quantize;

import dev.shrike.calibration.activations.Windows;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Window;

/** Gathers what a convolution reads at places of a picture, and what it is to give there. */
final class WindowSampler {
    private final Windows windows;
    private final int places;
    private final int outputs;
    private final float[] row;

    /**
     * A sampler for a convolution of one group.
     *
     * @param input {@code [1, channels, height, width]}
     * @param output {@code [1, outputs, outHeight, outWidth]}
     */
    WindowSampler(Window window, Shape input, Shape output) {
        this.windows = new Windows(window, (int) input.dim(2), (int) input.dim(3), (int) input.dim(1),
                (int) output.dim(3));
        this.places = (int) (output.dim(2) * output.dim(3));
        this.outputs = (int) output.dim(1);
        this.row = new float[windows.size()];
    }

    /** Number of places. */
    int places() {
        return places;
    }

    /**
     * Adds these places of a picture.
     *
     * @param x what is read, channels together
     * @param y what is to be given, channels together
     */
    void sample(float[] x, float[] y, Places chosen, LayerPairs pairs) {
        for (int i = 0; i < chosen.indices().length; i++) {
            int place = chosen.indices()[i];
            windows.gather(x, place, row, 0);
            pairs.add(row, 0, y, place * outputs, chosen.weights()[i]);
        }
    }
}
