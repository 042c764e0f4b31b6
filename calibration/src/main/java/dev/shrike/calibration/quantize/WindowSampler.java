package dev.shrike.calibration.quantize;

import dev.shrike.calibration.activations.Windows;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Window;
import java.util.SplittableRandom;

/** Gathers what a convolution reads at random places of a picture, and what it is to give there. */
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

    /**
     * Adds at most {@code most} places of a picture, all of them if there are no more.
     *
     * @param x what is read, channels together
     * @param y what is to be given, channels together
     */
    void sample(float[] x, float[] y, int most, long seed, LayerPairs pairs) {
        SplittableRandom random = new SplittableRandom(seed);
        int count = Math.min(most, places);
        for (int i = 0; i < count; i++) {
            // One place of each of count equal parts.
            int from = (int) ((long) i * places / count);
            int to = (int) ((long) (i + 1) * places / count);
            int place = from + random.nextInt(to - from);
            windows.gather(x, place, row, 0);
            pairs.add(row, 0, y, place * outputs);
        }
    }
}
